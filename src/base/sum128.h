/* 128-bit sums that int64 reductions can add over ranks. Not collective. */
#ifndef AUXSEG_BASE_SUM128_H
#define AUXSEG_BASE_SUM128_H

#include <stdint.h>

typedef __int128 int128;

/* The sum as pieces: value = sum of part[i] * 2^(32 i). An addition adds less than 2^32 to each
 * part, so that 2^31 additions cannot overflow one; value >= 0. */
typedef struct sum128 {
    int64_t part[4];
} sum128;

/* v >= 0 */
static inline void sum128_add(sum128 *s, int128 v) {
    for (int i = 0; i < 4; i++) s->part[i] += (int64_t)((v >> (32 * i)) & 0xFFFFFFFF);
}

static inline int128 sum128_value(const sum128 *s) {
    int128 v = 0;
    for (int i = 3; i >= 0; i--) v = v * ((int128)1 << 32) + s->part[i];
    return v;
}

#endif
