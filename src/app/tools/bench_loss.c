/* Seconds of the contrastive loss and its gradient over one pool that all ranks have a part of:
 * random unit rows, or rows and labels from files, whose gradient can be written and compared with
 * another program's.
 *
 * The pool is made, or read, whole on every rank, and each takes its rows of it as it would have
 * those of its images: so the loss and its gradient can be compared between numbers of ranks, and
 * with another program that has the whole pool in one place. */
#include "src/app/tools/bench_loss.h"

#include "io/files/npy.h"
#include "mpi/pool.h"
#include "mpi/shard.h"
#include "src/app/tools/word_options.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/base/timer.h"
#include "src/base/unit_length.h"
#include "src/contrast/product.h"

#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Places in the table of options. */
enum { N, D, LABELS, TAU, THREADS, SEED, DTYPE, Z, LABEL_FILE, GRAD, OPTIONS };

/* The whole pool, on every rank. */
typedef struct pool {
    size_t n, d;
    float *z;       /* [n, D] unit rows */
    int32_t *label; /* [n] */
} pool;

static void pool_destroy(pool *p) {
    memory_free(p->z);
    memory_free(p->label);
}

/* Random directions and labels, the same on every rank. Drawn from one stream in the order of rows,
 * so that the pool depends on n, d and the seed, never on ranks or threads. On failure the caller
 * destroys what is there. */
static status make_pool(pool *p, size_t n, size_t d, int64_t labels, uint64_t seed) {
    *p = (pool){.n = n, .d = d};
    p->z = memory_alloc(n * d, sizeof *p->z, "embeddings");
    p->label = memory_alloc(n, sizeof *p->label, "labels");
    if (!p->z || !p->label) return STATUS_FAILED;
    random_stream r = random_begin(seed, RANDOM_SYNTH, n, d);
    for (size_t i = 0; i < n; i++) {
        float *row = p->z + i * d;
        for (size_t j = 0; j < d; j++) row[j] = (float)random_normal(&r);
        unit_length_rows(row, 1, (int)d);
        p->label[i] = (int32_t)random_below(&r, (uint64_t)labels);
    }
    return STATUS_OK;
}

/* Labels below 0 take no part in the loss. Rows are taken as they are: that they have length 1 is
 * for the caller of the program to see to, as the loss is defined for unit rows. */
static status read_pool(pool *p, const char *z, const char *label) {
    size_t labels;
    *p = (pool){0};
    status st = npy_read_f32(z, &p->z, &p->n, &p->d);
    if (st == STATUS_OK) st = npy_read_i32(label, &p->label, &labels);
    if (st != STATUS_OK || labels == p->n) return st;
    log_error("bench: %s has %zu rows, %s has %zu labels", z, p->n, label, labels);
    return STATUS_DATA;
}

/* Six operations a pair: the product of embeddings forward, and two of its gradient. */
static void print(const comm *c, const pool *p, const contrast_stats *s, const contrast_options *q,
    double seconds, double norm) {
    /* Of the whole pool: the work of all ranks in the time of the slowest. */
    double pairs = (double)p->n * (double)p->n;
    printf("{\"work\": \"loss\", \"n\": %zu, \"d\": %zu, \"dtype\": \"%s\", \"threads\": %d, "
           "\"ranks\": %d, "
           "\"loss\": %.17g, \"grad_norm\": %.9g, \"anchors\": %" PRId64 ", \"seconds\": %.6g, "
           "\"gflops\": %.6g, \"peak_rss_mib\": %.1f}\n",
        p->n, p->d, dtype_words[q->type], q->threads, comm_size(c), s->loss, norm, s->anchors,
        seconds, 6 * pairs * (double)p->d / seconds / 1e9, (double)memory_peak() / (1 << 20));
    fflush(stdout);
}

/* gradient [n, D] of all ranks' rows, by rank 0. Collective. mine: this rank's rows. gradient has
 * room for all of them on every rank, as a gather goes to all. */
static status write_gradient(
    const comm *c, const char *path, const pool *p, const float *mine, float *gradient) {
    int ranks = comm_size(c);
    size_t *bytes = memory_alloc((size_t)ranks, sizeof *bytes, "gather");
    status st = comm_agree(c, bytes ? STATUS_OK : STATUS_FAILED);
    for (int r = 0; st == STATUS_OK && r < ranks; r++)
        bytes[r] = (size_t)(shard_begin((int64_t)p->n, r + 1, ranks) -
                            shard_begin((int64_t)p->n, r, ranks)) *
                   p->d * sizeof *mine;
    if (st == STATUS_OK) {
        comm_gather(c, mine, bytes, gradient);
        st = comm_agree(c, comm_root(c) ? npy_write(path, "<f4", gradient, p->n, p->d) : STATUS_OK);
    }
    memory_free(bytes);
    return st;
}

/* |gradient| of all ranks' rows. Collective. One place a rank, added in the order of ranks, so that
 * the norm is the same whatever way the library reduces. */
static status norm_of(const comm *c, const float *gradient, size_t count, double *norm) {
    size_t ranks = (size_t)comm_size(c);
    double *square = memory_alloc(ranks, sizeof *square, "norms"), sum = 0;
    status st = comm_agree(c, square ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK) {
        for (size_t i = 0; i < count; i++)
            square[comm_rank(c)] += (double)gradient[i] * (double)gradient[i];
        comm_sum_f64_disjoint(c, square, ranks);
        for (size_t r = 0; r < ranks; r++) sum += square[r];
        *norm = sqrt(sum);
    }
    memory_free(square);
    return st;
}

/* Ranks take contiguous rows of the pool, as they would of a batch; no pixel has a partner. */
static status measure(const comm *c, const word_option *o, const contrast_options *q, pool *p) {
    size_t begin = (size_t)shard_begin((int64_t)p->n, comm_rank(c), comm_size(c));
    size_t local = (size_t)shard_begin((int64_t)p->n, comm_rank(c) + 1, comm_size(c)) - begin;
    /* image and partner share a block. All rows are of image 0, which does not matter: the scope is
     * the whole pool. */
    int32_t *image = memory_alloc(2 * local, sizeof *image, "images"), *partner = image + local;
    float *gradient = memory_alloc(local * p->d, sizeof *gradient, "gradient");
    float *all = o[GRAD].value ? memory_alloc(p->n * p->d, sizeof *all, "gradient") : NULL;
    bool allocated = image && gradient && (all || !o[GRAD].value);
    status st = comm_agree(c, allocated ? STATUS_OK : STATUS_FAILED);
    contrast_stats s;
    pool_exchange *exchange = NULL;
    if (st == STATUS_OK) st = pool_exchange_create(&exchange, c, NULL);
    double now = timer_now(), norm = 0;
    for (size_t i = 0; st == STATUS_OK && i < local; i++) partner[i] = -1;
    const contrast_pool mine = {
        local, (int)p->d, p->z + begin * p->d, p->label + begin, image, partner};
    if (st == STATUS_OK) st = pool_loss(exchange, q, &mine, &s, gradient);
    now = timer_now() - now;
    if (st == STATUS_OK) st = norm_of(c, gradient, local * p->d, &norm);
    if (st == STATUS_OK && comm_root(c)) print(c, p, &s, q, now, norm);
    if (st == STATUS_OK && all) st = write_gradient(c, o[GRAD].value, p, gradient, all);
    pool_exchange_destroy(exchange);
    memory_free(image);
    memory_free(gradient);
    memory_free(all);
    return st;
}

/* Rank 0 speaks for all: every rank reads the same words and finds the same mistakes. */
status bench_loss(const comm *c, int argc, char **argv) {
    word_option o[OPTIONS] = {[N] = {"--n", NULL, "8192", false},
        [D] = {"--d", NULL, "128", false},
        [LABELS] = {"--labels", NULL, "100", false},
        [TAU] = {"--tau", NULL, "0.1", false},
        [THREADS] = {"--threads", NULL, "0", false},
        [SEED] = {"--seed", NULL, "1", false},
        [DTYPE] = {"--dtype", dtype_words, "f32", false},
        [Z] = {"--z", NULL, NULL, false},
        [LABEL_FILE] = {"--label-file", NULL, NULL, false},
        [GRAD] = {"--grad", NULL, NULL, false}};
    int64_t n, d, labels, threads, seed;
    pool p = {0};
    status st = word_options(c, o, OPTIONS, argc, argv);
    if (st == STATUS_OK) st = word_number(c, &o[N], 2, 1 << 26, &n);
    if (st == STATUS_OK) st = word_number(c, &o[D], 1, 65536, &d);
    if (st == STATUS_OK) st = word_number(c, &o[LABELS], 1, INT32_MAX, &labels);
    if (st == STATUS_OK) st = word_number(c, &o[THREADS], 0, 4096, &threads);
    if (st == STATUS_OK) st = word_number(c, &o[SEED], 0, INT64_MAX, &seed);
    double tau = st == STATUS_OK ? strtod(o[TAU].value, NULL) : 0;
    if (st == STATUS_OK && !(tau > 0) && comm_root(c))
        log_error("bench: --tau %s: must be a number above 0", o[TAU].value);
    if (st == STATUS_OK && !(tau > 0)) st = STATUS_USAGE;
    if (st == STATUS_OK && !o[Z].value != !o[LABEL_FILE].value) {
        if (comm_root(c)) log_error("bench: --z and --label-file belong together");
        st = STATUS_USAGE;
    }
    if (st != STATUS_OK) return st;
    st = comm_agree(c, o[Z].value ? read_pool(&p, o[Z].value, o[LABEL_FILE].value)
                                  : make_pool(&p, (size_t)n, (size_t)d, labels, (uint64_t)seed));
    /* How bf16 is multiplied must be the same on all ranks: by pairs only where that is faster on
     * each of them. */
    int32_t slow = !product_prefers_pairs();
    comm_max_i32(c, &slow, 1);
    contrast_options q = {.positives = POSITIVES_AUXILIARY,
        .scope = SCOPE_GLOBAL,
        .temperature = tau,
        .threads = threads > 0 ? (int)threads : omp_get_max_threads(),
        .type = (dtype)word_choice(&o[DTYPE]),
        .pairs = !slow};
    if (st == STATUS_OK) st = measure(c, o, &q, &p);
    pool_destroy(&p);
    return st;
}
