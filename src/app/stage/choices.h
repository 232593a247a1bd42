/* What the engines call that which the settings call by a word: every choice that an engine has an
 * enum of its own for, here and nowhere else. Not collective. */
#ifndef AUXSEG_APP_STAGE_CHOICES_H
#define AUXSEG_APP_STAGE_CHOICES_H

#include "src/base/settings_choices.h"
#include "src/contrast/loss.h"
#include "src/image/augment.h"
#include "src/label/kmeans_options.h"
#include "src/nn/graph/optimizer.h"
#include "src/nn/graph/schedule.h"
#include "src/nn/plan/plan.h"

#include <stdbool.h>

norm_mode choices_norm(model_norm c);
recompute_mode choices_recompute(model_recompute c);
schedule_kind choices_schedule(training_schedule c);
optimizer_kind choices_optimizer(update_optimizer c);
crop_rule choices_crop(view_crop_by c);
colour_rule choices_colours(view_colours c);
contrast_positives choices_positives(pretrain_positives c);
contrast_scope choices_scope(pretrain_scope c);
kmeans_screen choices_screen(cluster_screen c);
kmeans_arithmetic choices_arithmetic(cluster_arithmetic c);
kmeans_init choices_init(cluster_init c);
/* Whether distances are those of directions: rows and centroids have length 1. */
bool choices_cosine(cluster_metric c);
outlier_scope choices_outliers(cluster_outlier_scope c);

#endif
