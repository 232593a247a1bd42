/* Reductions over the sixteen lanes of panels, which compilers do not vectorise by themselves: a
 * minimum of floats may not be reordered. The same results on every instruction set. For the
 * screens of k-means alone; the numbers are no NaN. */
#ifndef AUXSEG_LABEL_KMEANS_LANES_H
#define AUXSEG_LABEL_KMEANS_LANES_H

#include <stddef.h>
#include <stdint.h>

/* least [count]: of each sixteen of p [count, 16]. */
void lanes_least(const float *p, int count, float *least);
/* kept: indices of p [count, 16] with p <= limit, ascending; returns how many. */
int lanes_below(const float *p, int count, float limit, int *kept);
/* Bit g of mask, of `count` (a multiple of 16, at most 128): lower[g] unit <= upper + drift[g],
 * with both products rounded. Returns whether any is set. */
int lanes_failing(const uint16_t *lower, float unit, const float *drift, float upper, int count,
    uint64_t mask[2]);
/* For a few hundred words that are not far away: a call of memcpy costs more than they do. */
void lanes_copy(uint32_t *to, const uint32_t *from, size_t count);

#endif
