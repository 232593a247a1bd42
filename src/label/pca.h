/* Principal components of feature rows: local arithmetic, mpi/pca.h is the collective. Not
 * collective.
 *
 * Everything is summed in units, runs of at most PCA_UNIT rows of one image: within a unit in
 * float64 in the order of rows, over units as int64 fixed-point numbers, which add in any order to
 * the same. The result does not depend on ranks, threads or the instruction set of the sums. */
#ifndef AUXSEG_LABEL_PCA_H
#define AUXSEG_LABEL_PCA_H

#include "src/label/features.h"

enum { PCA_UNIT = 1024 };

typedef struct pca {
    int d, components;
    float *mean;            /* [D] */
    float *axis;            /* [components, D], orthonormal, largest variance first; the largest
                               |element| of each, the first of equal ones, is positive */
    double *variance;       /* [components], of the rows along the axes */
    double variance_of_all; /* along all D */
} pca;
void pca_destroy(pca *p);

/* Runs of rows: unit u is rows begin[u] .. begin[u + 1] - 1. */
typedef struct pca_units {
    size_t count, *begin;
} pca_units;
/* Of the images of x. */
status pca_units_create(pca_units *u, const features *x);
void pca_units_destroy(pca_units *u);

/* largest [D]: the largest |element| of each column becomes at least that of x. */
status pca_largest(const features *x, double *largest);
/* Fixed-point numbers: of a sum of column j 2^exponent[j] units are 1, of a sum of the product of
 * columns i and j, centred, 2^(exponent[i] + exponent[j] + pca_shift(rows)). No sum over `rows`
 * rows can overflow. */
void pca_exponents(const double *largest, int64_t rows, int d, int *exponent);
int pca_shift(int64_t rows);

/* sum [D] += the rows of x. */
status pca_sum(
    const features *x, const pca_units *u, const int *exponent, int threads, int64_t *sum);
/* product [D, D], elements with column >= row, += the products of the columns of x - mean, the
 * difference rounded to float32. */
status pca_products(const features *x, const pca_units *u, const float *mean, const int *exponent,
    int shift, int threads, int64_t *product);
/* p's axes and variances from the products of all rows. 1 <= p->components <= p->d; axis and
 * variance are allocated. LAPACK's dsyevr on one thread: its result depends on the library. */
status pca_axes(pca *p, const int64_t *product, const int *exponent, int64_t rows);
/* y [n, components]: (x - mean) times the axes, summed in float64 in the order of columns. */
status pca_project(const pca *p, const features *x, int threads, float *y);

#endif
