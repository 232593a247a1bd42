/* Whether two ways to compute give the same bits is tried on random numbers. */
#ifndef AUXSEG_NN_KERNELS_TRIAL_H
#define AUXSEG_NN_KERNELS_TRIAL_H

#include "src/base/dtype.h"

#include <stddef.h>
#include <stdint.h>

/* n numbers between -1 and 1 of a stream for every item. */
void trial_fill(void *x, size_t n, uint64_t item, dtype t);
/* The same, from memory_alloc; NULL: no memory. */
void *trial_numbers(size_t n, uint64_t item, dtype t);

#endif
