/* The fixed cut of the parameters, and the sums that follow it.
 *
 * In float64, over the lanes of a block, over the lanes' sums, over the blocks of an item, each in
 * order. Which thread summed which block cannot be seen in the result. */
#include "src/nn/graph/parameter_blocks.h"

#include "src/base/memory.h"
#include "src/base/vector.h"

static int blocks_of(const parameter *item) {
    return (int)((item->count + PARAMETER_BLOCK - 1) / PARAMETER_BLOCK);
}

/* No block spans two items: rates and decay are an item's, and sums are wanted for each. */
status parameter_blocks_create(parameter_blocks *b, const parameters *p) {
    int n = 0;
    for (int i = 0; i < p->trainable; i++) n += blocks_of(&p->item[i]);
    *b = (parameter_blocks){.at = memory_alloc((size_t)n, sizeof *b->at, "blocks of parameters")};
    if (!b->at) return STATUS_FAILED;
    for (int i = 0; i < p->trainable; i++) {
        const parameter *item = &p->item[i];
        for (size_t begin = 0; begin < item->count; begin += PARAMETER_BLOCK) {
            size_t left = item->count - begin;
            b->at[b->count++] = (parameter_block){
                i, item->offset + begin, left < PARAMETER_BLOCK ? left : PARAMETER_BLOCK};
        }
    }
    return STATUS_OK;
}

void parameter_blocks_destroy(parameter_blocks *b) {
    memory_free(b->at);
    *b = (parameter_blocks){0};
}

/* Blocks of an item follow each other: a new item begins its total anew. */
void parameter_blocks_sum(const parameter_blocks *b, const double *part, double *total) {
    for (int i = 0, last = -1; i < b->count; i++) {
        int item = b->at[i].item;
        total[item] = item == last ? total[item] + part[i] : part[i];
        last = item;
    }
}

/* Products of floats are exact in a double: the same bits whether or not they are fused with the
 * addition. */
VECTOR_CLONES
double sum_of_squares(const float *x, size_t n) {
    enum { LANES = 32, LINE = 16, AHEAD = 512 }; /* asks for memory so far ahead */
    double lane[LANES] = {0.0}, total = 0.0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (size_t j = i + AHEAD; j < i + AHEAD + LANES && j < n; j += LINE)
            __builtin_prefetch(x + j, 0, 2);
        for (size_t j = 0; j < LANES; j++) {
            double v = x[i + j];
            lane[j] += v * v;
        }
    }
    for (; i < n; i++) lane[i % LANES] += (double)x[i] * x[i];
    for (size_t j = 0; j < LANES; j++) total += lane[j];
    return total;
}
