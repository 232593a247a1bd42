/* What a contrastive training begins with and ends in, whatever it compares: the trainer's options
 * as the settings have them, and the file, the record and the end of the checkpoints. */
#include "src/app/training/contrast_task.h"

#include "src/app/stage/choices.h"
#include "src/app/stage/setup.h"
#include "src/app/training/training_end.h"
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

status pretrain_finish(stage *t, trainer *x, const char *output) {
    char path[FILE_PATH];
    report_loss(x);
    status st = stage_path(t, path, output);
    return st == STATUS_OK ? training_end(t, x, path) : st;
}
