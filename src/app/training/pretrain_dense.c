/* The dense part of DenseCL (Wang, Zhang, Shen, Kong, Li 2021, arXiv:2011.09157): the loss is
 * (1 - w) times that of instance contrast plus w times the mean over the cells of the encoder's
 * map, w being pretrain.dense_weight. Cells have a projection head of their own. Which cell of the
 * other view is a cell's positive follows from the encoder's features, of the network that learns
 * here and of the averaged one there; views of one image are on one rank, so that features never
 * travel. The queue has a row a view, the mean of its dense embeddings, as in the authors' code.
 *
 * Cells go in tiles, by all threads: a view's map is work for several. */
#include "src/app/training/pretrain_dense.h"

#include "src/base/memory.h"
#include "src/base/unit_length.h"
#include "src/contrast/unit_rows.h"

#include <string.h>

enum { OWN_QUEUE = 1 }; /* beside the queue of whole views, which has draws of its own */

status dense_create_queue(dense *x, const settings *s, size_t n) {
    return key_queue_create(&x->queue, n, s->model.projection, (uint64_t)s->run.seed, OWN_QUEUE);
}

/* Of the views of this rank. */
static status create_views(dense *x) {
    size_t local = (size_t)x->t->local, images = (size_t)x->t->o.images, d = (size_t)x->queue.d;
    x->key = memory_alloc(local, (size_t)x->cells * d * sizeof *x->key, "keys");
    x->pooled = memory_alloc(images, d * sizeof *x->pooled, "keys");
    x->loss = memory_alloc(local, (size_t)x->tiles * sizeof *x->loss, "losses of images");
    x->feature = memory_alloc(local, sizeof *x->feature, "features of keys");
    if (x->feature) memset(x->feature, 0, local * sizeof *x->feature);
    if (!x->key || !x->pooled || !x->loss || !x->feature) return STATUS_FAILED;
    for (size_t i = 0; i < local; i++) {
        status st = panels_create(&x->feature[i], (size_t)x->cells, x->channels);
        if (st != STATUS_OK) return st;
    }
    return STATUS_OK;
}

/* A thread's row holds a feature, or a tile's queries and their gradients. */
static size_t row_floats(const dense *x) {
    size_t rows = 2 * TILE_ROWS * (size_t)x->queue.d, channels = (size_t)x->channels;
    return rows > channels ? rows : channels;
}

static status create_work(dense *x) {
    size_t threads = (size_t)x->t->threads, d = (size_t)x->queue.d;
    x->work = memory_alloc(threads, sizeof *x->work, "similarities of keys");
    x->mean = memory_alloc(threads, d * sizeof *x->mean, "embeddings");
    x->row = memory_alloc(threads, row_floats(x) * sizeof *x->row, "embeddings");
    x->scale = memory_alloc(threads, TILE_ROWS * sizeof *x->scale, "embeddings");
    if (x->work) memset(x->work, 0, threads * sizeof *x->work);
    if (!x->work || !x->mean || !x->row || !x->scale) return STATUS_FAILED;
    for (size_t i = 0; i < threads; i++) {
        status st = dense_work_create(&x->work[i], &x->negatives, (size_t)x->cells, x->channels);
        if (st != STATUS_OK) return st;
    }
    return STATUS_OK;
}

status dense_create(dense *x, trainer *t) {
    int h, w;
    x->t = t;
    plan_output_shape(t->plan, 2, &h, &w, &x->channels);
    x->cells = h * w;
    x->tiles = (x->cells + TILE_ROWS - 1) / TILE_ROWS;
    status st = dense_negatives_create(&x->negatives, &x->queue);
    if (st == STATUS_OK) st = create_views(x);
    return st == STATUS_OK ? create_work(x) : st;
}

void dense_destroy(dense *x) {
    for (int i = 0; x->feature && i < x->t->local; i++) panels_destroy(&x->feature[i]);
    for (int i = 0; x->work && i < x->t->threads; i++) dense_work_destroy(&x->work[i]);
    dense_negatives_destroy(&x->negatives);
    key_queue_destroy(&x->queue);
    memory_free(x->feature);
    memory_free(x->key);
    memory_free(x->pooled);
    memory_free(x->loss);
    memory_free(x->work);
    memory_free(x->mean);
    memory_free(x->row);
    memory_free(x->scale);
    *x = (dense){0};
}

/* All that other views are compared with; of the features, the directions alone. */
void dense_take_keys(dense *x, const plan *encoder, int at, int i, int thread) {
    size_t d = (size_t)x->queue.d;
    const float *embedding = plan_output(encoder, 1, at), *feature = plan_output(encoder, 2, at);
    float *key = x->key + (size_t)i * (size_t)x->cells * d;
    float *pooled = x->pooled + (size_t)(x->t->first + i) * d;
    float *row = x->row + (size_t)thread * row_floats(x);
    dense_pool(embedding, (size_t)x->cells, x->queue.d, x->mean + (size_t)thread * d, pooled);
    for (size_t c = 0; c < (size_t)x->cells; c++) {
        unit_length_row(embedding + c * d, x->queue.d, key + c * d);
        unit_length_row(feature + c * (size_t)x->channels, x->channels, row);
        panels_put(&x->feature[i], c, row);
    }
}

/* The key's view is the other one of the image, local view i ^ 1. The map itself is an output
 * for its features alone: none of its gradient comes from there. */
void dense_tile_loss(dense *x, int i, int at, int tile, int32_t of, int thread) {
    trainer *t = x->t;
    int first = tile * TILE_ROWS, count = x->cells - first, pixel[TILE_ROWS], match[TILE_ROWS];
    size_t d = (size_t)x->queue.d, channels = (size_t)x->channels, other = (size_t)(i ^ 1);
    if (count > TILE_ROWS) count = TILE_ROWS;
    float *query = x->row + (size_t)thread * row_floats(x), *back = query + TILE_ROWS * d;
    dense_work *w = &x->work[thread];
    for (int k = 0; k < count; k++) pixel[k] = k;
    unit_rows r = {count, x->queue.d, pixel, query, x->scale + (size_t)thread * TILE_ROWS};
    unit_rows_take(&r, plan_output(t->plan, 1, at) + (size_t)first * d);
    dense_match(plan_output(t->plan, 2, at) + (size_t)first * channels, count, &x->feature[other],
        w, match);
    dense_queries q = {count, query, x->key + other * (size_t)x->cells * d, match, of};
    double scale = t->s->pretrain.dense_weight / ((double)t->o.images * x->cells);
    x->loss[(size_t)i * (size_t)x->tiles + (size_t)tile] =
        dense_nce(&q, &x->negatives, t->s->pretrain.key_temperature, scale, w, back);
    float *to = plan_output_gradient(t->plan, 1, at) + (size_t)first * d;
    memset(to, 0, (size_t)count * d * sizeof *to);
    unit_rows_scatter(&r, back, to);
    memset(plan_output_gradient(t->plan, 2, at) + (size_t)first * channels, 0,
        (size_t)count * channels * sizeof(float));
}

void dense_add_loss(const dense *x, int i, double *loss) {
    double sum = 0;
    for (int k = 0; k < x->tiles; k++) sum += x->loss[(size_t)i * (size_t)x->tiles + (size_t)k];
    *loss += x->t->s->pretrain.dense_weight * sum / x->cells;
}

void dense_put(dense *x, uint64_t before, const int32_t *source) {
    size_t count = (size_t)x->t->o.images;
    key_queue_put(&x->queue, before, x->pooled, source, count);
    for (size_t i = 0; i < count; i++)
        dense_negatives_update(&x->negatives, (size_t)((before + i) % x->queue.n));
}
