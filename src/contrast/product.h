/* The matrix products of the loss: small register-tiled kernels whose every element is summed in
 * one order, whatever surrounds it, by fused multiply-adds in order of k, in partial sums of 32
 * steps, so that rounding errors stay small. Not collective. */
#ifndef AUXSEG_CONTRAST_PRODUCT_H
#define AUXSEG_CONTRAST_PRODUCT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TILE_ROWS = 48,                  /* rows of a tile */
    TILE_COLUMNS = 256,              /* columns of a tile, and steps of a piece of its rows */
    TILE_STRIDE = 16 + TILE_COLUMNS, /* of a's rows: not a power of two, for the cache */
    PANEL = 32,                      /* columns that are computed together */
};

/* A step of a sum: one float, or two neighbours in bf16. */
typedef union product_word {
    float f;
    uint16_t pair[2];
} product_word;

/* Whether bf16 values go in pairs here: where the processor multiplies pairs faster than floats.
 * Elsewhere they are widened to floats. Intel's processors have the instruction at half the rate
 * of the fused multiply-add, or at the same in flops. */
bool product_prefers_pairs(void);
/* Whether the processor has the instruction. */
bool product_has_pairs(void);

/* c [TILE_ROWS, PANEL], row stride ldc, becomes a times b [steps, PANEL]. a lies in pieces of
 * TILE_COLUMNS steps: [product_pieces(steps), TILE_ROWS, TILE_STRIDE]. */
void product_panel(
    const product_word *a, int steps, const product_word *b, float *c, size_t ldc, bool pairs);
static inline int product_pieces(int steps) {
    return (steps + TILE_COLUMNS - 1) / TILE_COLUMNS;
}
/* c [TILE_ROWS, width] becomes a [TILE_ROWS, k], row stride TILE_STRIDE, times b [k, width] of
 * whole panels. */
void product_rows(const float *a, int k, const float *b, size_t width, float *c);

#endif
