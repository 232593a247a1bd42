/* Sums of rows by label, exactly. A row becomes integers of one unit, so that taking it out of a
 * sum leaves nothing behind: sums follow the labels from one iteration to the next at the cost of
 * the rows that changed, and who adds first does not matter. Objective, imbalance and new
 * centroids come from the sums. */
#include "src/base/memory.h"
#include "src/base/rows.h"
#include "src/base/unit_length.h"
#include "src/base/vector.h"
#include "src/label/kmeans.h"

#include <math.h>
#include <omp.h>
#include <string.h>

/* Elements become integers of at most so many bits, where adding 1.5 * 2^52 to a double leaves the
 * nearest integer in its lowest bits: a float's 24 bits are kept of every element down to 2^-26 of
 * the largest. */
enum { ELEMENT_BITS = 50, LANES = 8, PIECE = 512, WIDTH = 16 };
/* Bytes of rows that are held at once where they are mapped. */
enum { MAPPED = 1 << 22 };

/* rows <= 2^bits, largest < 2^exponent: an element may take what is left of 62 bits. */
int kmeans_scale(int64_t rows, double largest) {
    int exponent = 0, bits = 0;
    frexp(largest, &exponent); /* largest < 2^exponent */
    while (((int64_t)1 << bits) < rows) bits++;
    int element = 62 - bits < ELEMENT_BITS ? 62 - bits : ELEMENT_BITS;
    return element - exponent;
}

/* The nearest integer to x unit. Adding 1.5 2^52 leaves it in the low bits of the double: rounding
 * without a call, in vector code. */
static inline int64_t fixed(float x, double unit) {
    const double round = 0x1.8p52;
    double v = (double)x * unit + round;
    int64_t bits, zero;
    memcpy(&bits, &v, sizeof bits);
    memcpy(&zero, &round, sizeof zero);
    return bits - zero;
}

/* v 2^unit, rounded to the nearest; v >= 0. */
static int128 fixed_from_double(double v, int unit) {
    int exponent;
    int64_t significand = (int64_t)ldexp(frexp(v, &exponent), 53); /* v = significand 2^(e - 53) */
    int shift = exponent - 53 + unit;
    if (shift >= 0) return (int128)significand << shift;
    return shift > -54 ? ((int128)significand + ((int128)1 << (-shift - 1))) >> -shift : 0;
}

VECTOR_CLONES
static void add_row(const float *x, int d, double unit, int64_t *sum) {
    for (int j = 0; j < d; j++) sum[j] += fixed(x[j], unit);
}

/* The same integers as add_row's: what is taken from one sum is what was once added. */
void kmeans_move(const float *x, int d, int scale, int64_t *from, int64_t *to) {
    double unit = ldexp(1, scale);
    for (int j = 0; j < d; j++) {
        int64_t v = fixed(x[j], unit);
        from[j] -= v;
        to[j] += v;
    }
}

VECTOR_CLONES
static void subtract_row(const float *x, int d, double unit, int64_t *sum) {
    for (int j = 0; j < d; j++) sum[j] -= fixed(x[j], unit);
}

/* Rows that threads go through together, each for its columns. */
typedef struct stretch {
    size_t first, end;
} stretch;

/* Elements begin .. end - 1 of the rows whose label changed, from one sum to the other. */
static void follow_range(const features *x, stretch rows, const uint16_t *label,
    const uint16_t *summed, const kmeans_sum_total *s, size_t begin, size_t end) {
    float scratch[PIECE];
    size_t d = (size_t)x->d;
    double unit = ldexp(1, s->scale);
    for (size_t i = rows.first; i < rows.end; i++) {
        if (label[i] == summed[i]) continue;
        for (size_t j = begin; j < end; j += PIECE) {
            int width = end - j < PIECE ? (int)(end - j) : PIECE;
            const float *row =
                row_view(scratch, row_at(x->data, i * d + j, x->type), (size_t)width, x->type);
            if (label[i] != LABEL_NONE) add_row(row, width, unit, s->sum + label[i] * d + j);
            if (summed[i] != LABEL_NONE) subtract_row(row, width, unit, s->sum + summed[i] * d + j);
        }
    }
}

/* Rows whose label is as before are not read: late iterations cost next to nothing. */
void kmeans_sums_follow(const features *x, const uint16_t *label, uint16_t *summed, int threads,
    const kmeans_sum_total *s) {
    /* Threads take columns: no two write to the same sum, and none needs sums of its own. */
    size_t d = (size_t)x->d, teams = (d + WIDTH - 1) / WIDTH;
    size_t together = x->mapped ? MAPPED / (d * dtype_size(x->type)) + 1 : x->n;
    int team = (size_t)threads < teams ? threads : (int)teams;
    for (size_t i = 0; i < x->n; i += together) {
        stretch rows = {i, x->n - i < together ? x->n : i + together};
#pragma omp parallel for num_threads(team) schedule(static, 1)
        for (int t = 0; t < team; t++)
            follow_range(x, rows, label, summed, s, teams * (size_t)t / (size_t)team * WIDTH,
                t + 1 < team ? teams * ((size_t)t + 1) / (size_t)team * WIDTH : d);
        features_release(x, i, rows.end - i);
    }
    for (size_t i = 0; i < x->n; i++) {
        if (label[i] == summed[i]) continue;
        if (label[i] != LABEL_NONE) s->count[label[i]]++;
        if (summed[i] != LABEL_NONE) s->count[summed[i]]--;
        summed[i] = label[i];
    }
}

/* Half of the square of a row in float64, in a fixed order, as an integer of 2^-unit. */
VECTOR_CLONES
static double square(const float *x, int d) {
    double s[LANES] = {0};
    int whole = d / LANES * LANES;
    for (int j = 0; j < whole; j += LANES)
        for (int l = 0; l < LANES; l++) s[l] += (double)x[j + l] * (double)x[j + l];
    for (int j = whole; j < d; j++) s[j - whole] += (double)x[j] * (double)x[j];
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

/* Each row's square is rounded once, in float64; integers then add over rows in any order. A
 * thread adds in 128 bits of its own. */
status kmeans_squares(const features *x, int unit, int threads, sum128 *sum) {
    size_t d = (size_t)x->d;
    float *scratch = memory_alloc((size_t)threads * d, sizeof *scratch, "a row a thread");
    if (!scratch) return STATUS_FAILED;
    for (int t = 0; t < 4; t++) sum->part[t] = 0;
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int t = 0; t < threads; t++) {
        size_t begin = x->n * (size_t)t / (size_t)threads;
        size_t end = x->n * ((size_t)t + 1) / (size_t)threads;
        int128 mine = 0;
        for (size_t i = begin; i < end; i++) {
            mine +=
                fixed_from_double(square(features_row(x, i, scratch + (size_t)t * d), x->d), unit);
            features_passed(x, i, 1);
        }
#pragma omp critical(kmeans_squares)
        sum128_add(sum, mine);
    }
    features_release(x, 0, x->n);
    memory_free(scratch);
    return STATUS_OK;
}

/* By |x - c|^2 = |x|^2 - 2 x.c + |c|^2, summed: no pass over the rows is needed. */
double kmeans_objective(
    const kmeans_sum_total *s, int k, int d, double squares, const float *centroids) {
    /* long double: what cancels is up to |x|^2. One order, on every rank alike. */
    long double total = (long double)squares;
    for (int a = 0; a < k; a++) {
        const float *c = centroids + (size_t)a * (size_t)d;
        const int64_t *sum = s->sum + (size_t)a * (size_t)d;
        long double dot = 0, norm = 0;
        for (int j = 0; j < d; j++) {
            dot += (long double)sum[j] * (long double)c[j];
            norm += (long double)c[j] * (long double)c[j];
        }
        total += (long double)s->count[a] * norm - ldexpl(2 * dot, -s->scale);
    }
    return total > 0 ? (double)total : 0;
}

/* The share of the largest clusters counts most: K for one that has everything. */
double kmeans_imbalance(const int64_t *count, int k, int64_t n) {
    double sum = 0;
    for (int a = 0; a < k; a++) {
        double share = (double)count[a] / (double)n;
        sum += share * share;
    }
    return k * sum;
}

static double squares_i64(const int64_t *x, int d) {
    double s = 0;
    for (int j = 0; j < d; j++) s += (double)x[j] * (double)x[j];
    return s;
}

/* A sum becomes a centroid by one division, or one product where it is brought to length 1, and
 * one rounding to float32: the same on every rank, from the same sums. */
void kmeans_centroids(
    const int64_t *sum, const int64_t *count, int k, int d, int scale, int cosine, float *c) {
    for (int a = 0; a < k; a++) {
        const int64_t *s = sum + (size_t)a * (size_t)d;
        float *row = c + (size_t)a * (size_t)d;
        double unit = cosine ? unit_length_scale(squares_i64(s, d)) : 0;
        double whole = ldexp((double)count[a], scale);
        if (count[a] == 0 || (cosine && unit <= 0)) continue;
        for (int j = 0; j < d; j++)
            row[j] = (float)(cosine ? (double)s[j] * unit : (double)s[j] / whole);
    }
}
