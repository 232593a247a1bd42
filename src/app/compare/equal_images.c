/* A method that looks at more images than another may be ahead for that alone. What counts is what
 * a network learns from: a view that a teacher only labels stands in the batch that learns from it
 * already, and is not counted twice, and features and clusters are no training. */
#include "src/app/compare/equal_images.h"

#include "src/app/stage/stage_list.h"

/* In one round: images before the fine-tuning, and how often finetune.steps are trained. */
typedef struct shown {
    int64_t before;
    int times;
} shown;

static shown in_round(const settings *s) {
    shown x = {0, 1};
    int64_t contrast = (int64_t)s->pretrain.steps * s->pretrain.batch;
    switch (s->finetune.method) {
    case FINETUNE_METHOD_PIXEL_CONTRAST:
        x.before = contrast;
        break;
    case FINETUNE_METHOD_PSEUDO_LABELS:
        if (!s->finetune.teacher[0]) x.times = 2;
        break;
    case FINETUNE_METHOD_SUPERVISED:
    case FINETUNE_METHOD_MEAN_TEACHER:
    case FINETUNE_METHOD_CROSS_PSEUDO:
        break;
    }
    return x;
}

/* Fine-tunings of all rounds, and all else. */
static shown in_all(const settings *s) {
    shown each = in_round(s);
    if (s->run.until == STAGE_BASELINE) return each;
    int64_t contrast = (int64_t)s->pretrain.steps * s->pretrain.batch;
    int rounds = stage_rounds(s);
    shown x = {rounds * (each.before + contrast), rounds * each.times};
    /* The first round's extractor is a fine-tuning of its own; those of later rounds are counted
     * already. Views need no labels of it. */
    bool compared =
        s->pretrain.positives != PRETRAIN_POSITIVES_AUGMENTATION || s->finetune.contrast_weight > 0;
    bool labels = stage_has_clusters(s) && compared;
    if (labels && stage_extracts_finetuned(s, 1)) {
        x.before += each.before;
        x.times += each.times;
    }
    return x;
}

int64_t equal_images_of(const settings *s) {
    shown x = in_all(s);
    return x.before + (int64_t)x.times * s->finetune.steps * s->finetune.batch;
}

int64_t equal_images_steps(const settings *s, int64_t images) {
    shown x = in_all(s);
    int64_t step = (int64_t)x.times * s->finetune.batch;
    return images > x.before ? (images - x.before + step / 2) / step : 0;
}
