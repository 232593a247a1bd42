/* A convolution's maps and weights, and its three passes as plain loops in float64. Anything that
 * fails aborts the test. */
#ifndef AUXSEG_TESTS_NN_KERNELS_CONV_FIXTURE_H
#define AUXSEG_TESTS_NN_KERNELS_CONV_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/nn/kernels/convolution.h"

enum { THREADS = 3 };

typedef struct fixture {
    conv_shape c;
    onednn *o;
    float *x, *y, *w, *bias, *old; /* values that the map's type holds exactly; old [outputs] */
    size_t inputs, outputs, weights;
} fixture;

void *fixture_allocate(size_t count, size_t size);
/* Pseudo-random numbers around `level`, which type t holds exactly. */
void fixture_fill(float *x, size_t n, uint32_t seed, float level, dtype t);
fixture fixture_create(int height, int width, int in, int out, int kernel, int dilation, dtype t);
void fixture_destroy(fixture *f);
/* A copy in type t, the caller's. */
void *fixture_stored(const float *x, size_t n, dtype t);

/* Calls with every (output pixel, input pixel, tap) that meet. */
typedef void (*meeting)(const fixture *f, size_t out, size_t in, size_t tap, double *result);
void fixture_for_all(const fixture *f, meeting meet, double *result);
/* What each adds to the outputs, the inputs' gradient, the weights' in PyTorch's layout. */
void fixture_meet_forward(const fixture *f, size_t out, size_t in, size_t tap, double *result);
void fixture_meet_data(const fixture *f, size_t out, size_t in, size_t tap, double *result);
void fixture_meet_weights(const fixture *f, size_t out, size_t in, size_t tap, double *result);
double fixture_error(const void *x, const double *wanted, size_t n, dtype t);
void fixture_check(const char *what, const fixture *f, double error, double most);

#endif
