/* The layout of products for rows that are not sorted and come one at a time: keys of a queue, the
 * pixels of one view. The pool's own (src/contrast/tiles.h) is made as a whole, by its order. */
#include "src/contrast/panels.h"

#include "src/base/memory.h"

#include <string.h>

size_t panels_blocks(size_t n) {
    return (n + TILE_COLUMNS - 1) / TILE_COLUMNS;
}

/* Whole blocks: no product has to ask how many columns are left. */
status panels_create(panels *out, size_t n, int d) {
    size_t words = panels_blocks(n) * TILE_COLUMNS * (size_t)d;
    panels p = {.n = n, .d = d, .word = memory_alloc(words, sizeof *p.word, "rows of products")};
    if (!p.word) return STATUS_FAILED;
    memset(p.word, 0, words * sizeof *p.word);
    *out = p;
    return STATUS_OK;
}

void panels_destroy(panels *p) {
    memory_free(p->word);
    *p = (panels){0};
}

void panels_put(const panels *p, size_t i, const float *row) {
    product_word *to = p->word + i / PANEL * PANEL * (size_t)p->d + i % PANEL;
    for (int k = 0; k < p->d; k++, to += PANEL) to->f = row[k];
}

size_t panels_left_words(int d) {
    return (size_t)product_pieces(d) * TILE_ROWS * TILE_STRIDE;
}

size_t panels_dot_floats(size_t n) {
    return panels_blocks(n) * TILE_ROWS * TILE_STRIDE;
}

void panels_left(const float *row, int count, int d, product_word *left) {
    memset(left, 0, panels_left_words(d) * sizeof *left);
    for (int i = 0; i < count; i++, row += d)
        for (int k = 0; k < d; k++) {
            size_t at = ((size_t)(k / TILE_COLUMNS) * TILE_ROWS + (size_t)i) * TILE_STRIDE;
            left[at + (size_t)(k % TILE_COLUMNS)].f = row[k];
        }
}

void panels_dots(const panels *p, const product_word *left, float *dot) {
    size_t columns = panels_blocks(p->n) * TILE_COLUMNS, block = (size_t)TILE_ROWS * TILE_STRIDE;
    for (size_t column = 0; column < columns; column += PANEL)
        product_panel(left, p->d, p->word + column * (size_t)p->d,
            dot + column / TILE_COLUMNS * block + column % TILE_COLUMNS, TILE_STRIDE, false);
}
