/* The typical pixels of all ranks, by a reduction with an operation of our own: MPI may pair ranks
 * in any order, as the merge of two lists is the best of both. */
#include "mpi/typical.h"

#include "mpi/traffic.h"
#include "src/base/memory.h"
#include "src/base/pulse.h"

/* MPI's form of typical_merge: an element is the list of one cluster. */
static void merge(void *from, void *into, int *clusters, MPI_Datatype *type) {
    (void)type;
    typical_merge(from, into, *clusters);
}

/* Every rank's selection becomes that of all: the best of a total order, whatever the order in
 * which MPI pairs the ranks. */
static void merge_ranks(const comm *c, typical_pixel *list, int k) {
    MPI_Datatype cluster;
    MPI_Op op;
    if (comm_size(c) == 1) return;
    /* Whole lists are elements, so that MPI cannot cut one apart between two calls of the
     * operation. */
    MPI_Type_contiguous(TYPICAL * (int)sizeof *list, MPI_BYTE, &cluster);
    MPI_Type_commit(&cluster);
    if (c->size > 1) traffic_add((size_t)k * TYPICAL * sizeof *list);
    MPI_Op_create(merge, 1, &op);
    pulse_wait();
    MPI_Allreduce(MPI_IN_PLACE, list, k, cluster, op, c->mpi);
    pulse_go();
    MPI_Op_free(&op);
    MPI_Type_free(&cluster);
}

/* Lists have eight pixels a cluster, whatever the number of rows: that is all that is sent. */
status typical_find(const comm *c, const features *x, const uint16_t *label, const float *distance,
    int k, typical_pixel **out) {
    typical_pixel *list = memory_alloc((size_t)k * TYPICAL, sizeof *list, "typical pixels");
    uint32_t *first = memory_alloc((size_t)k, sizeof *first, "typical pixels");
    status st = comm_agree(c, list && first ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK) {
        typical_clear(list, k);
        size_t at = 0, n;
        for (int64_t i = 0; i < x->images; i++, at += n) {
            n = features_image_rows(x, i);
            typical_add(list, (uint32_t)(x->first + i), label + at, distance + at, n, first);
        }
        merge_ranks(c, list, k);
        *out = list;
        list = NULL;
    }
    memory_free(list);
    memory_free(first);
    return st;
}
