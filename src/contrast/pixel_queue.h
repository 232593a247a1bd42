/* Embeddings of pixels of earlier steps, a ring for each label: a step's anchors are compared with
 * them, too, with their own label's as positives, with the others' as negatives (loss.h). They are
 * constants, stay as the network of their step has made them, and are no anchors. Rings begin
 * empty.
 *
 * The memory is the caller's, so that the ranks of a node may have it once (mpi/pool_queue.h). Not
 * collective. What is in the rings depends on the pools that were put in, and on their order. */
#ifndef AUXSEG_CONTRAST_PIXEL_QUEUE_H
#define AUXSEG_CONTRAST_PIXEL_QUEUE_H

#include "src/contrast/loss.h"

typedef struct pixel_queue {
    int labels, each, d; /* L rings of E places */
    float *z;            /* [L, E, D], of length 1 */
    int32_t *image;      /* [L, E], that each is of; -1: the place is empty */
    int32_t *next;       /* [L], the place that is filled next */
    int64_t *count;      /* [L, 2], for use within */
} pixel_queue;

/* Places of all rings. */
size_t pixel_queue_rows(const pixel_queue *q);
/* Where the arrays lie from `memory` on, by labels, each and d; NULL: nowhere. Returns how many
 * bytes they take. */
size_t pixel_queue_place(pixel_queue *q, void *memory);
/* Empties all rings. */
void pixel_queue_clear(const pixel_queue *q);
/* The pool's rows in place of the oldest of their label; of more than E of a label, E that are
 * spread evenly over their order. Only rings of part `part` of `parts`: whoever share the memory
 * may each do one. Labels are below L; those below 0 are left out. */
void pixel_queue_put(const pixel_queue *q, const contrast_pool *p, int part, int parts);
/* Places as rows of a pool, from row 0 of z [rows, D], label, image and partner [rows]: empty ones
 * have label -1, none has a partner. Part `part` of `parts` of them. */
typedef struct queue_rows {
    float *z;
    int32_t *label, *image, *partner;
} queue_rows;
void pixel_queue_list(const pixel_queue *q, const queue_rows *to, int part, int parts);

#endif
