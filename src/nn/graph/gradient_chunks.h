/* The flat block of trainable parameters cut into chunks of whole parameter blocks, and the memory
 * of their sums: a chunk takes its piece when the first gradient is added to it and gives it back
 * when its sums have been turned into floats, so that a few pieces serve a whole step.
 * Address space for all chunks is reserved at creation: a step cannot run short of it. Memory
 * stands behind a piece from its first use on, and pieces used last are taken first: as much memory
 * is held as chunks had sums at once. Not collective. */
#ifndef AUXSEG_NN_GRAPH_GRADIENT_CHUNKS_H
#define AUXSEG_NN_GRAPH_GRADIENT_CHUNKS_H

#include "src/nn/graph/parameter_blocks.h"

typedef struct gradient_chunk {
    size_t offset, count; /* elements, in the flat block of trainable parameters */
    int first, blocks;    /* parameter blocks first .. first + blocks - 1 */
    int64_t *sum;         /* [count], or NULL: it has no memory */
    bool done;       /* in this step its sums, or a part of them, have been turned into floats: */
    size_t from, to; /* elements [from, to) of it; of the others the floats come from elsewhere */
    bool complete;   /* all floats are there, and their squares */
} gradient_chunk;

/* The block is cut from its end, as last layers are ready first: chunk 0 holds the last elements.
 */
typedef struct gradient_chunks {
    gradient_chunk *at; /* [count], owned */
    int count;
    int64_t *memory; /* [count, piece], reserved */
    size_t piece;    /* elements: of the largest chunk */
    int *idle;       /* [count], a stack of pieces without a chunk */
    int held;        /* chunks with memory */
    int most;        /* pieces that have been in use at once: the memory held */
} gradient_chunks;

/* Chunks of at most `bytes` bytes of sums, but of one block at least. Zeroed on failure. */
status gradient_chunks_create(gradient_chunks *c, const parameter_blocks *blocks, size_t bytes);
/* Safe after a failed create, and twice. */
void gradient_chunks_destroy(gradient_chunks *c);

/* Gives chunk k, which has no memory, a piece and zeroes it, on all threads. */
void gradient_chunks_take(gradient_chunks *c, int k);
/* Takes it back, if it has one. */
void gradient_chunks_give(gradient_chunks *c, int k);

#endif
