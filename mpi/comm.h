/* The communicator of a stage. NULL stands for one rank without MPI (inspect, verify, unit tests).
 * One thread a rank calls MPI (MPI_THREAD_FUNNELED). */
#ifndef AUXSEG_MPI_COMM_H
#define AUXSEG_MPI_COMM_H

#include "src/base/status.h"

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct comm {
    MPI_Comm mpi; /* duplicated: owned */
    int rank, size;
    int node;            /* ranks on this rank's node */
    int *count, *offset; /* [size], comm_gather's: allocated once, so that it cannot fail */
    uint64_t *value;     /* [size], comm_compare's, likewise */
} comm;

/* Collective over `world`. */
status comm_create(comm **out, MPI_Comm world);
/* Collective. NULL-safe. */
void comm_destroy(comm *c);

/* Not collective. */
int comm_rank(const comm *c);
int comm_size(const comm *c);
/* Ranks that share this rank's memory. */
int comm_node_size(const comm *c);
bool comm_root(const comm *c);

/* The worst code of all ranks (the largest, STATUS_STOPPED counting as smallest error). Collective.
 */
status comm_agree(const comm *c, status mine);
/* In debug builds, an assert that `value` is the same on every rank. Collective. */
void comm_same(const comm *c, const char *what, uint64_t value);

/* Whether `value` is the same on every rank, in all builds. If not: STATUS_FAILED, and rank 0 says
 * which ranks have another one than most; where no value has most, that cannot be told. Collective.
 */
status comm_compare(const comm *c, const char *what, uint64_t value);

/* Exact: integers, maxima. In place, the same on every rank afterwards. Collective. No count limit.
 */
void comm_sum_i64(const comm *c, int64_t *x, size_t n);
void comm_max_i32(const comm *c, int32_t *x, size_t n);
void comm_max_f64(const comm *c, double *x, size_t n);
void comm_min_f64(const comm *c, double *x, size_t n);
/* Sum of arrays in which every element is nonzero on one rank at most: exact. Collective. */
void comm_sum_f64_disjoint(const comm *c, double *x, size_t n);
/* From rank 0. Transfers of 2 GiB and more are cut. Collective. */
void comm_broadcast(const comm *c, void *x, size_t bytes);
/* Each rank's bytes in rank order to all: bytes [size] says how many each rank gives (known
 * everywhere); `all` is [sum of bytes]. `mine` may stand at its place in `all` already. Collective.
 */
void comm_gather(const comm *c, const void *mine, const size_t *bytes, void *all);
void comm_barrier(const comm *c);

#endif
