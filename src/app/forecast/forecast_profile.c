/* What one core computes, measured with the program's own arithmetic: a training step and an
 * extraction by `bench`, an iteration of k-means and the contrastive loss here. Other cores, as
 * many as a node and this machine have, do the same meanwhile (company.h). Rows are random: bounds,
 * which save most of an iteration on real features, save nothing on them, so that the assignment is
 * the dense one, the longest. */
#include "src/app/forecast/company.h"
#include "src/app/forecast/forecast_plan.h"
#include "src/app/stage/child_process.h"
#include "src/app/tools/bench_extract_train.h"
#include "src/app/tools/bench_profile.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/base/unit_length.h"
#include "src/contrast/tiles.h"
#include "src/label/kmeans.h"
#include "src/nn/plan/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows of the trials; embeddings of so many dimensions. */
enum { ROWS = 16384, POOL = 4096, EMBEDDING = 128, LABELS = 40 };
/* Of a step that is measured: with more, weights' gradients take no less an image. */
enum { MOST_IMAGES = 4 };

/* Unit rows; NULL: out of memory. */
static float *random_rows(size_t n, int d) {
    float *x = memory_alloc(n * (size_t)d, sizeof *x, "rows");
    random_stream r = random_begin(1, RANDOM_SYNTH, n, (uint64_t)d);
    if (!x) return NULL;
    for (size_t i = 0; i < n * (size_t)d; i++) x[i] = (float)random_normal(&r);
    unit_length_rows(x, n, d);
    return x;
}

static bool takes_bf16(const settings *s) {
    return s->model.dtype == MODEL_DTYPE_AUTO ? plan_fast_bf16()
                                              : s->model.dtype == MODEL_DTYPE_BF16;
}

/* A norm group, whose images share what is done once for them. */
static int images_of(const settings *s) {
    bool grouped = s->model.norm == MODEL_NORM_GROUP;
    return grouped && s->model.group < MOST_IMAGES ? s->model.group : MOST_IMAGES;
}

/* By `bench`, in this process: one rank needs no MPI. */
static status measure_network(const forecast_plan *p, const char *path) {
    char crop[16], batch[16], stride[16];
    const char *depth = model_backbone_words[p->s->model.backbone] + sizeof "resnet" - 1;
    snprintf(crop, sizeof crop, "%d", p->s->finetune.crop);
    snprintf(batch, sizeof batch, "%d", images_of(p->s));
    snprintf(stride, sizeof stride, "%d", p->s->model.output_stride);
    char *word[] = {"--depth", (char *)depth, "--crop", crop, "--batch", batch, "--stride", stride,
        "--threads", "1", "--dtype", takes_bf16(p->s) ? "bf16" : "f32", "--norm",
        p->s->model.norm == MODEL_NORM_FROZEN ? "frozen" : "group", "--steps", "5", "--profile",
        (char *)path};
    int words = sizeof word / sizeof *word;
    status st = bench_train(NULL, words, word);
    return st == STATUS_OK ? bench_extract(NULL, words, word) : st;
}

/* Seconds of parts of an iteration of k-means. */
typedef struct kmeans_times {
    double assign; /* ROWS rows */
    double update; /* what is made of all clusters' sums, which ranks share */
    double move;   /* what each rank does with all: sums become rows, rows centroids */
    double hash;   /* of all centroids, which ranks compare */
} kmeans_times;

static void time_update(const features *x, int k, kmeans_times *t, int64_t *sum, float *made) {
    int d = x->d;
    size_t words = (size_t)k * (size_t)d;
    const kmeans_sum_total all = {sum, sum + words, 20};
    const kmeans_making how = {.d = d, .scale = all.scale, .threads = 1};
    int64_t *row = sum + words + (size_t)k, *count = row + words + (size_t)k;
    float *c = made + (size_t)k * (size_t)(d + KMEANS_MADE);
    for (int i = 0; i < k; i++) all.count[i] = 1;
    for (int repeat = 0; repeat < 2; repeat++) { /* the first one meets new memory */
        double began = bench_processor_time();
        kmeans_pack(&all, k, d, 1, row);
        double packed = bench_processor_time();
        kmeans_make(&how, row, k, x->data, made);
        double done = bench_processor_time();
        kmeans_take(&how, made, k, 1, c, count);
        double taken = bench_processor_time();
        hash_bytes(c, words * sizeof *c);
        *t = (kmeans_times){t->assign, done - packed, packed - began + taken - done,
            bench_processor_time() - taken};
    }
}

/* Assigned twice: what is packed once is packed in the first. Rows stand for centroids. */
static status time_kmeans(const features *x, int k, kmeans_times *t) {
    kmeans_assigner *a = NULL;
    kmeans_assigner_options o = {k, 1, KMEANS_SCREEN_DENSE, KMEANS_FASTEST, NULL};
    kmeans_counts counts;
    size_t words = (size_t)k * (size_t)x->d, all = words + (size_t)k;
    int64_t *sum = memory_alloc(2 * all + (size_t)k, sizeof *sum, "sums");
    float *made = memory_alloc(2 * words + (size_t)k * KMEANS_MADE, sizeof *made, "centroids");
    uint16_t *label = memory_alloc(x->n, sizeof *label, "labels");
    status st = sum && made && label ? kmeans_assigner_create(&a, x, &o) : STATUS_FAILED;
    for (size_t i = 0; st == STATUS_OK && i < x->n; i++) label[i] = LABEL_NONE;
    if (st == STATUS_OK) st = kmeans_assigner_assign(a, x->data, label, &counts);
    double now = bench_processor_time();
    if (st == STATUS_OK) st = kmeans_assigner_assign(a, x->data, label, &counts);
    t->assign = bench_processor_time() - now;
    if (st == STATUS_OK) time_update(x, k, t, sum, made);
    kmeans_assigner_destroy(a);
    memory_free(sum);
    memory_free(made);
    memory_free(label);
    return st;
}

/* The rows are fewer than any run's, and many times what a cache holds. No fewer than clusters, for
 * which they stand, too. */
static status measure_kmeans(const forecast_plan *p, const char *path) {
    int k = p->s->cluster.k, d = (int)p->dimensions, n = k > ROWS ? k : ROWS;
    kmeans_times t = {0};
    features x = {.n = (size_t)n, .d = d, .type = DTYPE_F32, .data = random_rows((size_t)n, d)};
    status st = x.data ? time_kmeans(&x, k, &t) : STATUS_FAILED;
    if (st == STATUS_OK) st = bench_profile_add(path, "assign", t.assign / n);
    if (st == STATUS_OK) st = bench_profile_add(path, "update", t.update);
    if (st == STATUS_OK) st = bench_profile_add(path, "move", t.move);
    if (st == STATUS_OK) st = bench_profile_add(path, "hash", t.hash);
    memory_free(x.data);
    return st;
}

typedef struct loss_times {
    double sort, pack, products;
} loss_times;

/* Rows are sorted anew in each step, by one thread of every rank, and packed by all: each is timed
 * apart. */
static status time_loss(const settings *s, const contrast_pool *pool, loss_times *out) {
    contrast_options o = {.temperature = 0.1,
        .threads = 1,
        .type = s->pretrain.loss_dtype,
        .pairs = s->pretrain.loss_dtype == DTYPE_BF16 && plan_fast_bf16()};
    tiles t;
    contrast_row *row = memory_alloc(pool->n, sizeof *row, "rows");
    float *to = memory_alloc(pool->n * (size_t)pool->d, sizeof *to, "gradient");
    status st = row && to ? tiles_index(&t, &o, pool, o.pairs) : STATUS_FAILED;
    if (st == STATUS_OK) tiles_destroy(&t); /* the first one has fetched what it reads */
    double now = bench_processor_time();
    if (st == STATUS_OK) st = tiles_index(&t, &o, pool, o.pairs);
    out->sort = bench_processor_time() - now;
    if (st == STATUS_OK) tiles_destroy(&t);
    now = bench_processor_time();
    if (st == STATUS_OK) st = tiles_create(&t, &o, pool, o.pairs);
    out->pack = bench_processor_time() - now - out->sort;
    now = bench_processor_time();
    if (st == STATUS_OK) {
        st = contrast_rows_of(&o, &t, 0, pool->n, row);
        if (st == STATUS_OK) st = contrast_gradient_of(&o, &t, pool, row, 0, pool->n, to);
        tiles_destroy(&t);
    }
    out->products = bench_processor_time() - now;
    memory_free(row);
    memory_free(to);
    return st;
}

/* Labels in turn, no partners: every row has positives and negatives. */
static status measure_loss(const settings *s, const char *path) {
    float *z = random_rows(POOL, EMBEDDING);
    int32_t *words = memory_alloc(3 * (size_t)POOL, sizeof *words, "labels");
    loss_times t = {0};
    for (int i = 0; words && i < POOL; i++) {
        words[i] = i % LABELS;
        words[2 * POOL + i] = -1;
    }
    const contrast_pool pool = {POOL, EMBEDDING, z, words, words + POOL, words + 2 * POOL};
    status st = z && words ? time_loss(s, &pool, &t) : STATUS_FAILED;
    if (st == STATUS_OK) st = bench_profile_add(path, "pool_row", t.sort / POOL);
    if (st == STATUS_OK) st = bench_profile_add(path, "pool_pack", t.pack / POOL);
    if (st == STATUS_OK) st = bench_profile_add(path, "pool_pair", t.products / POOL / POOL);
    memory_free(z);
    memory_free(words);
    return st;
}

/* What a profile is of: it says so itself. */
enum { ABOUT = 8 };
static void about(const forecast_plan *p, double figure[ABOUT]) {
    const settings *s = p->s;
    const char *depth = model_backbone_words[s->model.backbone] + sizeof "resnet" - 1;
    const double of[ABOUT] = {atof(depth), s->finetune.crop, s->model.output_stride, takes_bf16(s),
        s->cluster.k, s->pretrain.loss_dtype == DTYPE_BF16, s->model.norm == MODEL_NORM_FROZEN,
        (double)p->dimensions};
    for (int i = 0; i < ABOUT; i++) figure[i] = of[i];
}
static const char *const about_words[ABOUT] = {
    "depth", "crop", "stride", "bf16", "k", "loss_bf16", "frozen", "d"};

/* A profile of another network, or of other clusters, would give wrong times without a word. */
status forecast_profile_check(const forecast_plan *p, const char *path) {
    char line[256], name[256];
    double want[ABOUT], figure;
    int found = 0;
    bool decoded = false;
    FILE *f = fopen(path, "r");
    if (!f) {
        log_error("forecast: --profile %s: %s", path, strerror(errno));
        return STATUS_USAGE;
    }
    about(p, want);
    status st = STATUS_OK;
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "%255s %lf", name, &figure) != 2) continue;
        decoded = decoded || strcmp(name, "extract_decode") == 0;
        for (int i = 0; i < ABOUT; i++) {
            if (strcmp(name, about_words[i]) != 0) continue;
            found++;
            if (figure == want[i]) continue;
            log_error("%s: measured with %s %g, the settings have %g", path, name, figure, want[i]);
            st = STATUS_USAGE;
        }
    }
    fclose(f);
    if (!decoded) log_info("forecast: %s: without decoding", path);
    if (found < ABOUT) {
        log_error(
            "%s: does not say what was measured: a profile of auxseg forecast is needed", path);
        st = STATUS_USAGE;
    }
    return st;
}

/* What is measured, and where it is written. */
typedef struct measurement {
    const forecast_plan *plan;
    const char *path;
} measurement;

static status network(const void *m) {
    return measure_network(((const measurement *)m)->plan, ((const measurement *)m)->path);
}

static status kmeans(const void *m) {
    return measure_kmeans(((const measurement *)m)->plan, ((const measurement *)m)->path);
}

static status loss(const void *m) {
    return measure_loss(((const measurement *)m)->plan->s, ((const measurement *)m)->path);
}

static status input(const void *m) {
    return forecast_input(((const measurement *)m)->plan, ((const measurement *)m)->path);
}

/* Beside others that do the same; *cores: with this one. */
static status measure(
    company_work *work, const forecast_plan *p, const char *path, int others, int *cores) {
    const measurement mine = {p, path}, theirs = {p, "/dev/null"};
    company beside;
    status st = company_create(&beside, others, work, &theirs);
    if (st != STATUS_OK) return st;
    st = work(&mine);
    *cores = beside.count + 1;
    company_destroy(&beside);
    return st;
}

/* The network first: its file is a new one, to which the others add. */
status forecast_profile_make(const forecast_plan *p, const char *path) {
    int here = child_process_physical(child_process_processors()), cores = 1;
    int others = (p->cores < here ? (int)p->cores : here) - 1;
    double figure[ABOUT];
    log_info("forecast: computing is measured here, for some minutes (--profile takes an earlier "
             "measurement)");
    status st = measure(network, p, path, others, &cores);
    if (st == STATUS_OK)
        log_info("forecast: measured on one core, %d at work with the same", cores);
    /* A comment, for readers of the file. */
    if (st == STATUS_OK) st = bench_profile_add(path, "# cores at work:", cores);
    about(p, figure);
    for (int i = 0; i < ABOUT && st == STATUS_OK; i++)
        st = bench_profile_add(path, about_words[i], figure[i]);
    if (st == STATUS_OK) st = measure(kmeans, p, path, others, &cores);
    if (st == STATUS_OK) st = measure(loss, p, path, others, &cores);
    if (!p->data) log_info("forecast: without decoding (--data FILE.h5: a packed data set)");
    return st == STATUS_OK && p->data ? measure(input, p, path, others, &cores) : st;
}
