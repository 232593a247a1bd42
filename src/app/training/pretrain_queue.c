/* The queue's life within the stage: made before the trainer, which may find its contents in a
 * checkpoint, and ended after it, which may still be writing one. */
#include "src/app/training/pretrain_queue.h"

#include "src/base/log.h"

/* A step's number does not stand for the rings, as it does for images and views: they are what the
 * weights of earlier steps have made of them, and without them a continued run would differ. */
static void list_extras(pretrain_queue *q) {
    const pixel_queue *r = &q->pool->rings;
    size_t rows = pixel_queue_rows(r);
    q->extra[0] = (checkpoint_extra){.name = "queue.pixels",
        .type = "F32",
        .data = r->z,
        .n = rows * (size_t)r->d,
        .shared = true};
    q->extra[1] = (checkpoint_extra){.name = "queue.images",
        .type = "I32",
        .data = r->image,
        .n = rows,
        .shared = true,
        .bounded = true,
        .least = -1,
        .most = INT32_MAX};
    q->extra[2] = (checkpoint_extra){.name = "queue.next",
        .type = "I32",
        .data = r->next,
        .n = (size_t)r->labels,
        .shared = true,
        .bounded = true,
        .least = 0,
        .most = r->each - 1};
}

status pretrain_queue_create(
    pretrain_queue *q, const comm *c, const settings *s, int labels, trainer_options *o) {
    *q = (pretrain_queue){0};
    int each = s->pretrain.pixel_queue, d = s->model.projection;
    if (each == 0) return STATUS_OK;
    status st = pool_queue_create(&q->pool, c, labels, each, d);
    if (st != STATUS_OK) return st;
    list_extras(q);
    o->extra = q->extra;
    o->extras = PRETRAIN_QUEUE_EXTRAS;
    log_info("%s: %d pixels of earlier steps for each of %d labels, %.0f MiB a node", o->stage,
        each, labels, (double)pixel_queue_rows(&q->pool->rings) * d * sizeof(float) / 1048576);
    return STATUS_OK;
}

void pretrain_queue_share(pretrain_queue *q) {
    if (q->pool) pool_queue_share(q->pool);
}

void pretrain_queue_destroy(pretrain_queue *q) {
    pool_queue_destroy(q->pool);
    q->pool = NULL;
}
