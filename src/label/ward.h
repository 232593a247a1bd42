/* Ward's method (Ward, J. Am. Stat. Assoc. 1963) on the centroids of a clustering: clusters that
 * are alike in groups. Not collective; each rank that calls with the same centroids gets the same.
 *
 * Each centroid counts as one row. Two groups a and b of n_a and n_b centroids with means m_a and
 * m_b are merged at the least n_a n_b / (n_a + n_b) |m_a - m_b|^2, by which the sum of squared
 * distances to the means grows, until `groups` are left. Merges are found along chains of nearest
 * neighbours (Murtagh, Computational Statistics Quarterly 1984): about 3 K^2 distances, no matrix
 * of them. Equal costs go to the lower centroid. */
#ifndef AUXSEG_LABEL_WARD_H
#define AUXSEG_LABEL_WARD_H

#include "src/base/status.h"

#include <stdint.h>

/* centroid [K, D], finite; 1 <= groups <= K. group [K]: 0 .. groups - 1, in the order of their
 * first centroids. The same for any number of threads. */
status ward_groups(const float *centroid, int k, int d, int groups, int threads, int32_t *group);

#endif
