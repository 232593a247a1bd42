/* Sums of outer products: the one matrix product of PCA and DBSCAN. Not collective.
 *
 * c [OUTER_ROWS, columns], row stride ldc, gets the sum over s < steps of a[s] b[s]^T added, with
 * a [steps, OUTER_ROWS], row stride lda, and b [steps, columns], row stride ldb. Every element is
 * summed in the order of s. outer_f64: where a and b hold float32 values, products are exact, so
 * that the result is the same with and without fused multiply-adds, on every instruction set. */
#ifndef AUXSEG_LABEL_OUTER_H
#define AUXSEG_LABEL_OUTER_H

#include <stddef.h>

enum { OUTER_ROWS = 8, OUTER_F64 = 16, OUTER_F32 = 32 }; /* columns of the two */

void outer_f64(
    size_t steps, const double *a, size_t lda, const double *b, size_t ldb, double *c, size_t ldc);
void outer_f32(
    size_t steps, const float *a, size_t lda, const float *b, size_t ldb, float *c, size_t ldc);

#endif
