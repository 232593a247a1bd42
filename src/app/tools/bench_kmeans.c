/* Seconds of an iteration of k-means on a matrix from a file, from its first K rows, so that
 * another program can be given the same start (tests/compare/kmeans.py). Labels and centroids can
 * be written to compare them, too.
 *
 * Each rank reads the whole matrix and takes its rows of it: that is simple, and a benchmark's
 * matrix fits in memory. The clustering that is timed is kmeans_run itself, with the options that a
 * run would give it. Objective, kept and visited in the line that is printed tell whether a faster
 * pass has also done the same work. */
#include "src/app/tools/bench_kmeans.h"

#include "io/files/npy.h"
#include "mpi/kmeans.h"
#include "mpi/shard.h"
#include "src/app/stage/choices.h"
#include "src/app/tools/word_options.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/timer.h"

#include <limits.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Places in the table of options. */
enum { DATA, K, ITERATIONS, DTYPE, SCREEN, THREADS, METRIC, EACH, LABELS, CENTROIDS, OPTIONS };
/* LAST: iterations at the end whose mean is told, too, as bounds make later ones cheaper. */
enum { LAST = 5, MOST_ITERATIONS = 100000 };

/* What is gathered while the clustering runs, on every rank; rank 0 prints its own. */
typedef struct figures {
    double *seconds; /* [iterations] */
    int iterations;
    int64_t kept;
    double visited; /* sum over iterations */
    const char *arithmetic;
    bool each; /* print every iteration */
} figures;

/* The clustering calls it after each iteration, on every rank alike. */
static status collect(void *context, const kmeans_iteration *it) {
    figures *f = context;
    /* Assignment and update belong together: a program that does both in one loop is compared by
     * the sum. */
    f->seconds[f->iterations++] = it->assign_seconds + it->update_seconds;
    f->kept += it->kept;
    f->visited += it->visited;
    f->arithmetic = it->arithmetic;
    if (f->each)
        printf(
            "{\"iteration\": %d, \"assign_seconds\": %.4g, \"update_seconds\": %.4g, "
            "\"objective\": %.17g, \"changed\": %lld, \"kept\": %lld, \"visited_share\": %.4g}\n",
            it->iteration, it->assign_seconds, it->update_seconds, it->objective,
            (long long)it->changed, (long long)it->kept, it->visited);
    return STATUS_OK;
}

static int compare(const void *a, const void *b) {
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* What a long clustering spends most of its time in: bounds hold, few labels change. Must be asked
 * before the seconds are sorted for the median. */
static double mean_of_last(const figures *f) {
    int count = f->iterations < LAST ? f->iterations : LAST;
    double sum = 0;
    for (int i = f->iterations - count; i < f->iterations; i++) sum += f->seconds[i];
    return sum / count;
}

/* The median is what is compared: one iteration that the system disturbed does not count. A
 * multiply and an add are two operations, whatever the screen leaves out. shape: rows, dimensions,
 * clusters, threads, ranks. */
static void print(
    const word_option *o, figures *f, const kmeans_result *r, const double *shape, double total) {
    double last = mean_of_last(f), rows = shape[0] * f->iterations;
    qsort(f->seconds, (size_t)f->iterations, sizeof *f->seconds, compare);
    double median = f->seconds[f->iterations / 2];
    printf("{\"work\": \"kmeans\", \"n\": %.0f, \"d\": %.0f, \"k\": %.0f, \"dtype\": \"%s\", "
           "\"screen\": \"%s\", \"threads\": %.0f, \"ranks\": %.0f, \"iterations\": %d, "
           "\"seconds_per_iteration\": %.6g, \"seconds_last_5\": %.6g, \"seconds_total\": %.6g, "
           "\"gflops\": %.6g, \"objective\": %.17g, \"kept_per_row\": %.6g, "
           "\"visited_share\": %.4g}\n",
        shape[0], shape[1], shape[2], f->arithmetic, o[SCREEN].value, shape[3], shape[4],
        f->iterations, median, last, total, 2 * shape[0] * shape[1] * shape[2] / median / 1e9,
        r->objective, (double)f->kept / rows, f->visited / f->iterations);
    fflush(stdout);
}

/* label [this rank's rows] of every rank, by rank 0. Collective. Ranks have contiguous blocks of
 * rows, so that what is gathered by rank is in the order of the rows. */
static status write_labels(const comm *c, const char *path, const uint16_t *label, size_t n) {
    size_t ranks = (size_t)comm_size(c);
    uint16_t *all = memory_alloc(n, sizeof *all, "labels");
    size_t *bytes = memory_alloc(ranks, sizeof *bytes, "labels");
    status st = comm_agree(c, all && bytes ? STATUS_OK : STATUS_FAILED);
    for (size_t r = 0; st == STATUS_OK && r < ranks; r++)
        bytes[r] = (size_t)(shard_begin((int64_t)n, (int)r + 1, (int)ranks) -
                            shard_begin((int64_t)n, (int)r, (int)ranks)) *
                   sizeof *all;
    if (st == STATUS_OK) {
        comm_gather(c, label, bytes, all);
        st = comm_agree(c, comm_root(c) ? npy_write(path, "<u2", all, n, 0) : STATUS_OK);
    }
    memory_free(all);
    memory_free(bytes);
    return st;
}

/* x [n, D]: all rows, on every rank, which takes its share. Collective. The features are told as
 * one image a rank, one pixel wide: k-means asks for rows alone, but features are always those of
 * images. Centroids start from the first K rows of the file, which every rank has. On failure of
 * one rank all leave together, before or after the clustering; what has been allocated is freed in
 * either case. */
static status measure(
    const comm *c, const word_option *o, kmeans_options *k, float *x, size_t n, size_t d) {
    int ranks = comm_size(c);
    int64_t begin = shard_begin((int64_t)n, comm_rank(c), ranks);
    int64_t local = shard_begin((int64_t)n, comm_rank(c) + 1, ranks) - begin;
    int height = (int)local, width = 1; /* one image a rank */
    features rows = {.n = (size_t)local,
        .d = (int)d,
        .type = DTYPE_F32,
        .data = x + (size_t)begin * d,
        .first = comm_rank(c),
        .images = 1,
        .height = &height,
        .width = &width,
        .before = begin,
        .total = (int64_t)n};
    figures f = {memory_alloc((size_t)k->iterations + 1, sizeof *f.seconds, "seconds"), 0, 0, 0, "",
        comm_root(c) && word_choice(&o[EACH])};
    float *start = memory_alloc((size_t)k->k * d, sizeof *start, "initial centroids");
    kmeans_result r = {0};
    status st = comm_agree(c, f.seconds && start ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK) memcpy(start, x, (size_t)k->k * d * sizeof *start);
    double now = timer_now();
    if (st == STATUS_OK) st = kmeans_run(c, k, &rows, start, collect, &f, &r);
    now = timer_now() - now;
    if (st == STATUS_OK && comm_root(c))
        print(o, &f, &r, (double[]){(double)n, (double)d, k->k, k->threads, ranks}, now);
    if (st == STATUS_OK && o[LABELS].value) st = write_labels(c, o[LABELS].value, r.label, n);
    if (st == STATUS_OK && o[CENTROIDS].value)
        st = comm_agree(c, comm_root(c)
                               ? npy_write(o[CENTROIDS].value, "<f4", r.centroids, (size_t)k->k, d)
                               : STATUS_OK);
    memory_free(f.seconds);
    memory_free(start);
    memory_free(r.centroids);
    memory_free(r.label);
    memory_free(r.distance);
    return st;
}

/* The first iteration is the assignment to the start: k->iterations is one less than what is asked
 * for. A tolerance below 0 keeps it from ending early, so that all of them are measured. */
status bench_kmeans(const comm *c, int argc, char **argv) {
    word_option o[OPTIONS] = {[DATA] = {"--data", NULL, NULL, true},
        [K] = {"--k", NULL, NULL, true},
        [ITERATIONS] = {"--iterations", NULL, "10", false},
        [DTYPE] = {"--dtype", cluster_arithmetic_words, "auto", false},
        [SCREEN] = {"--screen", cluster_screen_words, "auto", false},
        [THREADS] = {"--threads", NULL, "0", false},
        [METRIC] = {"--metric", cluster_metric_words, "euclidean", false},
        [EACH] = {"--each", word_no_yes, "no", false},
        [LABELS] = {"--write-labels", NULL, NULL, false},
        [CENTROIDS] = {"--write-centroids", NULL, NULL, false}};
    int64_t k, iterations, threads;
    float *x = NULL;
    size_t n, d;
    status st = word_options(c, o, OPTIONS, argc, argv);
    if (st == STATUS_OK) st = word_number(c, &o[K], 1, LABEL_NONE, &k);
    if (st == STATUS_OK) st = word_number(c, &o[ITERATIONS], 1, MOST_ITERATIONS, &iterations);
    if (st == STATUS_OK) st = word_number(c, &o[THREADS], 0, 4096, &threads);
    if (st == STATUS_OK) st = comm_agree(c, npy_read_f32(o[DATA].value, &x, &n, &d));
    if (st != STATUS_OK) return st;
    /* All ranks have read the same file and find the same: no rank has to be told. */
    if ((size_t)k > n || n > INT_MAX || d > FEATURES_D) {
        if (comm_root(c))
            log_error("bench: %s: %zu rows of %zu elements cannot make %lld clusters",
                o[DATA].value, n, d, (long long)k);
        memory_free(x);
        return STATUS_USAGE;
    }
    kmeans_options options = {.k = (int)k,
        .iterations = (int)iterations - 1,
        .restarts = 1,
        .threads = threads > 0 ? (int)threads : omp_get_max_threads(),
        .cosine = choices_cosine((cluster_metric)word_choice(&o[METRIC])),
        .screen = choices_screen((cluster_screen)word_choice(&o[SCREEN])),
        .arithmetic = choices_arithmetic((cluster_arithmetic)word_choice(&o[DTYPE])),
        .tolerance = -1};
    st = measure(c, o, &options, x, n, d);
    memory_free(x);
    return st;
}
