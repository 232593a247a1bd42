/* The addition of a part that another rank has sent: memory's speed, which compilers reach when
 * they know that nothing overlaps. Integers wrap, as MPI's do. */
#include "mpi/exact_sum.h"

void exact_sum_add(int64_t *restrict x, const int64_t *restrict y, size_t n) {
    for (size_t i = 0; i < n; i++) x[i] = (int64_t)((uint64_t)x[i] + (uint64_t)y[i]);
}
