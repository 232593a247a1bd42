/* Supervised pixel contrast (Zhao et al. 2021, "Contrastive Learning for Label Efficient Semantic
 * Segmentation", arXiv:2012.06985): the network up to its classifier is first trained so that
 * pixels of one class, in one image or in several, get similar embeddings, on the labelled share
 * alone, then fine-tuned with the cross-entropy. The loss is the one of our pretraining, with true
 * classes for auxiliary labels: what differs from that is where labels come from, and how many
 * images have any. */
#include "src/app/training/finetune_step.h"

#include "src/app/stage/stage_settings.h"
#include "src/app/training/pretrain.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"

/* The key rests on which images have labels, however the settings choose them. */
static status contrast_stage(stage *t, contrast_task *task) {
    bool done = false;
    status st = images_agree(t->c, &task->list, t->s, images_labelled(&task->list, t->d, t->s));
    if (st != STATUS_OK) return st;
    uint64_t share =
        hash_bytes(task->list.member, (size_t)task->list.count * sizeof *task->list.member);
    st = stage_key(t, task->weights, share);
    t->checkpoint_key = arithmetic_hash(pretrain_loss_key(t), &t->how);
    if (st == STATUS_OK) st = stage_done(t, &done);
    if (st != STATUS_OK || done) return st;
    log_info("%s: pixels of a class attract one another in %d labelled images; adapted: our loss, "
             "views and schedule ([pretrain]), as many steps",
        t->name, task->list.count);
    return pretrain_task(t, task);
}

status finetune_contrast(const comm *c, const settings *s, const char *base, int round,
    const char *weights, const char *output) {
    settings *own = NULL;
    stage t = {0};
    contrast_task task = {.weights = weights, .output = output, .truth = true};
    status st = stage_settings_create(&own, c, s, base);
    if (st != STATUS_OK) return st;
    st = stage_begin_as(&t, c, own, STAGE_PRETRAIN, base, round);
    if (st == STATUS_OK) st = contrast_stage(&t, &task);
    memory_free(task.list.member);
    stage_end(&t);
    memory_free(own);
    return st;
}
