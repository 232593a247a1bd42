/* Rows as the products of src/contrast/product.h read them: those on the right transposed by
 * panels, those on the left as a tile. Not collective. */
#ifndef AUXSEG_CONTRAST_PANELS_H
#define AUXSEG_CONTRAST_PANELS_H

#include "src/base/status.h"
#include "src/contrast/product.h"

/* Rows [n, D] on the right, zeros beyond them to whole blocks of TILE_COLUMNS. */
typedef struct panels {
    size_t n;
    int d;
    product_word *word; /* [blocks TILE_COLUMNS / PANEL, D, PANEL] */
} panels;

/* Blocks of TILE_COLUMNS that n rows fill. */
size_t panels_blocks(size_t n);
/* All rows are zeros. */
status panels_create(panels *out, size_t n, int d);
/* NULL-safe member. */
void panels_destroy(panels *p);
/* Row i becomes row [D]. */
void panels_put(const panels *p, size_t i, const float *row);

/* Words that panels_left and panels_dots write for D dimensions and n rows on the right. */
size_t panels_left_words(int d);
size_t panels_dot_floats(size_t n);
/* count <= TILE_ROWS rows [count, D] as the left side of a product; zeros beyond. */
void panels_left(const float *row, int count, int d, product_word *left);
/* dot [blocks, TILE_ROWS, TILE_STRIDE]: of row i on the left and row j on the right in block
 * j / TILE_COLUMNS, row i, column j % TILE_COLUMNS. float32, each summed in the order of D, by
 * itself: it does not depend on what stands beside it. */
void panels_dots(const panels *p, const product_word *left, float *dot);

#endif
