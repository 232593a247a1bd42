#include "src/app/extract.h"

#include "io/npy_rows.h"
#include "mpi/shard.h"
#include "src/app/commands.h"
#include "src/app/inference.h"
#include "src/app/reduce.h"
#include "src/app/setup.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/stop.h"
#include "src/base/timer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool extract_from_finetuned(const settings *s, int round) {
    return round > 1 || strcmp(s->extract.source, "finetuned") == 0;
}

status extract_weights_path(char *path, const settings *s, int round) {
    /* Later rounds extract with what the round before has learnt. */
    if (round > 1) return setup_path(path, s, "finetuned.safetensors", round - 1);
    if (extract_from_finetuned(s, round)) return setup_path(path, s, "baseline.safetensors", 1);
    const char *given = s->extract.weights[0] ? s->extract.weights : s->model.weights;
    if (strlen(given) >= FILE_PATH) {
        log_error("%s: path too long", given);
        return STATUS_USAGE;
    }
    strcpy(path, given);
    return STATUS_OK;
}

void extract_layers(char *text, const settings *s, int round) {
    if (s->extract.layers[0])
        snprintf(text, 64, "%.63s", s->extract.layers);
    else if (extract_from_finetuned(s, round))
        snprintf(text, 64, "head");
    else
        snprintf(text, 64, "layer%d", s->model.stages);
}

typedef struct feature_request {
    char weights[FILE_PATH], file[FILE_PATH], layers[64];
    uint64_t key; /* hash of everything that the features depend on */
    bool keep;
} feature_request;

/* Features of other stages than this one have the same key: a copy of the stage computes it. */
static status extract_key(const stage *t, const char *weights, uint64_t *key) {
    stage copy = *t;
    status st = stage_key(&copy, "dataset,model,extract", weights, 0);
    *key = copy.key;
    return st;
}

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

static void store_rows(const settings *s, const plan *p, int count, feature_block *b, size_t row) {
    int h, w, d = b->rows.d;
    plan_output_shape(p, 0, &h, &w, &(int){0});
    size_t pixels = (size_t)h * (size_t)w;
#pragma omp parallel for schedule(static) num_threads(setup_threads(s))
    for (int i = 0; i < count; i++) {
        float *to = (float *)b->rows.data + (row + (size_t)i * pixels) * (size_t)d;
        memcpy(to, plan_output(p, 0, i), pixels * (size_t)d * sizeof *to);
        for (size_t r = 0; s->extract.normalize && r < pixels; r++)
            normalize_row(to + r * (size_t)d, d);
    }
}

/* Shapes of this rank's images at the features' stride, and memory for their rows. */
static status block_create(const stage *t, const inference *net, feature_block *b) {
    int64_t n = setup_training(t->d);
    b->first = shard_begin(n, comm_rank(t->c), comm_size(t->c));
    b->images = shard_begin(n, comm_rank(t->c) + 1, comm_size(t->c)) - b->first;
    b->height = memory_alloc((size_t)b->images, sizeof *b->height, "feature shapes");
    b->width = memory_alloc((size_t)b->images, sizeof *b->width, "feature shapes");
    if (!b->height || !b->width) return STATUS_FAILED;
    b->rows = (features){.d = inference_channels(net), .type = DTYPE_F32};
    int stride = inference_stride(net);
    for (int64_t i = 0; i < b->images; i++) {
        int h, w;
        dataset_shape(t->d, (int)(b->first + i), t->s->dataset.scale, &h, &w);
        b->height[i] = (h + stride - 1) / stride;
        b->width[i] = (w + stride - 1) / stride;
        b->rows.n += (size_t)b->height[i] * (size_t)b->width[i];
    }
    b->rows.data = memory_alloc(b->rows.n * (size_t)b->rows.d, sizeof(float), "features");
    return b->rows.data ? STATUS_OK : STATUS_FAILED;
}

/* Images of one shape from `at` on (counted in the block): rows from `row` on. */
static status compute_run(
    const stage *t, inference *net, feature_block *b, int at, int count, size_t row) {
    int height, width;
    plan *p = NULL;
    dataset_shape(t->d, (int)b->first + at, t->s->dataset.scale, &height, &width);
    status st = inference_plan(net, height, width, &p);
    if (st == STATUS_OK) st = load_inputs(t, p, (int)b->first + at, count);
    if (st == STATUS_OK) st = plan_forward(p, count, &(step_context){0});
    if (st == STATUS_OK) store_rows(t->s, p, count, b, row);
    return st;
}

static status compute_block(const stage *t, inference *net, feature_block *b) {
    status st = block_create(t, net, b);
    progress bar = progress_begin("extract", "images", 0, b->images);
    size_t row = 0;
    for (int i = 0, count; st == STATUS_OK && i < b->images; i += count) {
        count = inference_run(
            net, t->d, NULL, (int)b->first + i, (int)(b->first + b->images), t->s->dataset.scale);
        st = compute_run(t, net, b, i, count, row);
        row += (size_t)count * (size_t)b->height[i] * (size_t)b->width[i];
        progress_update(&bar, i + count, "");
        if (st == STATUS_OK && stop_requested()) st = STATUS_STOPPED;
    }
    progress_end(&bar, b->images, "");
    return st;
}

static status write_block(
    const stage *t, const inference *net, const feature_request *q, const feature_block *b) {
    const char **names = stage_names(t);
    if (!names) return STATUS_FAILED;
    status st = features_write(
        t->c, q->file, b, names, setup_training(t->d), q->layers, inference_stride(net), q->key);
    memory_free(names);
    return st;
}

/* The features as a network computes them now. */
static status compute_features(stage *t, const feature_request *q, feature_block *b) {
    inference *net = NULL;
    double began = timer_now();
    status st = inference_create(&net, t->c, t->s, t->d, NETWORK_FEATURES, q->layers, q->weights);
    if (st == STATUS_OK) st = comm_agree(t->c, compute_block(t, net, b));
    if (st == STATUS_OK)
        log_info("features: %s of %s, %d dimensions at stride %d, %.1f images/s", q->layers,
            q->weights, b->rows.d, inference_stride(net),
            setup_training(t->d) / (timer_now() - began));
    if (st == STATUS_OK) st = reduce_features(t, b);
    if (st == STATUS_OK && q->keep) st = write_block(t, net, q, b);
    inference_destroy(net);
    return st;
}

/* Whether features.h5 holds just these features and may be used. Collective. */
static bool features_kept(const stage *t, const feature_request *q) {
    features_info info;
    int32_t kept = comm_root(t->c) && strcmp(t->s->run.resume, "auto") == 0 &&
                   file_exists(q->file) && features_about(q->file, &info) == STATUS_OK &&
                   info.key == q->key;
    comm_max_i32(t->c, &kept, 1);
    return kept;
}

/* extract.npy is written where the features are computed, and whenever they are asked for. */
static status write_npy(const stage *t, const feature_block *b, bool computed) {
    const char *path = t->s->extract.npy;
    if (!path[0] || t->round > 1) return STATUS_OK;
    if (!computed && strcmp(t->base, "extract") != 0) return STATUS_OK;
    status st = npy_write_rows(t->c, path, &b->rows);
    if (st == STATUS_OK) log_info("features: written to %s", path);
    return st;
}

status extract_features(stage *t, bool keep, feature_block *out) {
    feature_request q = {.keep = keep};
    feature_block b = {0};
    extract_layers(q.layers, t->s, t->round);
    status st = comm_agree(t->c, extract_weights_path(q.weights, t->s, t->round));
    if (st == STATUS_OK) st = stage_path(t, q.file, "features.h5");
    if (st == STATUS_OK) st = extract_key(t, q.weights, &q.key);
    if (st != STATUS_OK) return st;

    bool kept = features_kept(t, &q);
    if (kept) {
        st = features_read(t->c, q.file, q.key, &b);
        if (st == STATUS_OK) log_info("features: %s read from %s", q.layers, q.file);
    } else {
        st = compute_features(t, &q, &b);
    }
    if (st == STATUS_OK) st = write_npy(t, &b, !kept);
    if (st == STATUS_OK)
        *out = b;
    else
        feature_block_destroy(&b);
    return st;
}

status command_extract(const comm *c, const settings *s) {
    stage t;
    feature_block b = {0};
    status st = stage_begin(&t, c, s, "extract", 1);
    if (st == STATUS_OK) st = extract_features(&t, true, &b);
    if (st == STATUS_OK && t.record) st = run_record_save(t.record);
    st = comm_agree(c, st);
    feature_block_destroy(&b);
    stage_end(&t);
    return st;
}
