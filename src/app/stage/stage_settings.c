/* Some stages are trained with other settings than the run's, whatever these are. What they are
 * stands here once: the stage is trained by it, and the page knows from it that such a difference
 * is no sign of a stage that was not done anew. */
#include "src/app/stage/stage_settings.h"

#include "src/base/memory.h"

#include <string.h>

/* The supervised model that labels for another one: the method gains by its unlabelled images
 * alone. */
static void derive_teacher(settings *s) {
    s->finetune.method = FINETUNE_METHOD_SUPERVISED;
    s->finetune.unlabelled_weight = s->finetune.confidence = -1;
    s->finetune.cutmix = s->finetune.strong = -1;
}

/* Which pixels are positives is what the contrast by classes is; classes have no centroids. */
static void derive_contrast(settings *s) {
    s->pretrain.method = PRETRAIN_METHOD_PIXEL;
    s->pretrain.positives = PRETRAIN_POSITIVES_AUXILIARY;
    s->pretrain.label_groups = 0;
}

void stage_settings_derive(settings *s, const char *stage) {
    /* The baseline is what the method is measured by, and may be what features come from, before
     * there are labels to contrast by. */
    if (strncmp(stage, "baseline", strlen("baseline")) == 0) s->finetune.contrast_weight = 0;
    if (strstr(stage, "-teacher")) derive_teacher(s);
    if (strstr(stage, "-contrast")) derive_contrast(s);
}

status stage_settings_create(settings **out, const comm *c, const settings *s, const char *stage) {
    settings *own = memory_alloc(1, sizeof *own, "settings of a stage");
    status st = comm_agree(c, own ? STATUS_OK : STATUS_FAILED);
    if (st != STATUS_OK) {
        memory_free(own);
        return st;
    }
    *own = *s;
    stage_settings_derive(own, stage);
    *out = own;
    return STATUS_OK;
}
