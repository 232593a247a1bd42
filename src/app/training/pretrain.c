/* Contrastive pretraining, and the stage around it. The loss compares pixels of all images of the
 * global batch, so that no gradient can begin before every image has been through the network:
 * where they pass in waves, all but the last go through it twice. A step is thus: all waves
 * forward, keeping nothing but the chosen pixels' embeddings; the loss over the pool of all ranks
 * and its gradient to this rank's embeddings; all waves back. Whether there is one wave or several,
 * the bits are the same. */
#include "src/app/training/pretrain.h"

#include "mpi/pool.h"
#include "src/app/stage/choices.h"
#include "src/app/stage/image_list.h"
#include "src/app/stage/setup.h"
#include "src/app/stage/stage.h"
#include "src/app/stage/stage_list.h"
#include "src/app/training/divergence.h"
#include "src/app/training/pretrain_groups.h"
#include "src/app/training/pretrain_instance.h"
#include "src/app/training/pretrain_queue.h"
#include "src/app/training/views.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static contrast_options loss_options(const views *v) {
    const settings *s = v->t->s;
    return (contrast_options){.positives = v->positives,
        .scope = choices_scope(s->pretrain.scope),
        .temperature = s->pretrain.temperature,
        .threads = v->t->threads,
        .type = s->pretrain.loss_dtype,
        .pairs = v->t->o.how->pairs,
        .group = v->group};
}

/* The embeddings of all waves: the loss compares them with each other. One that is not finite is
 * named by its image here, as a row of the pool says nothing to anybody. Ranks have different
 * numbers of waves: they agree once, when all of theirs are through. Collective. */
static status embed(views *v) {
    char fault[DIVERGENCE_TEXT] = "";
    status st = STATUS_OK;
    for (int k = 0; k < v->t->waves.count && st == STATUS_OK; k++) {
        st = trainer_forward(v->t, k);
        double now = timer_now();
        if (st == STATUS_OK) views_embed(v, k);
        timer_lap(&v->t->time, PHASE_LOSS, now);
    }
    const char *name = st == STATUS_OK ? views_fault(v) : NULL;
    if (name) {
        snprintf(fault, sizeof fault, "the embeddings of image %s are not finite", name);
        st = STATUS_NONFINITE;
    }
    st = comm_agree(v->t->c, st);
    return st == STATUS_NONFINITE ? divergence_report(v->t, fault) : st;
}

/* Loss of the global pool, and its gradient to the embeddings of this rank. v->n rows of v->d; the
 * pool is put together from all ranks' rows in the order of the batch. Collective. */
static status contrast(views *v, contrast_stats *stats) {
    contrast_options o = loss_options(v);
    double now = timer_now();
    const contrast_pool mine = {v->n, v->d, v->z, v->label, v->image, v->partner};
    status st = pool_loss(v->exchange, &o, &mine, stats, v->gradient);
    timer_lap(&v->t->time, PHASE_LOSS, now);
    return st;
}

/* From the embeddings' gradient to the weights', from the last wave, whose activations stand, to
 * the first: those of the others are computed again, to the same bits (gradient caching: Gao,
 * Zhang, Han, Callan 2021). Waves may go in any order, as sums of the gradient are exact. */
static status backward(views *v) {
    status st = STATUS_OK;
    int last = v->t->waves.count - 1;
    for (int k = last; k >= 0 && st == STATUS_OK; k--) {
        /* The last wave's activations still stand: it goes first. */
        if (k < last) st = trainer_forward(v->t, k);
        double now = timer_now();
        if (st == STATUS_OK) views_scatter(v, k);
        timer_lap(&v->t->time, PHASE_LOSS, now);
        st = trainer_backward(v->t, k, st);
    }
    return st;
}

/* Once more from the beginning where the scale of the gradient's sums did not fit: to the same loss
 * and embeddings, as nothing of the weights has changed. Collective. */
static status step_gradient(views *v, contrast_stats *stats) {
    status st = STATUS_OK;
    bool again = true;
    while (st == STATUS_OK && again) {
        trainer_begin(v->t);
        st = embed(v);
        if (st == STATUS_OK) st = contrast(v, stats);
        if (st == STATUS_OK) st = trainer_end(v->t, backward(v), &again);
    }
    return st;
}

/* The stage as the method reads: a batch, its gradient, its pixels into the queue, a step. The
 * queue is a part of what a step saves, and thus filled before. */
static status train(views *v) {
    contrast_stats stats = {0};
    status st = STATUS_OK;
    while (st == STATUS_OK && trainer_next(v->t)) {
        st = views_load(v);
        if (st == STATUS_OK) st = step_gradient(v, &stats);
        if (st != STATUS_OK) break;
        pool_keep(v->exchange);
        st = trainer_update(v->t, stats.loss, (double)stats.anchors);
    }
    return st;
}

/* The stage's key, and how a loss in bf16 is multiplied: processors do that in different ways, and
 * a checkpoint of one way does not continue in another. A loss in float32 has one way. A bound on
 * the pool counts where it may hold, also at its default, which is in no key. */
uint64_t pretrain_loss_key(const stage *t) {
    const settings *s = t->s;
    uint64_t key = t->key;
    if (s->pretrain.loss_dtype == DTYPE_BF16)
        key = hash_append(key, &t->how.pairs, sizeof t->how.pairs);
    if (views_bounded(s)) key = hash_append(key, &s->pretrain.pool, sizeof s->pretrain.pool);
    return key;
}

/* The file may be of another run, or written by a clustering that was then repeated: the record
 * says what this stage's key rests on. */
static status open_labels(stage *t, uint64_t recorded, labels **out) {
    char path[FILE_PATH];
    status st = stage_path(t, path, "labels.h5");
    if (st == STATUS_OK) st = labels_open(t->c, path, out);
    if (st == STATUS_OK &&
        (labels_count(*out) != setup_training(t->d) ||
            labels_about(*out).dataset != dataset_hash(t->d) || labels_hash(*out) != recorded)) {
        if (comm_root(t->c))
            log_error("%s: not what run.json has recorded for this data set: cluster anew", path);
        st = STATUS_DATA;
    }
    return st;
}

/* From the labels to the record. Everything is created before the first step, so that a lack of
 * memory shows at once. */
status pretrain_task(stage *t, const contrast_task *task) {
    labels *aux = NULL;
    order sequence = {0};
    samples *images = NULL;
    trainer *x = NULL;
    int32_t *group = NULL;
    views v = {0};
    pretrain_queue queue = {0};
    trainer_options o = pretrain_options(t, task->weights);
    o.key = pretrain_loss_key(t);
    samples_options kept = {.scale = t->s->dataset.scale,
        .budget = setup_cache_bytes(t->c),
        .labelled = task->truth,
        .views = setup_views(&t->s->pretrain.view, o.crop)};
    status st = task->truth ? STATUS_OK : open_labels(t, task->labels, &aux);
    int count = aux ? labels_about(aux).k : dataset_classes(t->d);
    if (st == STATUS_OK) st = pretrain_groups_create(&group, t->c, t->s, aux, t->name);
    if (st == STATUS_OK) st = pretrain_queue_create(&queue, t->c, t->s, count, &o);
    if (st == STATUS_OK) st = trainer_create(&x, t->c, t->s, t->d, &o);
    if (st != STATUS_OK) goto done;
    pretrain_queue_share(&queue);
    st = order_create(&sequence, task->list.member, task->list.count, (uint64_t)t->s->run.seed);
    if (st == STATUS_OK) st = samples_create(&images, t->d, &kept);
    st = comm_agree(t->c, st);
    const views_source from = {images, aux, &sequence, queue.pool, group};
    if (st == STATUS_OK) st = views_create(&v, x, &from);
    if (st == STATUS_OK) st = train(&v);
    if (st == STATUS_OK) batches_report(v.source);
    if (st == STATUS_OK) st = pretrain_finish(t, x, task->output);
done:
    views_destroy(&v);
    samples_destroy(images);
    order_destroy(&sequence);
    labels_close(aux);
    memory_free(group);
    trainer_destroy(x);
    pretrain_queue_destroy(&queue);
    return st;
}

/* All training images, by their auxiliary labels or as wholes. */
static status pretrain_stage(stage *t, uint64_t labels_recorded) {
    contrast_task task = {.weights = t->s->model.weights,
        .output = "pretrained.safetensors",
        .labels = labels_recorded};
    status st = comm_agree(t->c, images_of_split(&task.list, t->d, SPLIT_TRAIN, false));
    if (st == STATUS_OK)
        st = t->s->pretrain.method == PRETRAIN_METHOD_PIXEL ? pretrain_task(t, &task)
                                                            : pretrain_instance(t, &task);
    memory_free(task.list.member);
    return st;
}

status pretrain_model(const comm *c, const settings *s, int round) {
    stage t;
    bool done = false;
    uint64_t labels_recorded = 0;
    status st = stage_begin(&t, c, s, STAGE_PRETRAIN, round);
    if (st == STATUS_OK && stage_has_clusters(s))
        st = stage_input(&t, STAGE_CLUSTER, &labels_recorded);
    if (st == STATUS_OK) st = stage_key(&t, s->model.weights, labels_recorded);
    bool pixels = s->pretrain.method == PRETRAIN_METHOD_PIXEL;
    t.checkpoint_key = arithmetic_hash(pixels ? pretrain_loss_key(&t) : t.key, &t.how);
    if (st == STATUS_OK) st = stage_done(&t, &done);
    if (st == STATUS_OK && !done) st = pretrain_stage(&t, labels_recorded);
    stage_end(&t);
    return st;
}

status command_pretrain(const comm *c, const settings *s) {
    return pretrain_model(c, s, 1);
}
