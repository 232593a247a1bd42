#include "src/app/extract.h"

#include "mpi/shard.h"
#include "src/app/commands.h"
#include "src/app/inference.h"
#include "src/app/setup.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/stop.h"
#include "src/base/timer.h"

#include <math.h>
#include <omp.h>
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

/* Hash of everything that the features depend on. Collective: rank 0 reads the weights. */
static status features_key(
    const comm *c, const settings *s, const dataset *d, const char *weights, uint64_t *key) {
    uint64_t parts[3] = {dataset_hash(d), settings_hash(s, "model,extract"), 0};
    status st = comm_root(c) ? file_hash(weights, &parts[2]) : STATUS_OK;
    st = comm_agree(c, st);
    if (st != STATUS_OK) return st;
    comm_broadcast(c, &parts[2], sizeof parts[2]);
    *key = hash_append(hash_bytes(parts, sizeof parts), &s->dataset.scale, sizeof s->dataset.scale);
    return STATUS_OK;
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
static status load_inputs(const dataset *d, const settings *s, plan *p, int first, int count) {
    status worst = STATUS_OK;
#pragma omp parallel for schedule(dynamic)
    for (int i = 0; i < count; i++) {
        image rgb = {0};
        status st = dataset_load(d, first + i, s->dataset.scale, &rgb, NULL);
        if (st == STATUS_OK) image_normalize(&rgb, plan_input(p, i));
        image_destroy(&rgb);
        if (st != STATUS_OK) {
#pragma omp critical
            worst = st;
        }
    }
    return worst;
}

static void store_rows(const settings *s, const plan *p, int count, feature_block *b, size_t row) {
    int h, w, d = b->rows.d;
    plan_output_shape(p, 0, &h, &w, &(int){0});
    size_t pixels = (size_t)h * (size_t)w;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < count; i++) {
        float *to = (float *)b->rows.data + (row + (size_t)i * pixels) * (size_t)d;
        memcpy(to, plan_output(p, 0, i), pixels * (size_t)d * sizeof *to);
        for (size_t r = 0; s->extract.normalize && r < pixels; r++)
            normalize_row(to + r * (size_t)d, d);
    }
}

/* Shapes of this rank's images at the features' stride, and memory for their rows. */
static status block_create(
    const comm *c, const settings *s, const dataset *d, inference *net, feature_block *b) {
    int64_t n = setup_training(d);
    b->first = shard_begin(n, comm_rank(c), comm_size(c));
    b->images = shard_begin(n, comm_rank(c) + 1, comm_size(c)) - b->first;
    b->height = memory_alloc((size_t)b->images, sizeof *b->height, "feature shapes");
    b->width = memory_alloc((size_t)b->images, sizeof *b->width, "feature shapes");
    if (!b->height || !b->width) return STATUS_FAILED;
    b->rows = (features){.d = inference_channels(net), .type = DTYPE_F32};
    int stride = inference_stride(net);
    for (int64_t i = 0; i < b->images; i++) {
        int h, w;
        dataset_shape(d, (int)(b->first + i), s->dataset.scale, &h, &w);
        b->height[i] = (h + stride - 1) / stride;
        b->width[i] = (w + stride - 1) / stride;
        b->rows.n += (size_t)b->height[i] * (size_t)b->width[i];
    }
    b->rows.data = memory_alloc(b->rows.n * (size_t)b->rows.d, sizeof(float), "features");
    return b->rows.data ? STATUS_OK : STATUS_FAILED;
}

static status compute_block(
    const comm *c, const settings *s, const dataset *d, inference *net, feature_block *b) {
    status st = block_create(c, s, d, net, b);
    int *list = memory_alloc((size_t)b->images, sizeof *list, "image list");
    if (!list) st = STATUS_FAILED;
    for (int64_t i = 0; st == STATUS_OK && i < b->images; i++) list[i] = (int)(b->first + i);
    progress bar = progress_begin("extract", "images", 0, b->images);
    size_t row = 0;
    for (int i = 0, count; st == STATUS_OK && i < b->images; i += count) {
        count = inference_run(net, d, list, i, (int)b->images, s->dataset.scale);
        int height, width;
        plan *p = NULL;
        dataset_shape(d, list[i], s->dataset.scale, &height, &width);
        st = inference_plan(net, height, width, &p);
        if (st == STATUS_OK) st = load_inputs(d, s, p, list[i], count);
        if (st == STATUS_OK) st = plan_forward(p, count, &(step_context){0});
        if (st != STATUS_OK) break;
        store_rows(s, p, count, b, row);
        row += (size_t)count * (size_t)b->height[i] * (size_t)b->width[i];
        progress_update(&bar, i + count, "");
        if (stop_requested()) st = STATUS_STOPPED;
    }
    progress_end(&bar, b->images, "");
    memory_free(list);
    return st;
}

static status write_block(const comm *c, const dataset *d, const char *path, const inference *net,
    const char *layers, uint64_t key, const feature_block *b) {
    int n = setup_training(d);
    const char **names = memory_alloc((size_t)n, sizeof *names, "image names");
    status st = comm_agree(c, names ? STATUS_OK : STATUS_FAILED);
    for (int i = 0; names && i < n; i++) names[i] = dataset_get(d, i).name;
    if (st == STATUS_OK)
        st = features_write(c, path, b, names, n, layers, inference_stride(net), key);
    memory_free(names);
    return st;
}

/* The features as a network computes them now. */
static status compute_features(const comm *c, const settings *s, const dataset *d,
    const feature_request *q, feature_block *b) {
    inference *net = NULL;
    double began = timer_now();
    status st = inference_create(&net, c, s, d, NETWORK_FEATURES, q->layers, q->weights);
    if (st == STATUS_OK) st = comm_agree(c, compute_block(c, s, d, net, b));
    if (st == STATUS_OK)
        log_info("features: %s of %s, %d dimensions at stride %d, %.1f images/s", q->layers,
            q->weights, b->rows.d, inference_stride(net),
            setup_training(d) / (timer_now() - began));
    if (st == STATUS_OK && q->keep) st = write_block(c, d, q->file, net, q->layers, q->key, b);
    inference_destroy(net);
    return st;
}

status extract_features(
    const comm *c, const settings *s, const dataset *d, int round, bool keep, feature_block *out) {
    feature_request q = {.keep = keep};
    feature_block b = {0};
    extract_layers(q.layers, s, round);
    status st = extract_weights_path(q.weights, s, round);
    if (st == STATUS_OK) st = setup_path(q.file, s, "features.h5", round);
    st = comm_agree(c, st);
    if (st == STATUS_OK) st = features_key(c, s, d, q.weights, &q.key);
    if (st != STATUS_OK) return st;

    int32_t exists = comm_root(c) && file_exists(q.file);
    comm_max_i32(c, &exists, 1);
    if (exists && features_read(c, q.file, q.key, &b) == STATUS_OK)
        log_info("features: %s read from %s", q.layers, q.file);
    else
        st = compute_features(c, s, d, &q, &b);
    if (st == STATUS_OK)
        *out = b;
    else
        feature_block_destroy(&b);
    return st;
}

status command_extract(const comm *c, const settings *s) {
    dataset *d = NULL;
    feature_block b = {0};
    status st = setup_dataset(c, s, &d);
    if (st == STATUS_OK) st = extract_features(c, s, d, 1, true, &b);
    feature_block_destroy(&b);
    dataset_close(d);
    return st;
}
