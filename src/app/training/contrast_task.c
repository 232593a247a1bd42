/* What a contrastive training begins with and ends in, whatever it compares: the trainer's options
 * as the settings have them, and the file, the record and the end of the checkpoints. */
#include "src/app/training/contrast_task.h"

#include "src/app/stage/choices.h"
#include "src/app/stage/setup.h"
#include "src/base/log.h"

/* The network's batch is of views: two an image, which one rank must hold together. `images` counts
 * views, and so does all that the trainer says of images. */
trainer_options pretrain_options(const stage *t, const char *weights) {
    const settings *s = t->s;
    return (trainer_options){.stage = t->name,
        .metric = t->base,
        .round = t->round,
        .end = NETWORK_PROJECTION,
        .weights = weights,
        .key = t->key,
        .how = &t->how,
        .together = 2,
        .images = 2 * s->pretrain.batch,
        .crop = s->pretrain.crop,
        .steps = s->pretrain.steps,
        .warmup = s->pretrain.warmup,
        .average = s->pretrain.average,
        .lr = s->pretrain.lr,
        .head_lr = s->pretrain.head_lr,
        .power = 1,
        .schedule = choices_schedule(s->pretrain.schedule),
        .optimizer = setup_optimizer(&s->pretrain.update)};
}

/* Whether the loss is worth a thought beside the network is what users ask first. */
static void report_loss(const trainer *x) {
    double all = 0;
    for (int p = 0; p < PHASE_COUNT; p++) all += x->time.seconds[p];
    if (all > 0)
        log_detail("%s: loss %.2f %% of the step, its exchange over ranks included", x->o.stage,
            100 * x->time.seconds[PHASE_LOSS] / all);
}

/* Weights, then record, then the checkpoints go: a kill in between finds enough to go on. */
status pretrain_finish(stage *t, trainer *x, const char *output) {
    char path[FILE_PATH];
    uint64_t hash;
    report_loss(x);
    status st = stage_path(t, path, output);
    if (st == STATUS_OK) st = trainer_finish(x, path, &hash);
    if (st != STATUS_OK) return st;
    t->time = x->time;
    t->sent = x->sent;
    if (t->record) st = run_record_set_hash(t->record, t->name, hash);
    if (st == STATUS_OK) st = stage_images(t, &x->model.input);
    st = comm_agree(t->c, st);
    stage_result r = {path, hash, trainer_images_per_second(x), "images/s", x->o.steps};
    if (st == STATUS_OK) st = stage_finish(t, &r);
    if (st == STATUS_OK) trainer_forget(x);
    return st;
}
