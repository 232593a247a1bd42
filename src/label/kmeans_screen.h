/* The dense fp32 screen of k-means: which centroids can be nearest to a row. For kmeans_assign
 * alone. Not collective.
 *
 * For row x and centroid c, F_c = |c|^2/2 - x.c is half of |x-c|^2 - |x|^2. The screen computes
 * p_c near F_c in fp32 and a radius e_c = |x| slope_c + offset_c. With P = min (p_c + e_c) it keeps
 * every c with p_c - e_c <= P + w. The proof that an excluded c has a larger *computed* defining
 * distance than the centroid b that attains P:
 *
 * u = 2^-24, A = |x||c|, B = |c|^2, n = D + number of slices. Rows are float or bf16, both exact in
 * fp32.
 *  1. Dot product t of x.c: a product passes through at most n roundings, fused or not, in any
 *     order; sum |x_j c_j| <= A. Error <= g A + h, with g = n u / (1 - n u) and h = n 2^-149 for
 *     underflow.
 *  2. |c|^2/2 in float64, rounded to fp32: error <= (u + 2^-36) B/2 + 2^-150.
 *  3. p = fl(|c|^2/2 - t): error <= 1.01 u (B/2 + A + h).
 *  4. p + e, p - e and P + w: each adds at most 1.02 u (B/2 + A + h) + u e, for b and for c.
 *  5. The defining distance in float64 is a sum of D non-negative terms, each passing through at
 *     most D/8 + 8 roundings: relative error <= s = (D/8 + 10) 2^-53, so half of it is off by at
 *     most s (|x|^2 + B), as |x-c|^2 <= 2 (|x|^2 + |c|^2).
 * Together at most A (g + 3.1 u) + B (2.2 u + s) + s |x|^2 + 1.01 h + 2^-149 + 3 u e a centroid.
 * With n u <= 2^-7 (D <= 65536), g <= 1.009 n u, and s < 2^-39: slope = |c| (n + 8) u (1 + 2^-6),
 * offset = 4 u B (1 + 2^-6) + (n + 8) 2^-148 cover all but s |x|^2, the factor 1 + 2^-6 covering
 * 3 u e and the fp32 evaluation of e; w = 2.1 s |x|^2 covers that for b and c. |x|, slope, offset
 * and w are rounded upward. Elements up to 2^50 keep everything finite. b is always kept, hence so
 * is every centroid that attains the least computed distance. */
#ifndef AUXSEG_LABEL_KMEANS_SCREEN_H
#define AUXSEG_LABEL_KMEANS_SCREEN_H

#include "src/label/kmeans.h"

enum {
    SCREEN_ROWS = 48,                  /* rows of a tile */
    SCREEN_PANEL = 32,                 /* centroids that are multiplied together */
    SCREEN_DEPTH = 128,                /* elements of a row in one slice of the product */
    SCREEN_STRIDE = SCREEN_DEPTH + 16, /* between rows: not a power of two, for the cache */
};

/* Centroids, packed once an iteration; columns: K in whole panels, the rest is never kept. */
typedef struct screen {
    int k, d, columns, slices;
    float *packed;                /* [columns / PANEL, D, PANEL] */
    float *half, *slope, *offset; /* [columns] */
} screen;

status screen_create(screen *s, const float *c, int k, int d);
void screen_destroy(screen *s);

/* One thread's tile of rows. */
typedef struct screen_tile {
    float *rows;                                 /* [slices, ROWS, STRIDE] */
    float *score;                                /* [ROWS, columns] */
    int *kept;                                   /* [columns] */
    float norm[SCREEN_ROWS], slack[SCREEN_ROWS]; /* |x|, w */
} screen_tile;

status screen_tile_create(screen_tile *t, const screen *s);
void screen_tile_destroy(screen_tile *t);

/* Row r of the tile becomes x [D]. */
void screen_row(const screen *s, screen_tile *t, int r, const float *x);
/* Products of all rows of the tile with all centroids. */
void screen_product(const screen *s, screen_tile *t);
/* t->kept: ascending, the centroids that row r's label may be; returns how many (at least 1). */
int screen_keep(const screen *s, screen_tile *t, int r);

/* score [ROWS, PANEL], row stride `columns`, becomes (add: is added) rows [ROWS, depth] times
 * panel [depth, PANEL]: kmeans_product.c. */
void screen_multiply(
    const float *rows, int depth, const float *panel, float *score, size_t columns, int add);

#endif
