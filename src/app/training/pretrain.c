/* Contrastive pretraining, and the stage around it. A step is: all waves of images forward, keeping
 * nothing but the chosen pixels' embeddings; the loss over the pool of all ranks and its gradient
 * to this rank's embeddings; all waves back (pixel_rows.h). */
#include "src/app/training/pretrain.h"

#include "mpi/pool.h"
#include "src/app/stage/image_list.h"
#include "src/app/stage/setup.h"
#include "src/app/stage/stage.h"
#include "src/app/stage/stage_list.h"
#include "src/app/training/auxiliary.h"
#include "src/app/training/pretrain_instance.h"
#include "src/app/training/pretrain_queue.h"
#include "src/app/training/views.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"

/* From the embeddings' gradient to the weights', from the last wave, whose activations stand, to
 * the first: those of the others are computed again, to the same bits. Waves may go in any order,
 * as sums of the gradient are exact. */
static status backward(views *v) {
    status st = STATUS_OK;
    int last = v->t->waves.count - 1;
    for (int k = last; k >= 0 && st == STATUS_OK; k--) {
        /* The last wave's activations still stand: it goes first. */
        if (k < last) st = trainer_forward(v->t, k);
        if (st == STATUS_OK) pixel_rows_scatter(&v->rows, k);
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
        st = pixel_rows_forward(&v->rows);
        if (st == STATUS_OK) st = pixel_rows_loss(&v->rows, 1, stats);
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
        pool_keep(v->rows.exchange);
        st = trainer_update(v->t, stats.loss, (double)stats.anchors);
    }
    return st;
}

/* A bound on the pool counts where it may hold, also at its default, which is in no key. */
uint64_t pretrain_loss_key(const stage *t) {
    const settings *s = t->s;
    uint64_t key = pixel_rows_key(t);
    if (pixel_rows_bounded(s, 2 * s->pretrain.batch))
        key = hash_append(key, &s->pretrain.pool, sizeof s->pretrain.pool);
    return key;
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
    status st = task->truth ? STATUS_OK : auxiliary_open(&aux, t, task->labels);
    int count = aux ? labels_about(aux).k : dataset_classes(t->d);
    if (st == STATUS_OK) st = auxiliary_groups(&group, t, aux);
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
