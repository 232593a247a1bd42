/* Local arithmetic of k-means over feature rows. Not collective: mpi/kmeans.h is the loop around
 * it.
 *
 * A row's label is *defined*: the lowest c that minimises sum_j (x_j - c_j)^2 over the
 * stored row x and the float32 centroid c, in float64, eight lanes (j mod 8) added as a fixed tree
 * ((0+4)+(2+6)) + ((1+5)+(3+7)), no contraction. Whatever screens the candidates excludes a
 * centroid only beyond this sum's own rounding: labels do not depend on batching, threads, ranks or
 * instruction set. */
#ifndef AUXSEG_LABEL_KMEANS_H
#define AUXSEG_LABEL_KMEANS_H

#include "src/label/features.h"
#include "src/base/sum128.h"

enum { LABEL_NONE = 65535 }; /* no label: not assigned yet, an outlier, or ignored */

/* The defining distance: row x [D] float, centroid c [D]. */
double kmeans_distance(const float *x, const float *c, int d);
/* The same in float32, quickly: within kmeans_near_error(D) of the real |x - c|^2, relatively,
 * where the result is KMEANS_NEAR_LEAST or more. */
float kmeans_near(const float *x, const float *c, int d);
float kmeans_near_error(int d);
#define KMEANS_NEAR_LEAST 0x1p-80f

/* Squared distance of every row to its label's centroid (the defining one, rounded to float);
 * LABEL_NONE: infinity. c [K, D], distance [n] out. On failure no output is touched. */
status kmeans_distances(
    const features *x, const float *c, const uint16_t *label, int threads, float *distance);

typedef enum kmeans_screen {
    KMEANS_SCREEN_AUTO, /* pruned where that is expected to be faster */
    KMEANS_SCREEN_DENSE,
    KMEANS_SCREEN_PRUNED
} kmeans_screen;
typedef enum kmeans_arithmetic {
    KMEANS_F32,
    KMEANS_BF16,
    KMEANS_INT8,
    KMEANS_FASTEST /* of those that the processor has, by a short trial; but kmeans_arithmetic_for()
                    */
} kmeans_arithmetic;

typedef struct kmeans_assigner_options {
    int k, threads;
    kmeans_screen screen;
    kmeans_arithmetic arithmetic;
    const double *square; /* [n], |x|^2 of the rows as features_check has them: borrowed while an
                             assigner is made, and spares f32 a look at the rows; or NULL */
} kmeans_assigner_options;

typedef struct kmeans_counts {
    int64_t changed, kept; /* labels that changed; centroids that no screen excluded, over rows */
    double visited;        /* share of the n K products that were computed */
} kmeans_counts;

/* What KMEANS_FASTEST becomes on this processor for rows of D, for who makes many assigners: a
 * trial costs a few milliseconds. Any other stays. */
kmeans_arithmetic kmeans_fastest(kmeans_arithmetic arithmetic, int d);
/* What is asked for, but f32 in place of KMEANS_FASTEST where so few assignments of x to k
 * centroids, as many as `passes`, do not pay for rows in another arithmetic: it reads them in their
 * place. Not of rows that would be widened or read from a file anew each time. */
kmeans_arithmetic kmeans_arithmetic_for(
    kmeans_arithmetic asked, const features *x, int k, int64_t passes);

/* Assigns rows to centroids again and again, and remembers what helps: rows in the arithmetic of
 * the screen, bounds of distances. Labels depend on nothing of that. */
typedef struct kmeans_assigner kmeans_assigner;
/* Elements of x are finite and at most 2^50; 1 <= K <= 65535. x stays the caller's and must stay
 * as it is. STATUS_USAGE, with a message: the processor lacks the arithmetic. */
status kmeans_assigner_create(
    kmeans_assigner **out, const features *x, const kmeans_assigner_options *o);
void kmeans_assigner_destroy(kmeans_assigner *a);
/* label [n] (old labels in, new ones out; LABEL_NONE: none yet) of every row for c [K, D], whose
 * elements are like x's. On failure no output is touched. */
status kmeans_assigner_assign(
    kmeans_assigner *a, const float *c, uint16_t *label, kmeans_counts *counts);
/* "f32" | "bf16" | "int8", as chosen. */
const char *kmeans_assigner_arithmetic(const kmeans_assigner *a);
/* Bytes for n rows beside the rows themselves, at most. */
size_t kmeans_assigner_bytes(const kmeans_assigner_options *o, size_t n, int d);

/* The same once, with distances (NULL: none). */
status kmeans_assign(const features *x, const float *c, int k, int threads, uint16_t *label,
    float *distance, kmeans_counts *counts);

/* Exact sums: every element becomes an integer, 2^scale a unit, rounded to the nearest; integers
 * add in any order to the same, and are subtracted as exactly. */
typedef struct kmeans_sum_total {
    int64_t *sum, *count; /* [K, D], [K] */
    int scale;
} kmeans_sum_total;
/* Rows move from the sum of their label in `summed` [n] to that in `label` [n]; `summed` becomes
 * `label`. LABEL_NONE: in no sum. */
void kmeans_sums_follow(const features *x, const uint16_t *label, uint16_t *summed, int threads,
    const kmeans_sum_total *s);
/* Sum of square [n], |x|^2 of the rows (features_check), in units of 2^-unit; each below
 * 2^(120 - unit) / n. */
void kmeans_squares(const double *square, size_t n, int unit, int threads, sum128 *sum);
/* How unevenly n rows fall to clusters: K * sum (n_c / n)^2 of counts [K]; 1 is even. */
double kmeans_imbalance(const int64_t *count, int k, int64_t n);
/* The scale for `rows` rows (global) whose largest |element| is `largest`: no sum can overflow. */
int kmeans_scale(int64_t rows, double largest);
/* Moves one row x [D] from a sum [D] to another. */
void kmeans_move(const float *x, int d, int scale, int64_t *from, int64_t *to);
/* Threads, of `threads`, that centroids and their objective are shared among: a few microseconds'
 * work each and more. */
static inline int kmeans_centroid_threads(int k, int d, int threads) {
    enum { PART = 8192 }; /* elements of a thread, at least */
    int most = (int)((int64_t)k * d / PART) + 1;
    return threads < most ? threads : most;
}
/* c [K, D] = sum / count (if cosine sum of length 1, src/base/unit_length.h), rounded to float32;
 * centroids with count 0, and with a sum of length 0 if cosine, keep their value. */
void kmeans_centroids(const kmeans_sum_total *s, int k, int d, int cosine, int threads, float *c);

/* What becomes of sums is made by the ranks of a run, each for some clusters. A cluster travels as
 * a row of D + 1 integers, its sums and its count; what is made of it, once these are of all ranks,
 * as a row of D + KMEANS_MADE floats: the new centroid, as by kmeans_centroids, then, as bits, the
 * count and the cluster's part n |c|^2 - 2 S.c of the objective under the old centroid. */
enum { KMEANS_MADE = (sizeof(int64_t) + sizeof(long double)) / sizeof(float) };
/* row [K, D + 1] of the sums. */
void kmeans_pack(const kmeans_sum_total *s, int k, int d, int threads, int64_t *row);
/* sum [K, D] and count [K] of rows [K, D + 1]; sum may be where the rows are. */
void kmeans_unpack(const int64_t *row, int k, int d, int64_t *sum, int64_t *count);
typedef struct kmeans_making {
    int d, scale, cosine, threads;
} kmeans_making;
/* made [n, D + KMEANS_MADE] of n clusters' rows [n, D + 1]; c [n, D]: their old centroids. */
void kmeans_make(const kmeans_making *m, const int64_t *row, int n, const float *c, float *made);
/* c [K, D], count [K], and the objective, the sum of squared distances to the rows' old centroids,
 * of what was made of all clusters. squares: sum |x|^2 of all rows. The same bits for any ranks and
 * threads. */
double kmeans_take(
    const kmeans_making *m, const float *made, int k, double squares, float *c, int64_t *count);

#endif
