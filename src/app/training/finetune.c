/* Fine-tuning: the stage around the ways to do it (finetune_supervised.c and its neighbours). It
 * knows which images have labels and which have not, makes the batches of both, and trains what a
 * method needs first: the teacher of pseudo-labels is a fine-tuning of its own, which is recorded
 * and not repeated. */
#include "src/app/training/finetune.h"

#include "io/weights/weights_about.h"
#include "src/app/stage/choice_by_validation.h"
#include "src/app/stage/choices.h"
#include "src/app/stage/image_list.h"
#include "src/app/stage/setup.h"
#include "src/app/stage/stage.h"
#include "src/app/stage/stage_settings.h"
#include "src/app/training/finetune_step.h"
#include "src/app/training/training_end.h"
#include "src/app/training/validation.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/segment/cross_entropy.h"

#include <inttypes.h>
#include <stdio.h>

/* A fine-tuning's place in run.json, and its file. Texts are borrowed. */
typedef struct named_stage {
    stage_id id;
    int round;
    const char *base, *output;
} named_stage;

/* What a fine-tuning begins with beside the settings. Texts are borrowed. */
typedef struct initial {
    const char *weights;
    const char *labeller; /* the file of pseudo-labels' teacher, else "" */
    uint64_t labels;      /* hash of the clustering that a contrast rests on */
} initial;

/* One random view of an image and of its labels, and how many pixels have one; of a place without
 * labels that a teacher gives some, views for both. */
static status load_view(void *context, batch *b, int i) {
    const finetuning *x = context;
    size_t pixels = (size_t)x->t->o.crop * (size_t)x->t->o.crop;
    bool without = x->halves && batches_unlabelled(x->t, i) >= 0;
    sample m;
    view v;
    if (without && x->kept.weight <= 0) return unlabelled_views(&x->more, b, i);
    status st = samples_get(x->images, b->source[i], &m);
    if (st != STATUS_OK) return st;
    st = batch_view(b, i, &m, without ? NULL : &m.label, &v);
    /* The loader has time to count; the step has not. */
    b->labelled[i] = (int)cross_entropy_pixels(b->label + (size_t)i * pixels, pixels);
    if (st == STATUS_OK && x->kept.weight > 0) st = kept_contrast_view(&x->kept, b, i, &m, &v);
    samples_release(&m);
    return st;
}

/* Without a default, as in choices.c. labeller: the file of pseudo-labels' teacher. */
static status train(finetuning *x, const char *labeller) {
    switch (x->t->s->finetune.method) {
    case FINETUNE_METHOD_PSEUDO_LABELS:
        return finetune_pseudo_labels(x, labeller);
    case FINETUNE_METHOD_MEAN_TEACHER:
        return finetune_mean_teacher(x);
    case FINETUNE_METHOD_CROSS_PSEUDO:
        return finetune_cross_pseudo(x);
    case FINETUNE_METHOD_PIXEL_CONTRAST:
    case FINETUNE_METHOD_SUPERVISED:
        break;
    }
    return finetune_supervised(x);
}

/* Of checkpoints, but for the network's arithmetic. */
static uint64_t own_key(const stage *t) {
    return t->s->finetune.contrast_weight > 0 ? pixel_rows_key(t) : t->key;
}

/* All that differs from pretraining stands here. */
static trainer_options options_of(const stage *t, const char *weights) {
    const settings *s = t->s;
    return (trainer_options){.stage = t->name,
        .metric = t->base,
        .round = t->round,
        .end = NETWORK_CLASSIFIER,
        .twin = s->finetune.method == FINETUNE_METHOD_CROSS_PSEUDO,
        .contrast = s->finetune.contrast_weight > 0,
        .weights = weights,
        .key = own_key(t),
        .how = &t->how,
        .together = 1,
        .images = s->finetune.batch,
        .crop = s->finetune.crop,
        .steps = s->finetune.steps,
        .warmup = s->finetune.warmup,
        .average = unlabelled_average(s),
        .lr = s->finetune.lr,
        .head_lr = s->finetune.head_lr,
        .power = s->finetune.power,
        .schedule = choices_schedule(s->finetune.schedule),
        .optimizer = setup_optimizer(&s->finetune.update)};
}

/* Which images stand in the places of a batch. */
typedef struct shares {
    image_list labelled, unlabelled;
    order with, without;
} shares;

/* Not collective. Both in orders of their own. */
static status shares_create(shares *a, const stage *t) {
    uint64_t seed = (uint64_t)t->s->run.seed;
    bool supervised = t->s->finetune.method == FINETUNE_METHOD_SUPERVISED ||
                      t->s->finetune.method == FINETUNE_METHOD_PIXEL_CONTRAST;
    status st = images_labelled(&a->labelled, t->d, t->s);
    if (st == STATUS_OK) st = order_create(&a->with, a->labelled.member, a->labelled.count, seed);
    /* A contrast needs no images without labels, and takes them where there are any. */
    if (t->s->finetune.contrast_weight > 0) supervised = a->labelled.count == setup_training(t->d);
    if (st != STATUS_OK || supervised) return st;
    st = unlabelled_list(&a->unlabelled, t->d, &a->labelled);
    if (st != STATUS_OK) return st;
    return order_create(&a->without, a->unlabelled.member, a->unlabelled.count, seed);
}

static void shares_destroy(shares *a) {
    order_destroy(&a->with);
    order_destroy(&a->without);
    memory_free(a->labelled.member);
    memory_free(a->unlabelled.member);
}

/* Users see what a method does with their images, and in what it is not its paper's. */
static void log_shares(const stage *t, const shares *a) {
    unlabelled_options how = unlabelled_read(t->s);
    const char *chosen = choice_by_validation(t->s);
    log_info("%s: %d labelled images of %d", t->name, a->labelled.count, setup_training(t->d));
    if (chosen && comm_root(t->c)) log_warn("%s", chosen);
    if (t->s->finetune.contrast_weight > 0) {
        log_info("%s: a contrast by auxiliary labels is kept, weight %g", t->name,
            t->s->finetune.contrast_weight);
        if (a->without.permutation)
            log_info("%s: %d images without labels in half of a batch's places", t->name,
                a->unlabelled.count);
        return;
    }
    if (!a->without.permutation) return;
    log_info("%s: %s: %d images without labels in half of a batch's places, weight %g, confidence "
             "%g, CutMix %g, strong colours %g",
        t->name, finetune_method_words[t->s->finetune.method], a->unlabelled.count, how.weight,
        how.confidence, how.cutmix, how.strong);
    log_info("%s: adapted: one batch of %d has both kinds of images, so that every method sees as "
             "many; labels come from norms' running statistics; %s",
        t->name, t->s->finetune.batch, unlabelled_adapted(t->s->finetune.method));
}

/* Memory, the cache of images, and the batches, which begin to be made. Collective. */
static status prepare(finetuning *x, const stage *t, shares *a) {
    int crop = x->t->o.crop;
    samples_options kept = {.scale = t->s->dataset.scale,
        .budget = setup_cache_bytes(t->c),
        .labelled = true,
        .views = setup_views(&t->s->finetune.view, crop)};
    x->outputs = x->t->o.twin ? 2 : 1;
    x->loss =
        memory_alloc((size_t)(x->t->o.images * x->outputs), sizeof *x->loss, "losses of images");
    status st = x->loss ? samples_create(&x->images, t->d, &kept) : STATUS_FAILED;
    st = comm_agree(t->c, st);
    if (st == STATUS_OK) st = kept_contrast_begin(&x->kept, x->t, x->images);
    if (st != STATUS_OK) return st;
    x->more = (unlabelled){x->t, x->images, kept.views, unlabelled_read(t->s)};
    x->halves = a->without.permutation != NULL;
    batches_options parts = {.sequence = &a->with,
        .unlabelled = x->halves ? &a->without : NULL,
        .taught = x->halves && x->kept.weight <= 0,
        .views = kept.views,
        .label_height = crop,
        .label_width = crop,
        .grid_height = x->kept.rows.h,
        .grid_width = x->kept.rows.w,
        .wanted = x->kept.rows.wanted,
        .make = load_view,
        .context = x};
    return batches_create(&x->source, x->t, &parts);
}

/* Who chooses the weight looks at both losses; metrics.csv has their sum. */
static void report_contrast(const finetuning *x) {
    if (x->kept.weight > 0 && x->t->step > x->t->resumed)
        log_info("%s: the last step's cross-entropy %.4f, contrast %.4f, of %" PRId64
                 " pixels with another of their label, weight %g",
            x->t->o.stage, x->entropy, x->kept.stats.loss, x->kept.stats.anchors, x->kept.weight);
}

/* From the choice of images to the record. What could fail on one rank is agreed upon before the
 * next collective call. */
static status finetune_stage(stage *t, const initial *from, const char *output) {
    char path[FILE_PATH];
    shares a = {0};
    finetuning x = {0};
    validation v = {0};
    trainer_options o = options_of(t, from->weights);
    status st = stage_path(t, path, output);
    if (st == STATUS_OK) st = images_agree(t->c, &a.labelled, t->s, shares_create(&a, t));
    if (st != STATUS_OK) goto done;
    log_shares(t, &a);
    st = kept_contrast_open(&x.kept, t, from->labels);
    if (st == STATUS_OK && t->s->finetune.validate > 0) st = validation_create(&v, t, &o);
    if (st == STATUS_OK) st = trainer_create(&x.t, t->c, t->s, t->d, &o);
    if (st == STATUS_OK) st = prepare(&x, t, &a);
    if (st == STATUS_OK) st = train(&x, from->labeller);
    if (st == STATUS_OK) batches_report(x.source);
    if (st == STATUS_OK) report_contrast(&x);
    if (st == STATUS_OK) st = comm_agree(t->c, validation_record(o.validation, t, x.t));
    if (st == STATUS_OK) st = training_end(t, x.t, path);
done:
    batches_destroy(x.source);
    kept_contrast_destroy(&x.kept);
    samples_destroy(x.images);
    shares_destroy(&a);
    memory_free(x.loss);
    validation_leave(&v);
    trainer_destroy(x.t);
    validation_destroy(&v);
    return st;
}

/* Contents of a file, which the settings hold by name alone, into what the key rests on: a list or
 * a teacher of the same name and another content is another stage. Rank 0. */
static status add_file(const char *path, uint64_t *input, uint64_t *hash) {
    status st = file_hash(path, hash);
    if (st == STATUS_OK) *input = *input ? hash_append(*input, hash, sizeof *hash) : *hash;
    return st;
}

/* One fine-tuning, under a name of its own; labeller as in `initial`. */
static status finetune_named(const comm *c, const settings *s, const named_stage *n,
    const char *weights, const char *labeller) {
    stage t;
    bool done = false, contrast = s->finetune.contrast_weight > 0;
    uint64_t input = 0, hash;
    initial from = {weights, labeller, 0};
    status st = stage_begin_as(&t, c, s, n->id, n->base, n->round);
    if (st == STATUS_OK && s->finetune.list[0] && comm_root(c))
        st = add_file(s->finetune.list, &input, &hash);
    if (st == STATUS_OK && labeller[0] && comm_root(c)) {
        /* A file that is no weights may be of any size. */
        st = weights_look(labeller);
        if (st == STATUS_OK) st = add_file(labeller, &input, &hash);
        if (st == STATUS_OK) st = stage_file_same(&t, labeller, hash);
    }
    st = comm_agree(c, st);
    if (st == STATUS_OK && contrast) st = kept_contrast_key(&t, &input, &from.labels);
    if (st == STATUS_OK) st = stage_key(&t, weights, input);
    t.checkpoint_key = arithmetic_hash(own_key(&t), &t.how);
    if (st == STATUS_OK) st = stage_done(&t, &done);
    if (st == STATUS_OK && !done) st = finetune_stage(&t, &from, n->output);
    stage_end(&t);
    return st;
}

/* The supervised model that labels for another one, fine-tuned from the same weights. path
 * [FILE_PATH] becomes its file. */
static status train_teacher(
    const comm *c, const settings *s, stage_id id, int round, const char *weights, char *path) {
    bool baseline = id == STAGE_BASELINE;
    named_stage n = {id, round, baseline ? "baseline-teacher" : "finetune-teacher",
        baseline ? "baseline-teacher.safetensors" : "finetuned-teacher.safetensors"};
    settings *own = NULL;
    status st = stage_settings_create(&own, c, s, n.base);
    if (st == STATUS_OK) st = finetune_named(c, own, &n, weights, "");
    memory_free(own);
    if (st == STATUS_OK) st = comm_agree(c, setup_path(path, s, n.output, round));
    return st;
}

/* As train_teacher: the initial weights of the fine-tuning that follows. */
static status train_contrast(
    const comm *c, const settings *s, stage_id id, int round, const char *weights, char *path) {
    bool baseline = id == STAGE_BASELINE;
    const char *output =
        baseline ? "baseline-contrast.safetensors" : "finetuned-contrast.safetensors";
    status st = finetune_contrast(
        c, s, baseline ? "baseline-contrast" : "finetune-contrast", round, weights, output);
    return st == STATUS_OK ? comm_agree(c, setup_path(path, s, output, round)) : st;
}

/* What a method needs first, then the fine-tuning itself. */
static status with_method(const comm *c, const settings *s, stage_id id, int round,
    const char *weights, const char *output) {
    char labeller[FILE_PATH] = "", contrasted[FILE_PATH];
    named_stage n = {id, round, stage_id_words[id], output};
    status st = STATUS_OK;
    switch (s->finetune.method) {
    case FINETUNE_METHOD_PIXEL_CONTRAST:
        st = train_contrast(c, s, id, round, weights, contrasted);
        weights = contrasted;
        break;
    case FINETUNE_METHOD_PSEUDO_LABELS:
        if (s->finetune.teacher[0])
            snprintf(labeller, sizeof labeller, "%s", s->finetune.teacher);
        else
            st = train_teacher(c, s, id, round, weights, labeller);
        break;
    case FINETUNE_METHOD_MEAN_TEACHER:
    case FINETUNE_METHOD_CROSS_PSEUDO:
    case FINETUNE_METHOD_SUPERVISED:
        break;
    }
    return st == STATUS_OK ? finetune_named(c, s, &n, weights, labeller) : st;
}

status finetune_model(const comm *c, const settings *s, stage_id id, int round, const char *weights,
    const char *output) {
    settings *plain = NULL;
    status st = STATUS_OK;
    if (id == STAGE_BASELINE) st = stage_settings_create(&plain, c, s, stage_id_words[id]);
    if (st == STATUS_OK) st = with_method(c, plain ? plain : s, id, round, weights, output);
    memory_free(plain);
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
