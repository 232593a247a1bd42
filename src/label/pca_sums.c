/* Means and covariances of rows. A float64 sum over millions of rows would show its order, and
 * lose digits; so at most 1024 rows are summed in float64, in their order, and rounded once to
 * integers, which add over units, threads and ranks in any order. The mean comes off first:
 * products of what is left are small. */
#include "src/base/memory.h"
#include "src/base/vector.h"
#include "src/label/outer.h"
#include "src/label/pca.h"

#include <math.h>
#include <omp.h>
#include <string.h>

/* Rows that are packed at once: with the products they fit the second-level cache for D 256. */
enum { PACK = 128, WIDTH = OUTER_F64 };

/* Units end with images: an image's units are the same, whichever rank holds it and whatever comes
 * before it. */
status pca_units_create(pca_units *u, const features *x) {
    size_t count = 0, row = 0;
    for (int64_t i = 0; i < x->images; i++)
        count += (features_image_rows(x, i) + PCA_UNIT - 1) / PCA_UNIT;
    size_t *begin = memory_alloc(count + 1, sizeof *begin, "units of rows");
    if (!begin) return STATUS_FAILED;
    *u = (pca_units){count, begin};
    for (int64_t i = 0; i < x->images; i++) {
        size_t end = row + features_image_rows(x, i);
        for (; row < end; row += end - row < PCA_UNIT ? end - row : PCA_UNIT) *begin++ = row;
    }
    *begin = row;
    return STATUS_OK;
}

void pca_units_destroy(pca_units *u) {
    memory_free(u->begin);
    *u = (pca_units){0};
}

VECTOR_CLONES
static void raise_largest(const float *row, int d, float *largest) {
    for (int j = 0; j < d; j++) {
        float a = fabsf(row[j]);
        largest[j] = a > largest[j] ? a : largest[j];
    }
}

/* A maximum needs no order; the columns' scales follow from it. */
status pca_largest(const features *x, double *largest) {
    size_t d = (size_t)x->d;
    float *most = memory_alloc(2 * d, sizeof *most, "largest elements");
    if (!most) return STATUS_FAILED;
    for (size_t i = 0; i < x->n; i++) {
        raise_largest(features_row(x, i, most + d), x->d, most);
        features_passed(x, i, 1);
    }
    features_release(x, 0, x->n);
    for (size_t j = 0; j < d; j++) largest[j] = fmax(largest[j], (double)most[j]);
    memory_free(most);
    return STATUS_OK;
}

/* 2^bits >= rows */
static int bits_of(int64_t rows) {
    int bits = 0;
    while (((int64_t)1 << bits) < rows) bits++;
    return bits;
}

/* |x| < 2^e in column j: |sum| < 2^(bits + e), which 2^62 units are. */
void pca_exponents(const double *largest, int64_t rows, int d, int *exponent) {
    for (int j = 0; j < d; j++) {
        int e = 0;
        if (largest[j] > 0) frexp(largest[j], &e);
        exponent[j] = 62 - bits_of(rows) - e;
    }
}

/* |x - mean| <= 2^(e + 1), also rounded to float32: |sum of products| <= 2^(bits + e + e' + 2). The
 * rounding of a unit's sum to an integer adds less than one each: far from the 2^63 that overflow.
 */
int pca_shift(int64_t rows) {
    return bits_of(rows) - 62 - 2;
}

VECTOR_CLONES
static void add_row(const float *row, int d, double *sum) {
    for (int j = 0; j < d; j++) sum[j] += (double)row[j];
}

/* A unit in float64, in its order, then one rounding a column: from there on integers, which
 * threads add to one array in any order. */
status pca_sum(
    const features *x, const pca_units *u, const int *exponent, int threads, int64_t *sum) {
    size_t d = (size_t)x->d;
    /* A thread's sums, and a row. */
    double *sums = memory_alloc((size_t)threads * d, 2 * sizeof *sums, "sums of threads");
    if (!sums) return STATUS_FAILED;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (size_t t = 0; t < u->count; t++) {
        double *s = sums + (size_t)omp_get_thread_num() * 2 * d;
        memset(s, 0, d * sizeof *s);
        for (size_t i = u->begin[t]; i < u->begin[t + 1]; i++)
            add_row(features_row(x, i, (float *)(s + d)), x->d, s);
        for (size_t j = 0; j < d; j++) {
            int64_t v = llrint(ldexp(s[j], exponent[j]));
#pragma omp atomic
            sum[j] += v;
        }
        features_passed(x, u->begin[t], u->begin[t + 1] - u->begin[t]);
    }
    features_release(x, 0, x->n);
    memory_free(sums);
    return STATUS_OK;
}

/* A thread's memory. */
typedef struct worker {
    double *panel;  /* [panels, PACK, WIDTH] */
    double *sum;    /* [D, panels * WIDTH]: of one unit */
    int64_t *total; /* [D, D] */
    float *scratch; /* [D] */
} worker;

/* Also of workers that were created half. */
static void workers_destroy(worker *w, int workers) {
    for (int t = 0; w && t < workers; t++) {
        memory_free(w[t].panel);
        memory_free(w[t].sum);
        memory_free(w[t].total);
        memory_free(w[t].scratch);
    }
    memory_free(w);
}

static size_t panels_of(int d) {
    return ((size_t)d + WIDTH - 1) / WIDTH;
}

/* A thread has D x D sums of a unit, and D x D integers over its units: adding integers to common
 * ones would make threads wait for each other. */
static worker *workers_create(int d, int workers) {
    size_t n = (size_t)d, padded = panels_of(d) * WIDTH;
    worker *w = memory_alloc((size_t)workers, sizeof *w, "products of threads");
    for (int t = 0; w && t < workers; t++) {
        w[t].panel = memory_alloc(PACK * padded, sizeof *w[t].panel, "packed rows");
        w[t].sum = memory_alloc(padded * padded, sizeof *w[t].sum, "products of a unit");
        w[t].total = memory_alloc(n * n, sizeof *w[t].total, "products of a thread");
        w[t].scratch = memory_alloc(n, sizeof *w[t].scratch, "a row");
        if (w[t].panel && w[t].sum && w[t].total && w[t].scratch) continue;
        workers_destroy(w, workers);
        return NULL;
    }
    return w;
}

/* Differences are rounded to float32 before they are multiplied: products of float32 values are
 * exact in float64. */
VECTOR_CLONES
static void pack_row(const float *row, const float *mean, size_t d, double *panel) {
    for (size_t p = 0; p < d; p += WIDTH, panel += PACK * WIDTH) {
        size_t width = d - p < WIDTH ? d - p : WIDTH;
        for (size_t j = 0; j < width; j++) panel[j] = (double)(row[p + j] - mean[p + j]);
    }
}

/* w->sum += the products of `rows` packed rows; blocks wholly below the diagonal are left out. */
static void add_products(const worker *w, size_t rows, size_t panels) {
    size_t width = panels * WIDTH;
    for (size_t p = 0; p < panels; p++)
        for (size_t i = 0; i < (p + 1) * WIDTH; i += OUTER_ROWS)
            outer_f64(rows, w->panel + i / WIDTH * PACK * WIDTH + i % WIDTH, WIDTH,
                w->panel + p * PACK * WIDTH, WIDTH, w->sum + i * width + p * WIDTH, width);
}

/* The sums of one unit begin at zero: they depend on its rows alone. */
static void unit_products(
    const worker *w, const features *x, const float *mean, size_t begin, size_t end) {
    size_t d = (size_t)x->d, panels = panels_of(x->d);
    memset(w->sum, 0, panels * WIDTH * panels * WIDTH * sizeof *w->sum);
    for (size_t i = begin; i < end; i += PACK) {
        size_t rows = end - i < PACK ? end - i : PACK;
        for (size_t r = 0; r < rows; r++)
            pack_row(features_row(x, i + r, w->scratch), mean, d, w->panel + r * WIDTH);
        add_products(w, rows, panels);
    }
}

/* The one rounding of a unit's products: by each column's unit, 2^exponent, and `shift`. unit [D].
 */
static void fix_products(const worker *w, const double *unit, int shift, size_t d) {
    size_t width = panels_of((int)d) * WIDTH;
    for (size_t i = 0; i < d; i++) {
        double whole = ldexp(unit[i], shift);
        for (size_t j = i; j < d; j++)
            w->total[i * d + j] += llrint(w->sum[i * width + j] * (whole * unit[j]));
    }
}

/* Integers of threads are added at the end, element by element: any order gives the same. */
status pca_products(const features *x, const pca_units *u, const float *mean, const int *exponent,
    int shift, int threads, int64_t *product) {
    size_t d = (size_t)x->d;
    int team = (size_t)threads < u->count ? threads : (int)u->count;
    if (team == 0) return STATUS_OK;
    worker *w = workers_create(x->d, team);
    double *unit = memory_alloc(d, sizeof *unit, "units of columns");
    status st = w && unit ? STATUS_OK : STATUS_FAILED;
    if (st != STATUS_OK) goto done;
    for (size_t j = 0; j < d; j++) unit[j] = ldexp(1, exponent[j]);
#pragma omp parallel for num_threads(team) schedule(static)
    for (size_t t = 0; t < u->count; t++) {
        const worker *mine = w + omp_get_thread_num();
        unit_products(mine, x, mean, u->begin[t], u->begin[t + 1]);
        fix_products(mine, unit, shift, d);
        features_passed(x, u->begin[t], u->begin[t + 1] - u->begin[t]);
    }
    features_release(x, 0, x->n);
#pragma omp parallel for num_threads(team)
    for (size_t j = 0; j < d * d; j++)
        for (int t = 0; t < team; t++) product[j] += w[t].total[j];
done:
    workers_destroy(w, team);
    memory_free(unit);
    return st;
}
