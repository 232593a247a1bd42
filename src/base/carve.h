/* Arrays that share one block of memory, one behind the other, each on a cache line. A first round
 * without a block measures how long it must be. */
#ifndef AUXSEG_BASE_CARVE_H
#define AUXSEG_BASE_CARVE_H

#include <stddef.h>

/* The next array of `bytes` in `base`, behind the `used` bytes before it; NULL while base is. */
static inline void *carve(char *base, size_t *used, size_t bytes) {
    enum { LINE = 64 };
    char *at = base ? base + *used : NULL;
    *used += (bytes + LINE - 1) / LINE * LINE;
    return at;
}

#endif
