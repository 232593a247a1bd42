/* The words of the choices; the lists stand in the headers.
 *
 * An enum and its words come from one list (choice.h), so that a new word is one line in the
 * header; the switches over the enum, which have no default, are then named by the compiler. A word
 * may change its place in a list: saved settings and their hashes hold words, not numbers. It may
 * not change its spelling, which files in use have. */
#include "src/base/settings_choices.h"

#include "src/base/dtype.h"

#include <stddef.h>

CHOICE_DEFINE(dtype, DTYPES);
CHOICE_DEFINE(run_resume, RUN_RESUMES);
CHOICE_DEFINE(stage_id, STAGES);
CHOICE_DEFINE(dataset_layout, DATASET_LAYOUTS);
CHOICE_DEFINE(dataset_on_bad_image, DATASET_ON_BAD_IMAGES);
CHOICE_DEFINE(dataset_label_orientation, DATASET_LABEL_ORIENTATIONS);
CHOICE_DEFINE(dataset_held_out_for, DATASET_HELD_OUT_FORS);
CHOICE_DEFINE(model_backbone, MODEL_BACKBONES);
CHOICE_DEFINE(model_head, MODEL_HEADS);
CHOICE_DEFINE(model_norm, MODEL_NORMS);
CHOICE_DEFINE(model_dtype, MODEL_DTYPES);
CHOICE_DEFINE(model_winograd, MODEL_WINOGRADS);
CHOICE_DEFINE(model_recompute, MODEL_RECOMPUTES);
CHOICE_DEFINE(model_stem, MODEL_STEMS);
CHOICE_DEFINE(model_stride_in, MODEL_STRIDE_INS);
CHOICE_DEFINE(model_channels, MODEL_CHANNELS);
CHOICE_DEFINE(model_range, MODEL_RANGES);
CHOICE_DEFINE(extract_backbone, EXTRACT_BACKBONES);
CHOICE_DEFINE(extract_positions, EXTRACT_POSITIONS);
CHOICE_DEFINE(extract_source, EXTRACT_SOURCES);
CHOICE_DEFINE(extract_files_order, EXTRACT_FILES_ORDERS);
CHOICE_DEFINE(extract_memory, EXTRACT_MEMORIES);
CHOICE_DEFINE(cluster_method, CLUSTER_METHODS);
CHOICE_DEFINE(cluster_metric, CLUSTER_METRICS);
CHOICE_DEFINE(cluster_screen, CLUSTER_SCREENS);
CHOICE_DEFINE(cluster_arithmetic, CLUSTER_ARITHMETICS);
CHOICE_DEFINE(cluster_init, CLUSTER_INITS);
CHOICE_DEFINE(cluster_outlier_scope, CLUSTER_OUTLIER_SCOPES);
CHOICE_DEFINE(pretrain_method, PRETRAIN_METHODS);
CHOICE_DEFINE(pretrain_positives, PRETRAIN_POSITIVES);
CHOICE_DEFINE(pretrain_scope, PRETRAIN_SCOPES);
CHOICE_DEFINE(training_schedule, TRAINING_SCHEDULES);
CHOICE_DEFINE(finetune_method, FINETUNE_METHODS);
CHOICE_DEFINE(update_optimizer, UPDATE_OPTIMIZERS);
CHOICE_DEFINE(view_crop_by, VIEW_CROP_BYS);
CHOICE_DEFINE(view_colours, VIEW_COLOURS);
CHOICE_DEFINE(finetune_keep, FINETUNE_KEEPS);
CHOICE_DEFINE(evaluate_ids, EVALUATE_IDS);
CHOICE_DEFINE(split, SPLITS);
