/* The loss's exponentials over the columns of a tile, vectorised. Not collective.
 * Every n is a whole number of TERM_LANES: all elements take the same instructions, so that a
 * column's result does not depend on its place; sums are lane by lane, then in lane order. */
#ifndef AUXSEG_CONTRAST_TERMS_H
#define AUXSEG_CONTRAST_TERMS_H

#include <stddef.h>

enum { TERM_LANES = 16 };

float terms_largest(const float *dot, int n);
/* Sum of e^{(dot - peak) scale}, peak the largest or beyond; dot is used up. An element of -inf
 * adds e^-87, nothing beside the peak's 1. */
double terms_negative(float *dot, int n, float peak, float scale);

typedef struct positive_sums {
    double softplus; /* of log(1 + N / e^s) */
    double share;    /* of N / (e^s + N) */
} positive_sums;

/* log N = level scale + remainder, s = dot scale; an element of +inf adds nothing. work [2, n]. */
positive_sums terms_positive(
    const float *dot, int n, float level, float remainder, float scale, float *work);

/* An anchor's exponential e^{(dot - at) scale} and its factor. */
typedef struct term {
    float factor, at;
} term;

/* dot = own.factor e^{(dot - own.at) scale} + factor e^{(dot - at) scale}; ..._common: for one at
 * for all, with one exponential. */
void terms_weights(float *dot, int n, term own, const float *factor, const float *at, float scale);
void terms_weights_common(float *dot, int n, term own, const float *factor, float scale);
/* dot = -own_share / (1 + own.factor e^{(dot - own.at) scale}) - the same of the column. */
void terms_positive_weights(float *dot, int n, term own, float own_share, const float *factor,
    const float *at, const float *share, float scale);

/* sum += x, for any n. */
void terms_accumulate(double *sum, const float *x, size_t n);

#endif
