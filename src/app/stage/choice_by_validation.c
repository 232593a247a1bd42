/* The best of many looks at some images is better on them than on others, by chance. That is said
 * wherever the figure is shown: by `check` before, in the log meanwhile, on the page after. */
#include "src/app/stage/choice_by_validation.h"

const char *choice_by_validation(const settings *s) {
    bool chosen = s->finetune.keep == FINETUNE_KEEP_BEST || s->finetune.patience > 0;
    bool beside =
        s->dataset.held_out > 0 && s->dataset.held_out_for == DATASET_HELD_OUT_FOR_VALIDATE;
    split looked_at = beside ? SPLIT_HELD_OUT : SPLIT_VAL;
    if (!chosen || s->finetune.validate == 0 || s->evaluate.split != looked_at) return NULL;
    if (s->dataset.held_out == 0)
        return "finetune.keep = \"best\" or finetune.patience without dataset.held_out: the "
               "length of training is chosen by the validation images that it is measured on, "
               "which flatters the figures";
    return beside ? "evaluate.split = \"held-out\": the held-out images choose the length of "
                    "training and measure it: figures are no estimate for other images"
                  : "finetune.keep = \"best\" or finetune.patience: the held-out images choose the "
                    "length of training and measure it: figures compare with one another, and are "
                    "no estimate for other images (dataset.held_out_for = \"validate\")";
}
