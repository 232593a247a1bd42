/* One step of fine-tuning. The loss is a mean over all labelled pixels of the global batch: how
 * many there are must be known before the first gradient, so that ranks add up their counts as soon
 * as the batch is there. It is the number of the global batch that matters, not a rank's: a mean of
 * means would weigh pixels by how the batch was dealt. Losses of images are sums in double, one an
 * image and network, added in the order of the batch on every rank: the same bits for any ranks and
 * waves. */
#include "src/app/training/finetune_step.h"

#include "src/base/log.h"
#include "src/segment/cross_entropy.h"

#include <math.h>
#include <string.h>

static size_t view_pixels(const trainer *t) {
    return (size_t)t->o.crop * (size_t)t->o.crop;
}

status finetune_load(finetuning *x) {
    trainer *t = x->t;
    batch *b;
    status st = comm_agree(t->c, batches_next(x->source, &b));
    if (st != STATUS_OK) return st;
    x->now = b;
    x->pixels = 0;
    for (int i = 0; i < t->local; i++) x->pixels += b->labelled[i];
    comm_sum_i64(t->c, &x->pixels, 1);
    return x->kept.weight > 0 ? pixel_rows_begin(&x->kept.rows, b, b->grid) : STATUS_OK;
}

status finetune_label(finetuning *x) {
    double now = timer_now();
    status st = teacher_label(&x->teacher, x->now, x->more.how.confidence);
    timer_lap(&x->t->time, PHASE_FORWARD, now);
    return comm_agree(x->t->c, st);
}

/* Whether a teacher labels place i of this rank. */
static bool is_taught(const finetuning *x, int i) {
    return x->halves && x->kept.weight <= 0 && batches_unlabelled(x->t, i) >= 0;
}

/* What divides a loss with labels, and one without. A batch without a labelled pixel has no
 * gradient, and is a step all the same. */
static double labelled_scale(const finetuning *x) {
    return x->pixels > 0 ? 1.0 / (double)x->pixels : 0;
}

/* Over all pixels of the places without, whose number is known before any is labelled: where a
 * teacher is unsure of most of them, they count for less. */
static double unlabelled_scale(const finetuning *x) {
    double pixels = (double)(x->t->o.images / 2) * (double)view_pixels(x->t);
    return x->more.how.weight / pixels;
}

/* Network k's loss of local image i, the plan's image `at`, and its gradient. */
static status image_loss(finetuning *x, int k, int i, int at) {
    trainer *t = x->t;
    int h, w, classes;
    bool without = is_taught(x, i);
    plan_output_shape(t->plan, k, &h, &w, &classes);
    const logit_map logits = {plan_output(t->plan, k, at), h, w, classes};
    const uint16_t *own = without ? teacher_labels(&x->teacher, (k + x->crossed) % x->outputs,
                                        batches_unlabelled(t, i))
                                  : x->now->label + (size_t)i * view_pixels(t);
    return cross_entropy(&logits, own, t->o.crop, t->o.crop,
        without ? unlabelled_scale(x) : labelled_scale(x), &x->loss[k * t->o.images + t->first + i],
        plan_output_gradient(t->plan, k, at));
}

/* Loss of every image of a wave, and its gradient where the network's backward pass begins. By
 * images, since each has its own loss and gradient; a thread that fails does not stop the
 * others. */
static status wave_loss(finetuning *x, int wave) {
    trainer *t = x->t;
    double now = timer_now();
    int first, images = trainer_wave(t, wave, &first);
    status worst = STATUS_OK;
#pragma omp parallel for schedule(dynamic) num_threads(t->threads)
    for (int i = 0; i < images * x->outputs; i++) {
        int at = i / x->outputs;
        status st = image_loss(x, i % x->outputs, first + at, at);
        if (st != STATUS_OK) {
#pragma omp critical(worst)
            worst = status_worse(worst, st);
        }
    }
    timer_lap(&t->time, PHASE_LOSS, now);
    return worst;
}

/* The gradient of the step's batch, wave by wave. The cross-entropy of a wave needs its own images
 * alone, so that one pass forward and back does; the contrast compares all of them, and leaves the
 * last wave's activations, which goes first. A failure inside of a wave is told to the others in
 * trainer_end alone: ranks have different numbers of waves. */
static status wave_gradients(finetuning *x) {
    bool contrast = x->kept.weight > 0;
    int last = x->t->waves.count - 1;
    status st = STATUS_OK;
    for (int k = last; k >= 0 && st == STATUS_OK; k--) {
        if (!contrast || k < last) st = trainer_forward(x->t, k);
        if (st == STATUS_OK) st = wave_loss(x, k);
        if (st == STATUS_OK && contrast) pixel_rows_scatter(&x->kept.rows, k);
        st = trainer_backward(x->t, k, st);
    }
    return st;
}

/* All anew where the gradient's scale did not fit. */
static status step_gradient(finetuning *x) {
    status st = STATUS_OK;
    bool again = true;
    while (st == STATUS_OK && again) {
        trainer_begin(x->t);
        if (x->kept.weight > 0) st = kept_contrast_compare(&x->kept);
        if (st == STATUS_OK) st = trainer_end(x->t, wave_gradients(x), &again);
    }
    return st;
}

/* Every image's losses, on all ranks. */
static void gather(finetuning *x) {
    for (int k = 0; k < x->outputs; k++) trainer_gather_images(x->t, x->loss + k * x->t->o.images);
}

/* Means over pixels, added in image order. */
static double total_loss(finetuning *x) {
    int images = x->t->o.images;
    gather(x);
    /* Not partial sums of ranks, whose rounding would depend on how many there are. */
    double with = 0, without = 0;
    for (int i = 0; i < images * x->outputs; i++) {
        bool place = x->halves && (i % images) % 2;
        *(place ? &without : &with) += x->loss[i];
    }
    double loss = x->pixels > 0 ? with / (double)x->pixels : 0;
    x->entropy = loss;
    if (x->kept.weight > 0) return loss + x->kept.weight * x->kept.stats.loss;
    return x->halves ? loss + without * unlabelled_scale(x) : loss;
}

/* After a step whose gradient was not finite: whether single images made it so. The rank that holds
 * the first of them names it, as it alone knows which image stands there. Collective. */
static void name_images(finetuning *x) {
    const trainer *t = x->t;
    int count = 0, first = -1;
    gather(x);
    for (int i = t->o.images - 1; i >= 0; i--) {
        bool finite = isfinite(x->loss[i]);
        if (x->outputs > 1) finite = finite && isfinite(x->loss[t->o.images + i]);
        if (finite) continue;
        count++;
        first = i;
    }
    if (first < t->first || first >= t->first + t->local) return;
    log_error("%s: the loss of %d of the step's %d images is not finite; the first is %s",
        t->o.stage, count, t->o.images, samples_name(x->images, x->now->source[first - t->first]));
}

status finetune_learn(finetuning *x) {
    /* Where embeddings are not finite, there is no loss of images to name one by. */
    memset(x->loss, 0, (size_t)(x->outputs * x->t->o.images) * sizeof *x->loss);
    status st = step_gradient(x);
    if (st == STATUS_NONFINITE) name_images(x);
    if (st != STATUS_OK) return st;
    return trainer_update(
        x->t, total_loss(x), x->kept.weight > 0 ? (double)x->kept.stats.anchors : NAN);
}
