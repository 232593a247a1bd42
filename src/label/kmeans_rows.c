/* Rows as the screens take them, rounded once, when an assigner is created. Letters, as in
 * kmeans_screen.h: x: the row as stored; m: the shift; y = x - m; a: y as the arithmetic holds it;
 * e = y - a.
 *
 * A row keeps |a| and |e|, rounded upward, and |y|^2/2, which turns what the screen computes into
 * a distance. The shift, the mean of some rows, makes y shorter and errors with it; any vector
 * would be right. */
#include "src/base/bf16.h"
#include "src/base/memory.h"
#include "src/base/vector.h"
#include "src/label/kmeans_screen.h"

#include <math.h>
#include <string.h>

enum { LANES = 16, SAMPLE = 4096 };

/* sum (x_j - m_j)^2; the relative error is below (D + 4) 2^-53 (a difference of floats is off by
 * at most 2^-53 of itself). */
VECTOR_CLONES
static double square(const float *x, const float *m, int d) {
    double s[LANES] = {0}, sum = 0;
    int whole = d / LANES * LANES;
    for (int j = 0; j < whole; j += LANES)
        for (int l = 0; l < LANES; l++) {
            double y = (double)x[j + l] - (double)m[j + l];
            s[l] += y * y;
        }
    for (int j = whole; j < d; j++) {
        double y = (double)x[j] - (double)m[j];
        s[j - whole] += y * y;
    }
    for (int l = 0; l < LANES; l++) sum += s[l];
    return sum;
}

/* The norm, and half of the square, of row i: f32 screens read the row in its place, and need no
 * more. */
static void measure(screen_rows *r, size_t i, double sum) {
    r->norm[i] = float_up(sqrt(sum) * (1 + 0x1p-35));
    r->half[i] = (float)(sum / 2);
}

/* Sums of the squares of the rest, by float32: relative error below (D/16 + 8) u < 2^-11; the rest
 * as a vector is off by at most 3 u |y|, as y_j, the held value and their difference are each
 * rounded once, and by (log2 D + 3) u |y| from the rotation: together below 2^-19 |y|. What
 * underflows: less than 2^-149 a square, D <= 2^16 of them. */
static float rest_up(float squares, float norm) {
    return float_up(sqrt((double)squares) * (1 + 0x1p-11) + (double)norm * 0x1p-19 + 0x1p-66);
}

/* y to the nearest bf16, ties to even; returns the sum of e^2, in float32: rest_up says what that
 * is worth. Two loops, as the first one is integers and the second floats. */
VECTOR_CLONES
static float to_bf16(const float *x, const float *m, int d, uint16_t *to) {
    float s[LANES] = {0}, sum = 0;
    for (int j = 0; j < d; j++) {
        float y = x[j] - m[j];
        uint32_t u;
        memcpy(&u, &y, sizeof u);
        u = u + 0x7FFFu + ((u >> 16) & 1u);
        /* The instruction takes subnormal numbers for zero. */
        to[j] = (u & 0x7F800000u) == 0 ? 0 : (uint16_t)(u >> 16);
    }
    int whole = d / LANES * LANES;
    for (int j = 0; j < whole; j += LANES)
        for (int l = 0; l < LANES; l++) {
            float e = (x[j + l] - m[j + l]) - bf16_to_float(to[j + l]);
            s[l] += e * e;
        }
    for (int j = whole; j < d; j++) {
        float e = (x[j] - m[j]) - bf16_to_float(to[j]);
        s[j - whole] += e * e;
    }
    for (int l = 0; l < LANES; l++) sum += s[l];
    return sum;
}

VECTOR_CLONES
static void shifted(const float *x, const float *m, int d, float *y) {
    for (int j = 0; j < d; j++) y[j] = x[j] - m[j];
}

/* Largest |element|, by their bits, which order alike. */
VECTOR_CLONES
static float largest(const float *y, int d) {
    uint32_t most = 0;
    for (int j = 0; j < d; j++) {
        uint32_t u;
        memcpy(&u, &y[j], sizeof u);
        u &= 0x7FFFFFFFu;
        most = u > most ? u : most;
    }
    float value;
    memcpy(&value, &most, sizeof value);
    return value;
}

typedef struct int8_sums {
    int32_t sum, square;
    float rest;
} int8_sums;

/* y in units of `scale`. Adding 1.5 2^23 and taking it off rounds to the nearest integer. Returned
 * are the sum of the integers, for the panels' offset; of their squares, which is |a|^2 / scale^2
 * exactly; of e^2, in float32. */
VECTOR_CLONES
static int8_sums to_int8(const float *y, int d, float scale, float inverse, int8_t *to) {
    const float round = 0x1.8p23f;
    int32_t sum = 0, squares = 0;
    float s[LANES] = {0}, rest = 0;
    for (int j = 0; j < d; j++) {
        int32_t q = (int32_t)((y[j] * inverse + round) - round);
        sum += q;
        squares += q * q;
        to[j] = (int8_t)q;
    }
    int whole = d / LANES * LANES;
    for (int j = 0; j < whole; j += LANES)
        for (int l = 0; l < LANES; l++) {
            float e = y[j + l] - (float)to[j + l] * scale;
            s[l] += e * e;
        }
    for (int j = whole; j < d; j++) {
        float e = y[j] - (float)to[j] * scale;
        s[j - whole] += e * e;
    }
    for (int l = 0; l < LANES; l++) rest += s[l];
    return (int8_sums){sum, squares, rest};
}

/* The norm becomes that of a, which rounding may have made longer than y. */
static void store_bf16(screen_rows *r, size_t i, const float *x) {
    measure(r, i, square(x, r->shift, r->x->d));
    float squares = to_bf16(x, r->shift, r->x->d, (uint16_t *)(r->data + i * r->steps));
    r->rest[i] = rest_up(squares, r->norm[i]);
    r->norm[i] = float_up((double)r->norm[i] * (1 + 0x1p-7)); /* of the rounded row */
}

/* y [D]: scratch. */
static void store_int8(screen_rows *r, size_t i, const float *x, float *y) {
    int d = r->x->d;
    measure(r, i, square(x, r->shift, r->x->d));
    shifted(x, r->shift, d, y);
    screen_rotate(y, d);
    float most = largest(y, d);
    /* Below this nothing is held and all is rest. 127 units never become 128. */
    bool none = most < 0x1p-100f;
    float scale = none ? 1 : most / 126.9f, inverse = none ? 0 : 1 / scale;
    int8_sums s = to_int8(y, d, scale, inverse, (int8_t *)(r->data + i * r->steps));
    r->scale[i] = scale;
    r->offset[i] = 128 * s.sum;
    r->rest[i] = none ? r->norm[i] : rest_up(s.rest, r->norm[i]);
    r->norm[i] = float_up((double)scale * sqrt((double)s.square) * (1 + 0x1p-35));
}

/* Any vector will do: the mean of some rows makes the shifted ones short. */
static void choose_shift(screen_rows *r, float *scratch) {
    const features *x = r->x;
    size_t d = (size_t)x->d, step = x->n / SAMPLE + 1, rows = 0;
    for (size_t i = 0; i < x->n; i += step, rows++) {
        const float *row = features_row(x, i, scratch);
        for (size_t j = 0; j < d; j++) r->shift[j] += row[j] / (float)SAMPLE;
        features_passed(x, i, step);
    }
    for (size_t j = 0; rows > 0 && j < d; j++) r->shift[j] *= (float)SAMPLE / (float)rows;
}

/* Words of a row and its scale, offset, norms: what allocate takes. */
size_t screen_rows_bytes(product_type type, int d) {
    size_t elements = (size_t)product_elements(type), steps = ((size_t)d + elements - 1) / elements;
    bool in_place = type == PRODUCT_F32;
    return (in_place ? 0 : 4 * steps) + (type == PRODUCT_INT8 ? 20 : in_place ? 8 : 12);
}

/* f32 rows stay where they are: nothing is rounded, and e is zero. */
static status allocate(screen_rows *r) {
    size_t n = r->x->n;
    bool more = r->type != PRODUCT_F32, scaled = r->type == PRODUCT_INT8;
    r->shift = memory_alloc((size_t)r->x->d, sizeof *r->shift, "shift of rows");
    r->norm = memory_alloc(n, sizeof *r->norm, "norms of rows");
    r->half = memory_alloc(n, sizeof *r->half, "norms of rows");
    if (!r->shift || !r->norm || !r->half) return STATUS_FAILED;
    if (more) r->data = memory_alloc(n * r->steps, sizeof *r->data, "rows of the screen");
    if (more) r->rest = memory_alloc(n, sizeof *r->rest, "bounds of rows");
    if (scaled) r->scale = memory_alloc(n, sizeof *r->scale, "scales of rows");
    if (scaled) r->offset = memory_alloc(n, sizeof *r->offset, "offsets of rows");
    if (more && (!r->data || !r->rest)) return STATUS_FAILED;
    return scaled && (!r->scale || !r->offset) ? STATUS_FAILED : STATUS_OK;
}

/* A row is read once, from wherever it lies. */
static void store_rows(screen_rows *r, float *scratch, size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) {
        const float *row = features_row(r->x, i, scratch);
        if (r->type == PRODUCT_INT8)
            store_int8(r, i, row, scratch + r->x->d);
        else if (r->type == PRODUCT_BF16)
            store_bf16(r, i, row);
        else
            measure(r, i, square(row, r->shift, r->x->d));
        features_passed(r->x, i, 1);
    }
}

/* Threads take runs of rows, so that mapped rows are read in order and given back behind. */
status screen_rows_create(
    screen_rows *r, const features *x, product_type type, const double *square_of, int threads) {
    size_t elements = (size_t)product_elements(type), d = (size_t)x->d;
    *r = (screen_rows){.type = type, .x = x, .steps = (d + elements - 1) / elements};
    float *scratch = memory_alloc(2 * (size_t)threads * d, sizeof *scratch, "rows of threads");
    status st = scratch ? allocate(r) : STATUS_FAILED;
    if (st == STATUS_OK) {
        if (type != PRODUCT_F32) choose_shift(r, scratch);
        /* Without a shift they are all there is to know. */
        bool known = type == PRODUCT_F32 && square_of;
#pragma omp parallel for num_threads(threads) schedule(static, 1)
        for (int t = 0; t < threads; t++) {
            size_t begin = x->n * (size_t)t / (size_t)threads;
            size_t end = x->n * ((size_t)t + 1) / (size_t)threads;
            for (size_t i = begin; known && i < end; i++) measure(r, i, square_of[i]);
            if (!known) store_rows(r, scratch + 2 * (size_t)t * d, begin, end);
        }
        features_release(x, 0, x->n);
    } else {
        screen_rows_destroy(r);
    }
    memory_free(scratch);
    return st;
}

void screen_rows_destroy(screen_rows *r) {
    memory_free(r->shift);
    memory_free(r->data);
    memory_free(r->scale);
    memory_free(r->offset);
    memory_free(r->norm);
    memory_free(r->rest);
    memory_free(r->half);
    *r = (screen_rows){0};
}

/* f32 rows are read in their place; those of bf16 files are widened. */
const void *screen_row(const screen_rows *r, size_t i, uint32_t *scratch) {
    if (r->data) return r->data + i * r->steps;
    return features_row(r->x, i, (float *)(void *)scratch);
}
