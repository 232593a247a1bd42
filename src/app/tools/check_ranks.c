/* How far the settings let a run be spread, for `auxseg check`: beyond it, ranks are idle in the
 * training stages, and users who ask for them pay for nothing. It is a property of the batch, not
 * of the machine; other stages have work for as many ranks as there are images. */
#include "src/app/stage/deal.h"
#include "src/app/tools/check_state.h"
#include "src/base/log.h"

/* What is dealt at once, and why. */
static const char *what(const settings *s, int together) {
    if (s->model.norm == MODEL_NORM_GROUP) return "norm groups (model.group)";
    return together > 1 ? "the views of an image" : "single images";
}

/* Of `images` a step, `together` of them of one image. Threads of a rank take an image each; what
 * more there are share images. */
static void tell_stage(const settings *s, const char *stage, int images, int together) {
    int deal = deal_size(s, together), ranks = deal_count(images, deal);
    log_info(
        "%s: %d images a step, dealt as %s of %d: at most %d rank%s of %d thread%s have work of "
        "their own; more threads share images, more ranks are idle",
        stage, images, what(s, together), deal, ranks, ranks > 1 ? "s" : "", deal,
        deal > 1 ? "s" : "");
}

void check_ranks(const check *k) {
    const settings *s = k->s;
    if (k->pretrain) tell_stage(s, "pretrain", 2 * s->pretrain.batch, 2);
    if (k->finetune) tell_stage(s, "finetune", s->finetune.batch, 1);
}
