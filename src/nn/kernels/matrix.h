/* Products of fp32 matrices. For matrix_product and matrix_add one of them is packed beforehand and
 * streams through the caches once: while a panel of it is multiplied, the next one is fetched. By
 * one thread; an element's sum runs over k in its order, whatever the shape. Not collective. */
#ifndef AUXSEG_NN_KERNELS_MATRIX_H
#define AUXSEG_NN_KERNELS_MATRIX_H

#include <stdbool.h>
#include <stddef.h>

enum { MATRIX_PANEL = 32 };

/* c [rows, columns] = a [rows, inner] b [inner, columns].
 * transposed: a stands as [inner, rows]; rows are a multiple of 16 then. add: c plus that.
 * b is packed: [ceil(columns / PANEL), inner, PANEL]; columns beyond those of b may hold anything,
 * and give anything. Rows of a stand matrix_stride elements from each other, rows of c
 * matrix_columns(columns): those are written whole. */
typedef struct matrix_shape {
    size_t rows, inner, columns;
    bool transposed, add;
} matrix_shape;

/* The next number of rows for which no row is calculated in vain: not below `rows`. */
size_t matrix_rows(size_t rows);
static inline size_t matrix_columns(size_t columns) {
    return (columns + MATRIX_PANEL - 1) / MATRIX_PANEL * MATRIX_PANEL;
}
/* Elements between rows of a, of `row` elements each: many rows of a power of two would fall into
 * the same lines of the cache. */
static inline size_t matrix_stride(size_t row) {
    return row + 16;
}

/* Any number of rows, that stand a_stride and c_stride elements from each other, and one panel of b
 * [inner, PANEL]. fetch: the panel that follows, or NULL where it has been fetched. */
typedef struct matrix_rows_of {
    size_t rows, inner, a_stride, c_stride;
    const float *fetch;
} matrix_rows_of;

/* c [rows, PANEL] += a [rows, inner] b. */
void matrix_add(const matrix_rows_of *m, const float *a, const float *b, float *c);

/* c [rows, columns] = a^T b, of plain rows: a [inner, rows], b [inner, columns]; add: plus c. An
 * element's sum runs over k block by block, each added to c; transposed is not looked at. scratch:
 * matrix_outer_scratch bytes. */
size_t matrix_outer_scratch(const matrix_shape *s);
void matrix_outer(const matrix_shape *s, const float *a, const float *b, float *c, float *scratch);

/* rows as matrix_rows gives them, or transposed. */
void matrix_product(const matrix_shape *s, const float *a, const float *b, float *c);

#endif
