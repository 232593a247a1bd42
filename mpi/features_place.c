/* A rank's place among the rows of all: samples, files and messages are told by it, so it is
 * counted in one way. */
#include "mpi/features_place.h"

#include "mpi/prefix.h"

/* Two small exchanges, once for all that is made of these rows. */
void features_place(const comm *c, features *x) {
    int64_t mine = (int64_t)x->n;
    x->total = mine;
    comm_sum_i64(c, &x->total, 1);
    prefix_sum_i64(c, &mine, &x->before, 1);
}
