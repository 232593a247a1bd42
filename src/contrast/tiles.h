/* The pool in the order in which the loss walks it, and tiles of products with it. Not collective.
 *
 * Rows that take part are sorted by image (under scope "image"), then group of labels, label, pool
 * order. A row's candidates are then one range of positions, its `segment`, those of its group one
 * range inside it, `near`, and those of its own label one inside that, its `run`: positives are the
 * run without the row itself, and its partner; negatives are the segment without the near ones and
 * the partner. Without groups near is the run; under "augmentation" a run is the row alone. */
#ifndef AUXSEG_CONTRAST_TILES_H
#define AUXSEG_CONTRAST_TILES_H

#include "src/contrast/loss.h"
#include "src/contrast/product.h"

typedef struct span {
    int32_t segment_begin, segment_end, near_begin, near_end, run_begin, run_end;
    int32_t partner; /* position of a positive outside the run, or -1 */
} span;

typedef struct tiles {
    int32_t n;        /* rows that take part */
    int d, pitch;     /* D; D rounded up to whole panels */
    bool pairs;       /* products in pairs of bf16: S = D / 2 rounded up, else S = D */
    int steps;        /* S */
    int32_t *origin;  /* [n]: position -> pool row, ascending inside a run */
    span *where;      /* [n] */
    int32_t *special; /* [n + 1]: row i's pairs that a partner makes special, from either side, */
    int32_t *other;   /* are other[special[i]] .. other[special[i + 1] - 1]; may repeat */
    float *rows;      /* [n to whole tiles, pitch], zeros beyond */
    product_word *panels; /* [n to whole tiles / PANEL, S, PANEL]: the same, transposed by panel */
    bool borrowed;        /* rows and panels are another's */
} tiles;

/* Owned by the caller. pairs: under DTYPE_BF16 alone.
 * STATUS_NONFINITE, with a message, if a row is not finite. */
status tiles_create(tiles *out, const contrast_options *o, const contrast_pool *p, bool pairs);
/* NULL-safe on the arrays. */
void tiles_destroy(tiles *t);

/* The same in steps, for ranks that share the large arrays: each indexes, lets t->rows and
 * t->panels point to the memory of all, and packs a part; all parts must be packed before any tile
 * is used. Floats and words of the two arrays for n rows, or fewer that take part. */
typedef struct tiles_space {
    size_t rows, panels;
} tiles_space;
tiles_space tiles_space_of(size_t n, int d, bool pairs);
/* STATUS_NONFINITE, with a message, if a row of the pool is not; `first` is added to its number. */
status tiles_check(const contrast_pool *p, size_t first);
/* Everything but rows and panels; p->z is not read. */
status tiles_index(tiles *out, const contrast_options *o, const contrast_pool *p, bool pairs);
/* Part `part` of `parts`. */
void tiles_pack(
    const tiles *t, const contrast_options *o, const contrast_pool *p, int part, int parts);

/* contrast_rows and contrast_gradient (loss.h) with tiles that were made before. */
status contrast_rows_of(
    const contrast_options *o, const tiles *t, size_t first, size_t count, contrast_row *row);
status contrast_gradient_of(const contrast_options *o, const tiles *t, const contrast_pool *p,
    const contrast_row *row, size_t first, size_t count, float *gradient);

/* Positions of the pool rows first .. first + count - 1 that take part, ascending: chosen [count]
 * is written, their number returned. */
int32_t tiles_select(const tiles *t, size_t first, size_t count, int32_t *chosen);

/* Up to TILE_ROWS anchors. */
typedef struct anchors {
    int count;
    int32_t position[TILE_ROWS];
    int32_t segment_begin, segment_end, run_begin, run_end; /* around those of all anchors */
    product_word *a; /* [S / TILE_COLUMNS rounded up, TILE_ROWS, TILE_STRIDE], zeros beyond count */
} anchors;

size_t anchors_floats(const tiles *t); /* words of `a`, which the caller gives */
void anchors_gather(anchors *out, const tiles *t, const int32_t *position, int count);

/* A tile's columns: whole panels within one block of TILE_COLUMNS. */
typedef struct columns {
    int32_t begin, end;
} columns;

/* The tile at or after position `from` on the way to `end`. */
columns columns_at(int32_t from, int32_t end);
/* dot [TILE_ROWS, TILE_STRIDE]: products of the anchors with the columns, from dot's column 0. */
void tiles_dots(const tiles *t, const anchors *a, columns c, float *dot);
/* Product of two rows in float64, for single pairs. */
double tiles_dot(const tiles *t, int32_t i, int32_t j);

#endif
