#include "src/app/extract_compute.h"

#include "mpi/shard.h"
#include "src/app/inference.h"
#include "src/app/reduce.h"
#include "src/app/setup.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/stop.h"
#include "src/base/timer.h"
#include "src/nn/rows.h"

#include <math.h>
#include <omp.h>
#include <string.h>

/* Images through the network, and where their rows go. */
typedef struct extraction {
    const stage *t;
    inference *net;
    feature_block *b;
    float *room; /* [threads, D] */
} extraction;

/* Length 1 in float64; a row of zeros stays zero. */
static void normalize_row(float *x, int d) {
    double sum = 0;
    for (int j = 0; j < d; j++) sum += (double)x[j] * x[j];
    if (sum <= 0) return;
    double scale = 1 / sqrt(sum);
    for (int j = 0; j < d; j++) x[j] = (float)(x[j] * scale);
}

/* Images first .. first + count - 1 of the data set, of one shape: decoded into the plan's input.
 */
static status load_inputs(const stage *t, plan *p, int first, int count) {
    status worst = STATUS_OK;
#pragma omp parallel for schedule(dynamic) num_threads(setup_threads(t->s))
    for (int i = 0; i < count; i++) {
        image rgb = {0};
        status st = dataset_load(t->d, first + i, t->s->dataset.scale, &rgb, NULL);
        if (st == STATUS_OK) image_normalize(&rgb, plan_input(p, i));
        image_destroy(&rgb);
        if (st != STATUS_OK) {
#pragma omp critical(worst)
            worst = st;
        }
    }
    return worst;
}

/* Outputs of `count` images to rows. */
static void store_rows(const extraction *e, const plan *p, int count, void *rows) {
    int h, w;
    dtype type = e->b->rows.type;
    size_t d = (size_t)e->b->rows.d;
    bool normalize = e->t->s->extract.normalize;
    plan_output_shape(p, 0, &h, &w, &(int){0});
    size_t pixels = (size_t)h * (size_t)w;
#pragma omp parallel for schedule(static) num_threads(setup_threads(e->t->s))
    for (int i = 0; i < count; i++) {
        const float *from = plan_output(p, 0, i);
        float *room = e->room + (size_t)omp_get_thread_num() * d;
        for (size_t r = 0; r < pixels; r++, from += d) {
            void *to = row_at(rows, ((size_t)i * pixels + r) * d, type);
            float *row = row_room(room, to, type);
            memcpy(row, from, d * sizeof *row);
            if (normalize) normalize_row(row, (int)d);
            row_done(to, row, d, type);
        }
    }
}

static bool in_bf16(const settings *s) {
    return strcmp(s->extract.dtype, "bf16") == 0;
}

/* Shapes of this rank's images at the features' stride, and memory for their rows. */
static status block_create(const stage *t, const inference *net, feature_block *b) {
    int64_t n = setup_training(t->d);
    b->first = shard_begin(n, comm_rank(t->c), comm_size(t->c));
    b->images = shard_begin(n, comm_rank(t->c) + 1, comm_size(t->c)) - b->first;
    b->height = memory_alloc((size_t)b->images, sizeof *b->height, "feature shapes");
    b->width = memory_alloc((size_t)b->images, sizeof *b->width, "feature shapes");
    if (!b->height || !b->width) return STATUS_FAILED;
    /* Principal components are those of rows that are not rounded yet. */
    bool rounded = in_bf16(t->s) && t->s->extract.pca == 0;
    b->rows = (features){.d = inference_channels(net), .type = rounded ? DTYPE_BF16 : DTYPE_F32};
    int stride = inference_stride(net);
    for (int64_t i = 0; i < b->images; i++) {
        int h, w;
        dataset_shape(t->d, (int)(b->first + i), t->s->dataset.scale, &h, &w);
        b->height[i] = (h + stride - 1) / stride;
        b->width[i] = (w + stride - 1) / stride;
        b->rows.n += (size_t)b->height[i] * (size_t)b->width[i];
    }
    size_t row = (size_t)b->rows.d * dtype_size(b->rows.type);
    b->rows.data = memory_alloc(b->rows.n, row, "features");
    return b->rows.data ? STATUS_OK : STATUS_FAILED;
}

/* Images of one shape from `at` on (counted in the block): their rows. */
static status compute_run(const extraction *e, int at, int count, void *rows) {
    int height, width, first = (int)e->b->first + at;
    plan *p = NULL;
    dataset_shape(e->t->d, first, e->t->s->dataset.scale, &height, &width);
    status st = inference_plan(e->net, height, width, &p);
    if (st == STATUS_OK) st = load_inputs(e->t, p, first, count);
    if (st == STATUS_OK) st = plan_forward(p, count, &(step_context){0});
    if (st == STATUS_OK) store_rows(e, p, count, rows);
    return st;
}

static status compute_block(const extraction *e) {
    const stage *t = e->t;
    feature_block *b = e->b;
    status st = STATUS_OK;
    progress bar = progress_begin("extract", "images", 0, b->images);
    size_t row = 0, d = (size_t)b->rows.d;
    for (int i = 0, count; st == STATUS_OK && i < b->images; i += count) {
        count = inference_run(e->net, t->d, NULL, (int)b->first + i, (int)(b->first + b->images),
            t->s->dataset.scale);
        st = compute_run(e, i, count, row_at(b->rows.data, row * d, b->rows.type));
        row += (size_t)count * (size_t)b->height[i] * (size_t)b->width[i];
        progress_update(&bar, i + count, "");
        if (st == STATUS_OK && stop_requested()) st = STATUS_STOPPED;
    }
    progress_end(&bar, b->images, "");
    return st;
}

static status write_block(
    const stage *t, const inference *net, const extract_request *q, const feature_block *b) {
    const char **names = stage_names(t);
    if (!names) return STATUS_FAILED;
    status st = features_write(
        t->c, q->file, b, names, setup_training(t->d), q->layers, inference_stride(net), q->key);
    memory_free(names);
    return st;
}

/* Rows that the projection left in float32 become what extract.dtype says. */
static status round_rows(const settings *s, features *x) {
    size_t d = (size_t)x->d;
    if (!in_bf16(s) || x->type == DTYPE_BF16) return STATUS_OK;
    uint16_t *y = memory_alloc(x->n * d, sizeof *y, "rounded features");
    if (!y) return STATUS_FAILED;
    const float *from = x->data;
#pragma omp parallel for num_threads(setup_threads(s))
    for (size_t i = 0; i < x->n; i++) row_store(y + i * d, from + i * d, d, DTYPE_BF16);
    memory_free(x->data);
    x->data = y;
    x->type = DTYPE_BF16;
    return STATUS_OK;
}

static status compute_all(extraction *e, const extract_request *q) {
    const stage *t = e->t;
    double began = timer_now();
    size_t threads = (size_t)setup_threads(t->s);
    status st = block_create(t, e->net, e->b);
    e->room = memory_alloc(threads * (size_t)e->b->rows.d, sizeof *e->room, "a row a thread");
    if (st == STATUS_OK && !e->room) st = STATUS_FAILED;
    if (st == STATUS_OK) st = compute_block(e);
    st = comm_agree(t->c, st);
    if (st == STATUS_OK)
        log_info("features: %s of %s, %d dimensions at stride %d, %.1f images/s", q->layers,
            q->weights, e->b->rows.d, inference_stride(e->net),
            setup_training(t->d) / (timer_now() - began));
    return st;
}

status extract_compute(stage *t, const extract_request *q, feature_block *out) {
    feature_block b = {0};
    extraction e = {.t = t, .b = &b};
    status st = inference_create(&e.net, t->c, t->s, t->d, NETWORK_FEATURES, q->layers, q->weights);
    if (st == STATUS_OK) st = compute_all(&e, q);
    if (st == STATUS_OK) st = reduce_features(t, &b);
    if (st == STATUS_OK) st = comm_agree(t->c, round_rows(t->s, &b.rows));
    if (st == STATUS_OK && q->keep) st = write_block(t, e.net, q, &b);
    inference_destroy(e.net);
    memory_free(e.room);
    if (st == STATUS_OK)
        *out = b;
    else
        feature_block_destroy(&b);
    return st;
}
