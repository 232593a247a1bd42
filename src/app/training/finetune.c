/* Supervised training on the labelled share, and the stage around it. The loss is the mean over all
 * labelled pixels of the global batch: how many there are must be known before the first gradient,
 * so that ranks add up their counts as soon as the batch is there. It is the number of the global
 * batch that matters, not a rank's: a mean of means would weigh pixels by how the batch was dealt.
 * Losses of images are sums in double, one an image, added in the order of the batch on every rank:
 * the same bits for any ranks and waves. */
#include "src/app/training/finetune.h"

#include "src/app/stage/choices.h"
#include "src/app/stage/image_list.h"
#include "src/app/stage/setup.h"
#include "src/app/stage/stage.h"
#include "src/app/training/batches.h"
#include "src/app/training/trainer.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/segment/cross_entropy.h"

#include <math.h>
#include <string.h>

/* A step: the batch, its label maps being class ids at the views' size, and losses of all
 * images. */
typedef struct supervised {
    trainer *t;
    samples *images;
    batches *source;
    const batch *now;
    double *loss;   /* [batch], sums over pixels; this rank's at t->first */
    int64_t pixels; /* that count, in the global batch */
} supervised;

static size_t view_pixels(const trainer *t) {
    return (size_t)t->o.crop * (size_t)t->o.crop;
}

/* One random view of an image and of its labels; counts the pixels that have one. */
static status load_view(void *context, batch *b, int i) {
    const supervised *x = context;
    sample m;
    status st = samples_get(x->images, b->source[i], &m);
    if (st != STATUS_OK) return st;
    st = batch_view(b, i, &m, &m.label, NULL);
    /* The loader has time to count; the step has not. */
    b->count[i] =
        (int)cross_entropy_pixels(b->label + (size_t)i * view_pixels(x->t), view_pixels(x->t));
    samples_release(&m);
    return st;
}

/* The step's batch; how many pixels of the global one have a label. Collective. */
static status load_batch(supervised *x) {
    trainer *t = x->t;
    batch *b;
    status st = comm_agree(t->c, batches_next(x->source, &b));
    if (st != STATUS_OK) return st;
    x->now = b;
    x->pixels = 0;
    for (int i = 0; i < t->local; i++) x->pixels += b->count[i];
    comm_sum_i64(t->c, &x->pixels, 1);
    return STATUS_OK;
}

/* Loss of every image of a wave, and its gradient where the network's backward pass begins. By
 * images, since each has its own loss and gradient; a thread that fails does not stop the
 * others. */
static status wave_loss(supervised *x, int k) {
    trainer *t = x->t;
    double now = timer_now();
    int h, w, classes, first, images = trainer_wave(t, k, &first);
    status worst = STATUS_OK;
    /* A batch without a labelled pixel has no gradient, and is a step all the same. */
    double scale = x->pixels > 0 ? 1.0 / (double)x->pixels : 0;
    plan_output_shape(t->plan, 0, &h, &w, &classes);
#pragma omp parallel for schedule(dynamic) num_threads(t->threads)
    for (int i = 0; i < images; i++) {
        const logit_map logits = {plan_output(t->plan, 0, i), h, w, classes};
        status st = cross_entropy(&logits, x->now->label + (size_t)(first + i) * view_pixels(t),
            t->o.crop, t->o.crop, scale, &x->loss[t->first + first + i],
            plan_output_gradient(t->plan, 0, i));
        if (st != STATUS_OK) {
#pragma omp critical(worst)
            worst = st;
        }
    }
    timer_lap(&t->time, PHASE_LOSS, now);
    return worst;
}

/* The gradient of the step's batch, wave by wave; each wave's loss needs its own images alone, so
 * that one pass forward and back does. A failure inside of a wave is told to the others in
 * trainer_end alone: ranks have different numbers of waves. */
static status step_gradient(supervised *x) {
    status st = STATUS_OK;
    bool again = true;
    while (st == STATUS_OK && again) {
        /* Again from the first wave where the gradient's scale did not fit. */
        trainer_begin(x->t);
        for (int k = 0; k < x->t->waves.count && st == STATUS_OK; k++) {
            st = trainer_forward(x->t, k);
            if (st == STATUS_OK) st = wave_loss(x, k);
            st = trainer_backward(x->t, k, st);
        }
        st = trainer_end(x->t, st, &again);
    }
    return st;
}

/* Mean over pixels, added in image order. */
static double total_loss(supervised *x) {
    trainer_gather_images(x->t, x->loss);
    /* Not partial sums of ranks, whose rounding would depend on how many there are. */
    double sum = 0;
    for (int i = 0; i < x->t->o.images; i++) sum += x->loss[i];
    return x->pixels > 0 ? sum / (double)x->pixels : 0;
}

/* After a step whose gradient was not finite: whether single images made it so. The rank that holds
 * the first of them names it, as it alone knows which image stands there. Collective. */
static void name_images(supervised *x) {
    const trainer *t = x->t;
    int count = 0, first = -1;
    trainer_gather_images(t, x->loss);
    for (int i = t->o.images - 1; i >= 0; i--) {
        if (isfinite(x->loss[i])) continue;
        count++;
        first = i;
    }
    if (first < t->first || first >= t->first + t->local) return;
    log_error("%s: the loss of %d of the step's %d images is not finite; the first is %s",
        t->o.stage, count, t->o.images, samples_name(x->images, x->now->source[first - t->first]));
}

/* The stage as the method reads: a batch, its gradient, a step. Every call is collective and has
 * agreed on its status before it returns. */
static status train(supervised *x) {
    status st = STATUS_OK;
    while (st == STATUS_OK && trainer_next(x->t)) {
        st = load_batch(x);
        if (st == STATUS_OK) st = step_gradient(x);
        if (st == STATUS_NONFINITE) name_images(x);
        if (st == STATUS_OK) st = trainer_update(x->t, total_loss(x), NAN);
    }
    return st;
}

/* All that differs from pretraining stands here. */
static trainer_options options_of(const stage *t, const char *weights) {
    const settings *s = t->s;
    return (trainer_options){.stage = t->name,
        .metric = t->base,
        .round = t->round,
        .end = NETWORK_CLASSIFIER,
        .weights = weights,
        .key = t->key,
        .how = &t->how,
        .together = 1,
        .images = s->finetune.batch,
        .crop = s->finetune.crop,
        .steps = s->finetune.steps,
        .warmup = s->finetune.warmup,
        .lr = s->finetune.lr,
        .head_lr = s->finetune.head_lr,
        .power = s->finetune.power,
        .schedule = choices_schedule(s->finetune.schedule),
        .optimizer = setup_optimizer(&s->finetune.update)};
}

/* From the choice of images to the record. What could fail on one rank is agreed upon before the
 * next collective call. */
static status finetune_stage(stage *t, const char *weights, const char *output) {
    char path[FILE_PATH];
    image_list list = {0};
    order sequence = {0};
    supervised x = {0};
    uint64_t hash;
    trainer_options o = options_of(t, weights);
    samples_options kept = {.scale = t->s->dataset.scale,
        .budget = setup_cache_bytes(t->c),
        .labelled = true,
        .views = batches_views(&t->s->finetune.view, o.crop)};
    status st = stage_path(t, path, output);
    if (st == STATUS_OK) st = comm_agree(t->c, images_labelled(&list, t->d, t->s));
    if (st != STATUS_OK) goto done;
    log_info("%s: %d labelled images of %d", t->name, list.count, setup_training(t->d));
    st = trainer_create(&x.t, t->c, t->s, t->d, &o);
    if (st != STATUS_OK) goto done;
    x.loss = memory_alloc((size_t)o.images, sizeof *x.loss, "losses");
    st = order_create(&sequence, list.member, list.count, (uint64_t)t->s->run.seed);
    if (st == STATUS_OK) st = samples_create(&x.images, t->d, &kept);
    st = comm_agree(t->c, x.loss ? st : STATUS_FAILED);
    batches_options parts = {.sequence = &sequence,
        .views = kept.views,
        .label_height = o.crop,
        .label_width = o.crop,
        .make = load_view,
        .context = &x};
    if (st == STATUS_OK) st = batches_create(&x.source, x.t, &parts);
    if (st == STATUS_OK) st = train(&x);
    if (st == STATUS_OK) batches_report(x.source);
    if (st == STATUS_OK) st = trainer_finish(x.t, path, &hash);
    if (st == STATUS_OK) {
        t->time = x.t->time;
        t->sent = x.t->sent;
        if (t->record) st = run_record_set_hash(t->record, t->name, hash);
        if (st == STATUS_OK) st = stage_images(t, &x.t->model.input);
        st = comm_agree(t->c, st);
        stage_result r = {path, hash, trainer_images_per_second(x.t), "images/s", o.steps};
        if (st == STATUS_OK) st = stage_finish(t, &r);
        if (st == STATUS_OK) trainer_forget(x.t);
    }
done:
    batches_destroy(x.source);
    samples_destroy(x.images);
    order_destroy(&sequence);
    memory_free(x.loss);
    memory_free(list.member);
    trainer_destroy(x.t);
    return st;
}

/* A list is named by the settings and meant by its contents: another list of the same name is
 * another stage. */
status finetune_model(const comm *c, const settings *s, stage_id id, int round, const char *weights,
    const char *output) {
    stage t;
    uint64_t list = 0; /* contents of finetune.list, which the settings hold by name alone */
    status st = stage_begin(&t, c, s, id, round);
    if (st == STATUS_OK && s->finetune.list[0] && comm_root(c))
        st = file_hash(s->finetune.list, &list);
    st = comm_agree(c, st);
    if (st == STATUS_OK) st = stage_key(&t, weights, list);
    if (st == STATUS_OK && !stage_done(&t)) st = finetune_stage(&t, weights, output);
    stage_end(&t);
    return st;
}

status command_finetune(const comm *c, const settings *s) {
    char weights[FILE_PATH];
    status st;
    if (s->finetune.weights[0])
        return finetune_model(
            c, s, STAGE_FINETUNE, 1, s->finetune.weights, "finetuned.safetensors");
    st = comm_agree(c, setup_path(weights, s, "pretrained.safetensors", 1));
    if (st == STATUS_OK)
        st = finetune_model(c, s, STAGE_FINETUNE, 1, weights, "finetuned.safetensors");
    return st;
}
