/* Instance contrast: MoCo v2 (He, Fan, Wu, Xie, Girshick 2020, arXiv:1911.05722; Chen, Fan,
 * Girshick, He 2020, arXiv:2003.04297). Each view of an image is to be told from all other images
 * by the other view of it: its embedding, of the whole view, is compared with the other one's key
 * and with a queue of earlier keys. Keys come from the average of the weights over the steps, which
 * changes slowly, so that keys of different steps can be compared with each other: with a fast one
 * those of the queue differ from the query's own by their age.
 * It is the rival of the contrast of pixels, on the same crops, schedule and images, and a way to a
 * network that was trained without any label, to extract from. DenseCL is the same training with a
 * second part in the loss, which src/app/training/pretrain_dense.h has.
 *
 * A query's loss depends on its own embedding alone, all keys being constants: one pass forward and
 * back a wave does. Keys of all ranks are gathered in the order of the batch, and each rank puts
 * all of them into its queue. */
#include "src/app/training/pretrain_instance.h"

#include "src/app/stage/setup.h"
#include "src/app/training/batches.h"
#include "src/app/training/pretrain_dense.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/unit_length.h"
#include "src/contrast/info_nce.h"
#include "src/contrast/unit_rows.h"

#include <math.h>
#include <omp.h>
#include <string.h>

enum { EXTRAS = 2 }; /* of a queue */

typedef struct instance {
    trainer *t; /* borrowed */
    samples *images;
    batches *source;
    const batch *now;
    plan *encoder; /* of keys */
    int chunk;     /* views of a call of it */
    key_queue queue;
    bool has_cells; /* method "dense" */
    dense cells;
    double share;                       /* of this loss in the whole one */
    checkpoint_extra extra[2 * EXTRAS]; /* the queues */
    float *key;                         /* [images, D] of the global batch, of length 1 */
    int32_t *image;                     /* [images] */
    size_t *views;                      /* [ranks], how many each holds */
    size_t *bytes;                      /* [ranks], of a gathering */
    double *loss;                       /* [images] */
    double *term, *sum;                 /* [threads, queue], [threads, D] */
    float *row;                         /* [threads, 2, D]: query, gradient */
} instance;

/* Views alone: pixels take no part. One label stands for all, as batches want some. */
static status load_pair(void *context, batch *b, int part) {
    const instance *x = context;
    uint16_t nothing = LABEL_IGNORE;
    const labelmap none = {1, 1, &nothing};
    sample m;
    status st = samples_get(x->images, b->source[part], &m);
    if (st != STATUS_OK) return st;
    for (int k = 0; k < 2 && st == STATUS_OK; k++) {
        st = batch_view(b, 2 * part + k, &m, &none, NULL);
        b->count[2 * part + k] = 0;
    }
    samples_release(&m);
    return st;
}

/* The authors' queue is a twentieth of an epoch of ImageNet. Of a few hundred images it would hold
 * keys of a hundred epochs, nearly all of them stale. */
static size_t queue_length(const settings *s, int images) {
    int64_t n = s->pretrain.queue, epoch = 2 * (int64_t)images,
            step = 2 * (int64_t)s->pretrain.batch;
    if (n > epoch) n = epoch;
    return (size_t)(n < step ? step : n);
}

static void save_queue(checkpoint_extra *to, const key_queue *q, const char *keys, const char *of) {
    to[0] =
        (checkpoint_extra){.name = keys, .type = "F32", .data = q->key, .n = q->n * (size_t)q->d};
    to[1] = (checkpoint_extra){.name = of, .type = "I32", .data = q->image, .n = q->n};
}

/* Before the trainer, which may find the queues in a checkpoint. */
static status create_queues(instance *x, const settings *s, int images) {
    size_t n = queue_length(s, images);
    x->has_cells = s->pretrain.method == PRETRAIN_METHOD_DENSE;
    x->share = x->has_cells ? 1 - s->pretrain.dense_weight : 1;
    status st = key_queue_create(&x->queue, n, s->model.projection, (uint64_t)s->run.seed, 0);
    if (st != STATUS_OK) return st;
    save_queue(x->extra, &x->queue, "queue.keys", "queue.images");
    if (x->has_cells) st = dense_create_queue(&x->cells, s, n);
    if (x->has_cells && st == STATUS_OK)
        save_queue(x->extra + EXTRAS, &x->cells.queue, "dense_queue.keys", "dense_queue.images");
    return st;
}

/* Keys of single views: norms by running statistics, so that a key tells nothing of the views
 * beside it, which shuffled batches are for in the paper. */
static status create_encoder(instance *x) {
    trainer *t = x->t;
    plan_options o = {.height = t->o.crop,
        .width = t->o.crop,
        .mode = PLAN_INFER,
        .images = t->threads,
        .threads = t->threads};
    arithmetic_set(t->o.how, &o);
    x->chunk = o.images;
    return plan_create(&x->encoder, t->g, t->average ? t->average : t->p, o);
}

static status create_rows(instance *x) {
    const trainer *t = x->t;
    size_t d = (size_t)x->queue.d, images = (size_t)t->o.images, threads = (size_t)t->threads;
    size_t ranks = (size_t)comm_size(t->c);
    x->key = memory_alloc(images, d * sizeof *x->key, "keys");
    x->image = memory_alloc(images, sizeof *x->image, "keys");
    x->views = memory_alloc(ranks, sizeof *x->views, "keys");
    x->bytes = memory_alloc(ranks, sizeof *x->bytes, "keys");
    x->loss = memory_alloc(images, sizeof *x->loss, "losses of images");
    x->term = memory_alloc(threads, x->queue.n * sizeof *x->term, "similarities of keys");
    x->sum = memory_alloc(threads, d * sizeof *x->sum, "similarities of keys");
    x->row = memory_alloc(threads, 2 * d * sizeof *x->row, "embeddings");
    bool all = x->key && x->image && x->views && x->bytes && x->loss && x->term && x->sum && x->row;
    if (!all) return STATUS_FAILED;
    status st = x->has_cells ? dense_create(&x->cells, x->t) : STATUS_OK;
    return st == STATUS_OK ? create_encoder(x) : st;
}

/* Collective. */
static status create(instance *x, order *sequence) {
    trainer *t = x->t;
    status st = comm_agree(t->c, create_rows(x));
    if (st != STATUS_OK) return st;
    size_t mine = (size_t)t->local;
    for (int i = 0; i < comm_size(t->c); i++) x->bytes[i] = sizeof mine;
    comm_gather(t->c, &mine, x->bytes, x->views);
    batches_options o = {.sequence = sequence,
        .views = setup_views(&t->s->pretrain.view, t->o.crop),
        .label_height = 1,
        .label_width = 1,
        .wanted = 1,
        .make = load_pair,
        .context = x};
    return batches_create(&x->source, t, &o);
}

static void destroy(instance *x) {
    batches_destroy(x->source);
    samples_destroy(x->images);
    plan_destroy(x->encoder);
    key_queue_destroy(&x->queue);
    dense_destroy(&x->cells);
    memory_free(x->key);
    memory_free(x->image);
    memory_free(x->views);
    memory_free(x->bytes);
    memory_free(x->loss);
    memory_free(x->term);
    memory_free(x->sum);
    memory_free(x->row);
}

/* Each view's bytes `each`, in the order of the batch; this rank's stand in their place. */
static void gather(const instance *x, void *all, size_t each) {
    const trainer *t = x->t;
    for (int i = 0; i < comm_size(t->c); i++) x->bytes[i] = x->views[i] * each;
    comm_gather(t->c, (char *)all + (size_t)t->first * each, x->bytes, all);
}

/* In chunks of whole views; which chunk a view is in does not change its key. */
static status encode(instance *x) {
    trainer *t = x->t;
    size_t d = (size_t)x->queue.d, floats = (size_t)t->o.crop * (size_t)t->o.crop * 3;
    const float *input = t->waves.count > 1 ? t->input : plan_input(t->plan, 0);
    status st = plan_pack(x->encoder);
    for (int first = 0; first < t->local && st == STATUS_OK; first += x->chunk) {
        int count = t->local - first < x->chunk ? t->local - first : x->chunk;
        memcpy(plan_input(x->encoder, 0), input + (size_t)first * floats,
            (size_t)count * floats * sizeof *input);
        st = plan_forward(x->encoder, count, &(step_context){0});
        if (st != STATUS_OK) break;
        for (int i = 0; i < count; i++)
            unit_length_row(plan_output(x->encoder, 0, i), x->queue.d,
                x->key + (size_t)(t->first + first + i) * d);
        if (!x->has_cells) continue;
#pragma omp parallel for schedule(dynamic) num_threads(t->threads)
        for (int i = 0; i < count; i++)
            dense_take_keys(&x->cells, x->encoder, i, first + i, omp_get_thread_num());
    }
    return st;
}

/* The step's batch, and all keys of it on every rank. Collective. */
static status load(instance *x) {
    trainer *t = x->t;
    batch *b;
    status st = comm_agree(t->c, batches_next(x->source, &b));
    if (st != STATUS_OK) return st;
    x->now = b;
    for (int i = 0; i < t->local; i++) x->image[t->first + i] = b->source[i / 2];
    double now = timer_now();
    st = comm_agree(t->c, encode(x));
    now = timer_lap(&t->time, PHASE_FORWARD, now);
    if (st != STATUS_OK) return st;
    gather(x, x->key, (size_t)x->queue.d * sizeof *x->key);
    if (x->has_cells) gather(x, x->cells.pooled, (size_t)x->queue.d * sizeof *x->cells.pooled);
    gather(x, x->image, sizeof *x->image);
    timer_lap(&t->time, PHASE_EXCHANGE, now);
    return STATUS_OK;
}

/* Local image i, the plan's image `at`, by one thread: its loss, and the gradient through the
 * normalisation to its embedding. Its key is that of the image's other view. */
static void image_loss(instance *x, int i, int at, int thread) {
    trainer *t = x->t;
    size_t d = (size_t)x->queue.d;
    int place = t->first + i, pixel = 0;
    double scale;
    float *query = x->row + (size_t)thread * 2 * d, *back = query + d;
    float *to = plan_output_gradient(t->plan, 0, at);
    unit_rows r = {.count = 1, .d = x->queue.d, .pixel = &pixel, .z = query, .scale = &scale};
    unit_rows_take(&r, plan_output(t->plan, 0, at));
    info_nce_query q = {query, x->key + (size_t)(place ^ 1) * d, x->image[place]};
    x->loss[place] =
        x->share * info_nce(&q, &x->queue, t->s->pretrain.key_temperature,
                       x->share / (double)t->o.images, x->term + (size_t)thread * x->queue.n,
                       x->sum + (size_t)thread * d, back);
    memset(to, 0, d * sizeof *to);
    unit_rows_scatter(&r, back, to);
}

/* Losses of the wave's images, which are local images from `first` on; parts of them, where there
 * are cells, are each a thread's, and are added in one order. */
static void wave_loss(instance *x, int first, int images) {
    const trainer *t = x->t;
    double now = timer_now();
    int tiles = x->has_cells ? x->cells.tiles : 0;
#pragma omp parallel for schedule(dynamic) num_threads(t->threads)
    for (int k = 0; k < images * (1 + tiles); k++) {
        int i = k / (1 + tiles), tile = k % (1 + tiles) - 1, thread = omp_get_thread_num();
        if (tile < 0)
            image_loss(x, first + i, i, thread);
        else
            dense_tile_loss(&x->cells, first + i, i, tile, x->image[t->first + first + i], thread);
    }
    for (int i = first; i < first + images && x->has_cells; i++)
        dense_add_loss(&x->cells, i, &x->loss[t->first + i]);
    timer_lap(&x->t->time, PHASE_LOSS, now);
}

/* The step's gradient, wave by wave; again where the scale of its sums did not fit. */
static status step_gradient(instance *x) {
    trainer *t = x->t;
    status st = STATUS_OK;
    bool again = true;
    while (st == STATUS_OK && again) {
        trainer_begin(t);
        for (int k = 0; k < t->waves.count && st == STATUS_OK; k++) {
            int first, images = trainer_wave(t, k, &first);
            st = trainer_forward(t, k);
            if (st == STATUS_OK) wave_loss(x, first, images);
            st = trainer_backward(t, k, st);
        }
        st = trainer_end(t, st, &again);
    }
    return st;
}

/* After a step that was not finite: the rank that holds the first image whose loss is not names it.
 * Collective. */
static void name_image(instance *x) {
    const trainer *t = x->t;
    int first = 0;
    trainer_gather_images(t, x->loss);
    while (first < t->o.images && isfinite(x->loss[first])) first++;
    if (first < t->first || first >= t->first + t->local) return;
    log_error("%s: the loss of image %s is not finite", t->o.stage,
        samples_name(x->images, x->now->source[(first - t->first) / 2]));
}

/* The stage as the method reads: a batch and its keys, its gradient, its keys into the queue, a
 * step, by which the average moves. The queue is a part of what a step saves, and thus filled
 * before. */
static status train(instance *x) {
    trainer *t = x->t;
    status st = STATUS_OK;
    while (st == STATUS_OK && trainer_next(t)) {
        st = load(x);
        if (st == STATUS_OK) st = step_gradient(x);
        if (st == STATUS_NONFINITE) name_image(x);
        if (st != STATUS_OK) break;
        trainer_gather_images(t, x->loss);
        double loss = 0;
        for (int i = 0; i < t->o.images; i++) loss += x->loss[i] / (double)t->o.images;
        uint64_t before = (uint64_t)t->step * (uint64_t)t->o.images;
        key_queue_put(&x->queue, before, x->key, x->image, (size_t)t->o.images);
        if (x->has_cells) dense_put(&x->cells, before, x->image);
        st = trainer_update(t, loss, NAN);
    }
    return st;
}

/* Whoever compares figures with the paper's finds here what may move them. */
static void log_method(const instance *x, const stage *t, int images) {
    const settings *s = t->s;
    log_info("%s: %s contrast of %d images, %zu keys in the queue, temperature %g, decay %g",
        t->name, pretrain_method_words[s->pretrain.method], images, x->queue.n,
        s->pretrain.key_temperature, s->pretrain.key_average);
    if (x->has_cells)
        log_info("%s: weight %g for cells of the encoder's map, %g for whole images", t->name,
            s->pretrain.dense_weight, x->share);
    log_info(
        "%s: adapted from %s: %s of one epoch at most, without keys of the query's own image; "
        "both views are queries and keys; keys by running statistics of norms; %sviews, rate and "
        "schedule of [pretrain]",
        t->name, x->has_cells ? "DenseCL" : "MoCo v2", x->has_cells ? "queues" : "a queue",
        x->has_cells ? "the map as fine as model.output_stride makes it; " : "");
}

status pretrain_instance(stage *t, const contrast_task *task) {
    order sequence = {0};
    trainer *trained = NULL;
    instance x = {0};
    trainer_options o = pretrain_options(t, task->weights);
    o.key = t->key;
    o.average = t->s->pretrain.key_average;
    o.average_aside = true;
    o.extra = x.extra;
    samples_options kept = {.scale = t->s->dataset.scale,
        .budget = setup_cache_bytes(t->c),
        .views = setup_views(&t->s->pretrain.view, o.crop)};
    status st = comm_agree(t->c, create_queues(&x, t->s, task->list.count));
    o.end = x.has_cells ? NETWORK_DENSE : NETWORK_EMBEDDING;
    o.extras = x.has_cells ? 2 * EXTRAS : EXTRAS;
    if (st == STATUS_OK) log_method(&x, t, task->list.count);
    if (st == STATUS_OK) st = trainer_create(&trained, t->c, t->s, t->d, &o);
    if (st != STATUS_OK) goto done;
    x.t = trained;
    st = order_create(&sequence, task->list.member, task->list.count, (uint64_t)t->s->run.seed);
    if (st == STATUS_OK) st = samples_create(&x.images, t->d, &kept);
    st = comm_agree(t->c, st);
    if (st == STATUS_OK) st = create(&x, &sequence);
    if (st == STATUS_OK) st = train(&x);
    if (st == STATUS_OK) batches_report(x.source);
    if (st == STATUS_OK) st = pretrain_finish(t, trained, task->output);
done:
    destroy(&x);
    order_destroy(&sequence);
    trainer_destroy(trained);
    return st;
}
