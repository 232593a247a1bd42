/* The groups of settings, apart from their rows (settings_table.c): a group's name and its line in
 * the manual. A row of a group that does not stand here would belong to none. */
#include "src/base/settings_table.h"

#include <string.h>

/* The groups in the order of the struct. A group is known if it stands here. */
static const struct {
    const char *group, *help;
} groups[] = {
    {"run", "The run as a whole."},
    {"dataset", "Images and labels, and how they are found."},
    {"model", "The network."},
    {"extract", "Dense features, of which the auxiliary labels are made."},
    {"cluster", "Auxiliary labels: k-means over the features of all training images."},
    {"pretrain", "Contrastive pretraining with the auxiliary labels."},
    {"finetune", "Supervised training on the labelled share of the training images."},
    {"evaluate", "Measures and predictions of a model."},
    {"report", "The HTML page."},
};

/* Empty, not NULL, for what is no group: this is also how a reader asks whether it is one. */
const char *setting_group_help(const char *group) {
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (strcmp(groups[i].group, group) == 0) return groups[i].help;
    return "";
}
