/* The one partition of n items into contiguous parts; empty parts are legal. Not collective. */
#ifndef AUXSEG_MPI_SHARD_H
#define AUXSEG_MPI_SHARD_H

#include <stdint.h>

/* First item of a part, 0 <= part <= parts; part `parts` gives n. Sizes differ by one at most. */
static inline int64_t shard_begin(int64_t n, int part, int parts) {
    return n / parts * part + (n % parts < part ? n % parts : part);
}

#endif
