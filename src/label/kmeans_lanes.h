/* Reductions over the sixteen lanes of panels, which compilers do not vectorise by themselves: a
 * minimum of floats may not be reordered. The same results on every instruction set. For the
 * screens of k-means alone; the numbers are no NaN. */
#ifndef AUXSEG_LABEL_KMEANS_LANES_H
#define AUXSEG_LABEL_KMEANS_LANES_H

/* least [count]: of each sixteen of p [count, 16]. */
void lanes_least(const float *p, int count, float *least);
/* kept: indices of p [count, 16] with p <= limit, ascending; returns how many. */
int lanes_below(const float *p, int count, float limit, int *kept);

#endif
