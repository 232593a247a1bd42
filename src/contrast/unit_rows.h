/* Embeddings of chosen pixels as rows of the pool, of length 1, and the gradient back through that.
 * Not collective. */
#ifndef AUXSEG_CONTRAST_UNIT_ROWS_H
#define AUXSEG_CONTRAST_UNIT_ROWS_H

/* Pixels of one map and their rows, all borrowed. */
typedef struct unit_rows {
    int count, d;
    const int *pixel; /* [count], of the map; one may be there several times */
    float *z;         /* [count, D]: z = s e, of length 1 (src/base/unit_length.h) */
    double *scale;    /* [count]: s = 1 / |e|; 0 where e is zero */
} unit_rows;

/* r->z and r->scale of a map e [pixels, D]. */
void unit_rows_take(const unit_rows *r, const float *e);
/* gradient_e [pixels, D] += d(loss)/de of the rows, given d(loss)/dz in gradient_z [count, D]:
 * (g - z (z.g)) s, in float64. Where e is zero, z has no derivative: the row adds nothing. */
void unit_rows_scatter(const unit_rows *r, const float *gradient_z, float *gradient_e);

#endif
