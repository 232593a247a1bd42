/* Sums of rows by label, exactly. A row becomes integers of one unit, so that taking it out of a
 * sum leaves nothing behind: sums follow the labels from one iteration to the next at the cost of
 * the rows that changed, and who adds first does not matter. Objective, imbalance and new
 * centroids come from the sums. */
#include "src/base/memory.h"
#include "src/base/rows.h"
#include "src/base/unit_length.h"
#include "src/base/vector.h"
#include "src/label/kmeans.h"

#include <float.h>
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
    if (v == 0) return 0; /* its exponent says nothing of a shift */
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

/* Rows that threads go through together, and a thread's part of the sums: columns begin .. end - 1
 * of the clusters whose number is `cluster` modulo `clusters`, a power of two. */
typedef struct sums_part {
    size_t first, last; /* rows, the last one left out */
    size_t begin, end;
    unsigned cluster, clusters;
} sums_part;

static bool has(const sums_part *p, uint16_t label) {
    return label != LABEL_NONE && (label & (p->clusters - 1)) == p->cluster;
}

/* Of the rows whose label changed. The part that has the first columns counts. */
static void follow_part(const features *x, const sums_part *p, const uint16_t *label,
    const uint16_t *summed, const kmeans_sum_total *s) {
    float scratch[PIECE];
    size_t d = (size_t)x->d;
    double unit = ldexp(1, s->scale);
    for (size_t i = p->first; i < p->last; i++) {
        if (label[i] == summed[i]) continue;
        bool to = has(p, label[i]), from = has(p, summed[i]);
        if (!to && !from) continue;
        for (size_t j = p->begin; j < p->end; j += PIECE) {
            int width = p->end - j < PIECE ? (int)(p->end - j) : PIECE;
            const float *row =
                row_view(scratch, row_at(x->data, i * d + j, x->type), (size_t)width, x->type);
            if (to) add_row(row, width, unit, s->sum + label[i] * d + j);
            if (from) subtract_row(row, width, unit, s->sum + summed[i] * d + j);
        }
        if (p->begin > 0) continue;
        if (to) s->count[label[i]]++;
        if (from) s->count[summed[i]]--;
    }
}

/* Part `part` of the sums: columns, and where there are more threads than those, clusters. */
static sums_part part_of(int part, int columns, int clusters, size_t d) {
    size_t widths = (d + WIDTH - 1) / WIDTH, at = (size_t)(part % columns), of = (size_t)columns;
    return (sums_part){.begin = widths * at / of * WIDTH,
        .end = at + 1 < of ? widths * (at + 1) / of * WIDTH : d,
        .cluster = (unsigned)(part / columns),
        .clusters = (unsigned)clusters};
}

/* Rows whose label is as before are not read: late iterations cost next to nothing. Threads take
 * parts of the sums, not rows: no two write to the same one, and none needs sums of its own. */
void kmeans_sums_follow(const features *x, const uint16_t *label, uint16_t *summed, int threads,
    const kmeans_sum_total *s) {
    size_t d = (size_t)x->d, widths = (d + WIDTH - 1) / WIDTH;
    size_t together = x->mapped ? MAPPED / (d * dtype_size(x->type)) + 1 : x->n;
    int columns = (size_t)threads < widths ? threads : (int)widths, clusters = 1;
    while (2 * clusters * columns <= threads) clusters *= 2;
    for (size_t i = 0; i < x->n; i += together) {
        size_t last = x->n - i < together ? x->n : i + together;
#pragma omp parallel for num_threads(columns *clusters) schedule(static, 1)
        for (int t = 0; t < columns * clusters; t++) {
            sums_part mine = part_of(t, columns, clusters, d);
            mine.first = i;
            mine.last = last;
            follow_part(x, &mine, label, summed, s);
        }
        features_release(x, i, last - i);
    }
    memcpy(summed, label, x->n * sizeof *summed);
}

/* Each row's square is rounded once, in float64; integers then add over rows in any order. A
 * thread adds in 128 bits of its own. */
void kmeans_squares(const double *square, size_t n, int unit, int threads, sum128 *sum) {
    for (int t = 0; t < 4; t++) sum->part[t] = 0;
#pragma omp parallel num_threads(threads)
    {
        int128 mine = 0;
#pragma omp for schedule(static)
        for (size_t i = 0; i < n; i++) mine += fixed_from_double(square[i], unit);
#pragma omp critical(kmeans_squares)
        sum128_add(sum, mine);
    }
}

/* n |c|^2 - 2 S.c of a cluster: by |x - c|^2 = |x|^2 - 2 x.c + |c|^2, summed, no pass over the rows
 * is needed. long double: what cancels is up to |x|^2. */
static long double objective_of(
    const int64_t *sum, int64_t count, int scale, int d, const float *c) {
    long double dot = 0, norm = 0;
    for (int j = 0; j < d; j++) {
        dot += (long double)sum[j] * (long double)c[j];
        norm += (long double)c[j] * (long double)c[j];
    }
    return (long double)count * norm - ldexpl(2 * dot, -scale);
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
 * one rounding to float32: the same on every rank, from the same sums. False: it keeps its place.
 */
static bool centroid_of(
    const int64_t *sum, int64_t count, int scale, int d, int cosine, float *centroid) {
    double unit = cosine ? unit_length_scale(squares_i64(sum, d)) : 0;
    double whole = ldexp((double)count, scale);
    if (count == 0 || (cosine && unit <= 0)) return false;
    for (int j = 0; j < d; j++)
        centroid[j] = (float)(cosine ? (double)sum[j] * unit : (double)sum[j] / whole);
    return true;
}

void kmeans_centroids(const kmeans_sum_total *s, int k, int d, int cosine, int threads, float *c) {
    int team = kmeans_centroid_threads(k, d, threads);
#pragma omp parallel for num_threads(team) schedule(static)
    for (int a = 0; a < k; a++) {
        size_t at = (size_t)a * (size_t)d;
        centroid_of(s->sum + at, s->count[a], s->scale, d, cosine, c + at);
    }
}

void kmeans_pack(const kmeans_sum_total *s, int k, int d, int threads, int64_t *row) {
    int team = kmeans_centroid_threads(k, d, threads);
    size_t words = (size_t)d + 1;
#pragma omp parallel for num_threads(team) schedule(static)
    for (int a = 0; a < k; a++) {
        int64_t *to = row + (size_t)a * words;
        memcpy(to, s->sum + (size_t)a * (size_t)d, (size_t)d * sizeof *to);
        to[d] = s->count[a];
    }
}

void kmeans_unpack(const int64_t *row, int k, int d, int64_t *sum, int64_t *count) {
    size_t words = (size_t)d + 1;
    for (int a = 0; a < k; a++) {
        const int64_t *from = row + (size_t)a * words;
        count[a] = from[d]; /* before a later row comes to stand there */
        memmove(sum + (size_t)a * (size_t)d, from, (size_t)d * sizeof *sum);
    }
}

/* Beside a centroid: what has no float. Of the 16 bytes of a long double a PC's number is 10. */
typedef struct figures {
    int64_t count;
    long double objective;
} figures;
enum { OBJECTIVE = LDBL_MANT_DIG == 64 ? 10 : sizeof(long double) };

static void write_figures(const figures *f, float *to) {
    memset(to, 0, KMEANS_MADE * sizeof *to);
    memcpy(to, &f->count, sizeof f->count);
    memcpy((char *)to + sizeof f->count, &f->objective, OBJECTIVE);
}

static figures read_figures(const float *from) {
    figures f = {0};
    memcpy(&f.count, from, sizeof f.count);
    memcpy(&f.objective, (const char *)from + sizeof f.count, OBJECTIVE);
    return f;
}

void kmeans_make(const kmeans_making *m, const int64_t *row, int n, const float *c, float *made) {
    int d = m->d, team = kmeans_centroid_threads(n, d, m->threads);
    size_t words = (size_t)d + 1, floats = (size_t)d + KMEANS_MADE;
#pragma omp parallel for num_threads(team) schedule(static)
    for (int a = 0; a < n; a++) {
        const int64_t *sum = row + (size_t)a * words;
        const float *old = c + (size_t)a * (size_t)d;
        float *to = made + (size_t)a * floats;
        figures f = {sum[d], objective_of(sum, sum[d], m->scale, d, old)};
        if (!centroid_of(sum, f.count, m->scale, d, m->cosine, to))
            memcpy(to, old, (size_t)d * sizeof *to);
        write_figures(&f, to + d);
    }
}

/* Parts of the objective are added in the order of clusters, on every rank. */
double kmeans_take(
    const kmeans_making *m, const float *made, int k, double squares, float *c, int64_t *count) {
    int d = m->d, team = kmeans_centroid_threads(k, d, m->threads);
    size_t floats = (size_t)d + KMEANS_MADE;
    long double total = (long double)squares;
#pragma omp parallel for num_threads(team) schedule(static)
    for (int a = 0; a < k; a++)
        memcpy(c + (size_t)a * (size_t)d, made + (size_t)a * floats, (size_t)d * sizeof *c);
    for (int a = 0; a < k; a++) {
        figures f = read_figures(made + (size_t)a * floats + d);
        count[a] = f.count;
        total += f.objective;
    }
    return total > 0 ? (double)total : 0;
}
