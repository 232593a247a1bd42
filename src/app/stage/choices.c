/* The switches between the settings' enums and the engines'. None has a default: a word that is new
 * in settings_choices.h is a compiler warning here. The last case leaves the switch, so that a
 * function ends with a return. The settings have enums of their own, as their words are read by a
 * table that knows no engine, and engines do not know settings. What each word means to a user is
 * in the help of settings_table.c; what an engine does with it, in the header of that engine. */
#include "src/app/stage/choices.h"

/* Over which images a norm takes its statistics; frozen: over none. */
norm_mode choices_norm(model_norm c) {
    switch (c) {
    case MODEL_NORM_GROUP:
        return NORM_GROUP;
    case MODEL_NORM_SYNC:
        return NORM_SYNC;
    case MODEL_NORM_FROZEN:
        break;
    }
    return NORM_FROZEN;
}

/* Memory against time: which activations a backward pass finds and which it computes again. What is
 * computed again is the same. */
recompute_mode choices_recompute(model_recompute c) {
    switch (c) {
    case MODEL_RECOMPUTE_BLOCKS:
        return RECOMPUTE_BLOCKS;
    case MODEL_RECOMPUTE_NONE:
        break;
    }
    return RECOMPUTE_NONE;
}

/* How the rate falls from step to step; a warm-up is a setting of its own. */
schedule_kind choices_schedule(training_schedule c) {
    switch (c) {
    case TRAINING_SCHEDULE_CONSTANT:
        return SCHEDULE_CONSTANT;
    case TRAINING_SCHEDULE_POLYNOMIAL:
        return SCHEDULE_POLYNOMIAL;
    case TRAINING_SCHEDULE_COSINE:
        break;
    }
    return SCHEDULE_COSINE;
}

/* What a step makes of the gradient; the numbers that go with it are in setup.c. */
optimizer_kind choices_optimizer(update_optimizer c) {
    switch (c) {
    case UPDATE_OPTIMIZER_LARS:
        return OPTIMIZER_LARS;
    case UPDATE_OPTIMIZER_ADAMW:
        return OPTIMIZER_ADAMW;
    case UPDATE_OPTIMIZER_SGD:
        break;
    }
    return OPTIMIZER_SGD;
}

/* Two ways to cut a view from an image (src/image/augment.h): by a scale alone, or as torchvision
 * does. */
crop_rule choices_crop(view_crop_by c) {
    switch (c) {
    case VIEW_CROP_BY_AREA:
        return CROP_AREA;
    case VIEW_CROP_BY_SCALE:
        break;
    }
    return CROP_SCALE;
}

/* Likewise for the colours of a view (src/image/colour.h). */
colour_rule choices_colours(view_colours c) {
    switch (c) {
    case VIEW_COLOURS_LUMINANCE:
        return COLOUR_LUMINANCE;
    case VIEW_COLOURS_MEAN:
        break;
    }
    return COLOUR_MEAN;
}

/* Which pixels attract one another: those of one auxiliary label, the same pixel in another view,
 * or both. */
contrast_positives choices_positives(pretrain_positives c) {
    switch (c) {
    case PRETRAIN_POSITIVES_AUGMENTATION:
        return POSITIVES_AUGMENTATION;
    case PRETRAIN_POSITIVES_BOTH:
        return POSITIVES_BOTH;
    case PRETRAIN_POSITIVES_AUXILIARY:
        break;
    }
    return POSITIVES_AUXILIARY;
}

/* Among which pixels pairs are formed: all of a step, or those of one image. */
contrast_scope choices_scope(pretrain_scope c) {
    switch (c) {
    case PRETRAIN_SCOPE_IMAGE:
        return SCOPE_IMAGE;
    case PRETRAIN_SCOPE_GLOBAL:
        break;
    }
    return SCOPE_GLOBAL;
}

/* Which pass finds labels. All give the same ones: auto may decide by time. */
kmeans_screen choices_screen(cluster_screen c) {
    switch (c) {
    case CLUSTER_SCREEN_DENSE:
        return KMEANS_SCREEN_DENSE;
    case CLUSTER_SCREEN_PRUNED:
        return KMEANS_SCREEN_PRUNED;
    case CLUSTER_SCREEN_AUTO:
        break;
    }
    return KMEANS_SCREEN_AUTO;
}

/* In what the screen multiplies; what it leaves open is decided in float64, so labels do not depend
 * on it. */
kmeans_arithmetic choices_arithmetic(cluster_arithmetic c) {
    switch (c) {
    case CLUSTER_ARITHMETIC_F32:
        return KMEANS_F32;
    case CLUSTER_ARITHMETIC_BF16:
        return KMEANS_BF16;
    case CLUSTER_ARITHMETIC_INT8:
        return KMEANS_INT8;
    case CLUSTER_ARITHMETIC_AUTO:
        break;
    }
    return KMEANS_FASTEST;
}

/* How initial centroids are drawn. Unlike the two above, this decides the result. */
kmeans_init choices_init(cluster_init c) {
    switch (c) {
    case CLUSTER_INIT_RANDOM:
        return KMEANS_RANDOM;
    case CLUSTER_INIT_PARALLEL:
        return KMEANS_PARALLEL;
    case CLUSTER_INIT_HIERARCHICAL:
        return KMEANS_HIERARCHICAL;
    case CLUSTER_INIT_PLUSPLUS:
        break;
    }
    return KMEANS_PLUSPLUS;
}

bool choices_cosine(cluster_metric c) {
    switch (c) {
    case CLUSTER_METRIC_COSINE:
        return true;
    case CLUSTER_METRIC_EUCLIDEAN:
        break;
    }
    return false;
}

/* Whether the farthest share of rows is left without a label over all rows or in each cluster. */
outlier_scope choices_outliers(cluster_outlier_scope c) {
    switch (c) {
    case CLUSTER_OUTLIER_SCOPE_CLUSTER:
        return OUTLIERS_CLUSTER;
    case CLUSTER_OUTLIER_SCOPE_GLOBAL:
        break;
    }
    return OUTLIERS_GLOBAL;
}
