/* 128-bit sums that int64 reductions can add over ranks. Not collective. */
#ifndef AUXSEG_LABEL_WIDE_H
#define AUXSEG_LABEL_WIDE_H

#include <stdint.h>

typedef __int128 int128;

/* The sum as pieces: value = sum of part[i] * 2^(32 i). An addition adds less than 2^32 to each
 * part, so that 2^31 additions cannot overflow one; value >= 0. */
typedef struct wide {
    int64_t part[4];
} wide;

/* v >= 0 */
static inline void wide_add(wide *w, int128 v) {
    for (int i = 0; i < 4; i++) w->part[i] += (int64_t)((v >> (32 * i)) & 0xFFFFFFFF);
}

static inline int128 wide_value(const wide *w) {
    int128 v = 0;
    for (int i = 3; i >= 0; i--) v = v * ((int128)1 << 32) + w->part[i];
    return v;
}

#endif
