/* The trainable parameters cut into fixed blocks, none of them over two items: what a thread takes
 * at once, and the order of sums over many elements. They depend on the parameters' shapes alone,
 * so a sum over blocks is the same bits for any number of threads and ranks. Not collective. */
#ifndef AUXSEG_NN_GRAPH_PARAMETER_BLOCKS_H
#define AUXSEG_NN_GRAPH_PARAMETER_BLOCKS_H

#include "src/nn/graph/parameter.h"

enum { PARAMETER_BLOCK = 1 << 14 }; /* most elements of a block: as floats within a second cache */

typedef struct parameter_block {
    int item;
    size_t offset, count; /* elements, in the flat block of trainable parameters */
} parameter_block;

typedef struct parameter_blocks {
    parameter_block *at; /* [count], in the parameters' order, owned */
    int count;
} parameter_blocks;

status parameter_blocks_create(parameter_blocks *b, const parameters *p);
/* Safe after a failed create, and twice. */
void parameter_blocks_destroy(parameter_blocks *b);

/* Sums of each item's blocks, in their order: part [blocks], total [trainable]. */
void parameter_blocks_sum(const parameter_blocks *b, const double *part, double *total);

/* Sum of x [n]'s squares in float64, in one fixed order. */
double sum_of_squares(const float *x, size_t n);

#endif
