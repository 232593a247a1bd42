/* The one matrix product of the loss: a small register-tiled kernel whose every element is summed
 * in one order, whatever surrounds it. Not collective. */
#ifndef AUXSEG_CONTRAST_PRODUCT_H
#define AUXSEG_CONTRAST_PRODUCT_H

#include <stdbool.h>
#include <stddef.h>

enum {
    TILE_ROWS = 48,                  /* rows of a tile */
    TILE_COLUMNS = 256,              /* columns of a tile, and the longest sum of one call */
    TILE_STRIDE = 16 + TILE_COLUMNS, /* of a's rows: not a power of two, for the cache */
    PANEL = 32,                      /* columns that are computed together */
};

/* c [TILE_ROWS, PANEL], row stride ldc, becomes (add: is added) a [TILE_ROWS, k], row stride
 * TILE_STRIDE, times b [k, PANEL], row stride ldb; k <= TILE_COLUMNS. Fused multiply-adds in order
 * of k, in partial sums of 32 terms, so that rounding errors stay small. */
void product_panel(
    const float *a, int k, const float *b, size_t ldb, float *c, size_t ldc, bool add);

#endif
