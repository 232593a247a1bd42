/* What settings can be that are one of a few words. GROUP_KEY_WORD, type group_key; what several
 * groups have is named after the part (view, update, training). What each word does is said by
 * the help in settings_table.c. Use them in a `switch` without `default`: the compiler then names
 * the places that a new word is missing from. */
#ifndef AUXSEG_BASE_SETTINGS_CHOICES_H
#define AUXSEG_BASE_SETTINGS_CHOICES_H

#include "src/base/choice.h"

#define RUN_RESUMES(X) X(RUN_RESUME_AUTO, "auto") X(RUN_RESUME_NEVER, "never")
CHOICE_DECLARE(run_resume, RUN_RESUMES);

/* The stages in their order (src/app/stage/stage_list.h); run.until's words, where none is all. */
#define STAGES(X)                                                                                  \
    X(STAGE_NONE, "")                                                                              \
    X(STAGE_PACK, "pack")                                                                          \
    X(STAGE_BASELINE, "baseline")                                                                  \
    X(STAGE_EXTRACT, "extract")                                                                    \
    X(STAGE_CLUSTER, "cluster")                                                                    \
    X(STAGE_SCORE, "score")                                                                        \
    X(STAGE_PRETRAIN, "pretrain")                                                                  \
    X(STAGE_FINETUNE, "finetune")                                                                  \
    X(STAGE_EVALUATE, "evaluate")                                                                  \
    X(STAGE_REPORT, "report")
CHOICE_DECLARE(stage_id, STAGES);
enum { STAGE_FIRST = STAGE_PACK, STAGE_COUNT = STAGE_REPORT + 1 };

#define DATASET_LAYOUTS(X)                                                                         \
    X(DATASET_LAYOUT_CITYSCAPES, "cityscapes")                                                     \
    X(DATASET_LAYOUT_VOC, "voc")                                                                   \
    X(DATASET_LAYOUT_ADE20K, "ade20k")                                                             \
    X(DATASET_LAYOUT_COCOSTUFF, "cocostuff")                                                       \
    X(DATASET_LAYOUT_COCO, "coco")                                                                 \
    X(DATASET_LAYOUT_KITTI, "kitti")                                                               \
    X(DATASET_LAYOUT_CAMVID, "camvid")                                                             \
    X(DATASET_LAYOUT_MAPILLARY, "mapillary")                                                       \
    X(DATASET_LAYOUT_PAIRS, "pairs")                                                               \
    X(DATASET_LAYOUT_FOLDER, "folder")                                                             \
    X(DATASET_LAYOUT_SYNTH, "synth")
CHOICE_DECLARE(dataset_layout, DATASET_LAYOUTS);

#define DATASET_ON_BAD_IMAGES(X)                                                                   \
    X(DATASET_ON_BAD_IMAGE_STOP, "stop") X(DATASET_ON_BAD_IMAGE_SKIP, "skip")
CHOICE_DECLARE(dataset_on_bad_image, DATASET_ON_BAD_IMAGES);

#define DATASET_LABEL_ORIENTATIONS(X)                                                              \
    X(DATASET_LABEL_ORIENTATION_AUTO, "auto")                                                      \
    X(DATASET_LABEL_ORIENTATION_TURNED, "turned")                                                  \
    X(DATASET_LABEL_ORIENTATION_STORED, "stored")
CHOICE_DECLARE(dataset_label_orientation, DATASET_LABEL_ORIENTATIONS);

#define DATASET_HELD_OUT_FORS(X)                                                                   \
    X(DATASET_HELD_OUT_FOR_EVALUATE, "evaluate") X(DATASET_HELD_OUT_FOR_VALIDATE, "validate")
CHOICE_DECLARE(dataset_held_out_for, DATASET_HELD_OUT_FORS);

#define MODEL_BACKBONES(X)                                                                         \
    X(MODEL_BACKBONE_RESNET18, "resnet18")                                                         \
    X(MODEL_BACKBONE_RESNET34, "resnet34")                                                         \
    X(MODEL_BACKBONE_RESNET50, "resnet50")                                                         \
    X(MODEL_BACKBONE_RESNET101, "resnet101")                                                       \
    X(MODEL_BACKBONE_RESNET152, "resnet152")                                                       \
    X(MODEL_BACKBONE_SQUEEZENET1_0, "squeezenet1_0")                                               \
    X(MODEL_BACKBONE_SQUEEZENET1_1, "squeezenet1_1")
CHOICE_DECLARE(model_backbone, MODEL_BACKBONES);

#define MODEL_HEADS(X)                                                                             \
    X(MODEL_HEAD_FCN, "fcn")                                                                       \
    X(MODEL_HEAD_DEEPLABV3, "deeplabv3")                                                           \
    X(MODEL_HEAD_DEEPLABV3PLUS, "deeplabv3plus")
CHOICE_DECLARE(model_head, MODEL_HEADS);

#define MODEL_NORMS(X)                                                                             \
    X(MODEL_NORM_GROUP, "group") X(MODEL_NORM_SYNC, "sync") X(MODEL_NORM_FROZEN, "frozen")
CHOICE_DECLARE(model_norm, MODEL_NORMS);

#define MODEL_DTYPES(X)                                                                            \
    X(MODEL_DTYPE_AUTO, "auto") X(MODEL_DTYPE_BF16, "bf16") X(MODEL_DTYPE_F32, "f32")
CHOICE_DECLARE(model_dtype, MODEL_DTYPES);

#define MODEL_WINOGRADS(X) X(MODEL_WINOGRAD_AUTO, "auto") X(MODEL_WINOGRAD_OFF, "off")
CHOICE_DECLARE(model_winograd, MODEL_WINOGRADS);

#define MODEL_RECOMPUTES(X) X(MODEL_RECOMPUTE_NONE, "none") X(MODEL_RECOMPUTE_BLOCKS, "blocks")
CHOICE_DECLARE(model_recompute, MODEL_RECOMPUTES);

#define MODEL_STEMS(X)                                                                             \
    X(MODEL_STEM_AUTO, "auto") X(MODEL_STEM_PLAIN, "plain") X(MODEL_STEM_DEEP, "deep")
CHOICE_DECLARE(model_stem, MODEL_STEMS);

#define MODEL_STRIDE_INS(X)                                                                        \
    X(MODEL_STRIDE_IN_AUTO, "auto") X(MODEL_STRIDE_IN_3X3, "3x3") X(MODEL_STRIDE_IN_1X1, "1x1")
CHOICE_DECLARE(model_stride_in, MODEL_STRIDE_INS);

#define MODEL_CHANNELS(X)                                                                          \
    X(MODEL_CHANNELS_AUTO, "auto") X(MODEL_CHANNELS_RGB, "rgb") X(MODEL_CHANNELS_BGR, "bgr")
CHOICE_DECLARE(model_channels, MODEL_CHANNELS);

#define MODEL_RANGES(X)                                                                            \
    X(MODEL_RANGE_AUTO, "auto") X(MODEL_RANGE_UNIT, "unit") X(MODEL_RANGE_BYTES, "bytes")
CHOICE_DECLARE(model_range, MODEL_RANGES);
/* What computes features: the trained network's own encoder, or another. Those
 * that can be trained have model.backbone's words. */
#define EXTRACT_BACKBONES(X)                                                                       \
    X(EXTRACT_BACKBONE_MODEL, "model")                                                             \
    X(EXTRACT_BACKBONE_RESNET18, "resnet18")                                                       \
    X(EXTRACT_BACKBONE_RESNET34, "resnet34")                                                       \
    X(EXTRACT_BACKBONE_RESNET50, "resnet50")                                                       \
    X(EXTRACT_BACKBONE_RESNET101, "resnet101")                                                     \
    X(EXTRACT_BACKBONE_RESNET152, "resnet152")                                                     \
    X(EXTRACT_BACKBONE_SQUEEZENET1_0, "squeezenet1_0")                                             \
    X(EXTRACT_BACKBONE_SQUEEZENET1_1, "squeezenet1_1")                                             \
    X(EXTRACT_BACKBONE_VIT, "vit")
CHOICE_DECLARE(extract_backbone, EXTRACT_BACKBONES);

#define EXTRACT_POSITIONS(X)                                                                       \
    X(EXTRACT_POSITIONS_AUTO, "auto")                                                              \
    X(EXTRACT_POSITIONS_TIMM, "timm")                                                              \
    X(EXTRACT_POSITIONS_DINO, "dino")                                                              \
    X(EXTRACT_POSITIONS_DINOV2, "dinov2")
CHOICE_DECLARE(extract_positions, EXTRACT_POSITIONS);

#define EXTRACT_SOURCES(X)                                                                         \
    X(EXTRACT_SOURCE_AUTO, "auto")                                                                 \
    X(EXTRACT_SOURCE_WEIGHTS, "weights")                                                           \
    X(EXTRACT_SOURCE_FINETUNED, "finetuned")                                                       \
    X(EXTRACT_SOURCE_FILES, "files")
CHOICE_DECLARE(extract_source, EXTRACT_SOURCES);

#define EXTRACT_FILES_ORDERS(X)                                                                    \
    X(EXTRACT_FILES_ORDER_AUTO, "auto")                                                            \
    X(EXTRACT_FILES_ORDER_HWD, "hwd") X(EXTRACT_FILES_ORDER_DHW, "dhw")
CHOICE_DECLARE(extract_files_order, EXTRACT_FILES_ORDERS);

#define EXTRACT_MEMORIES(X) X(EXTRACT_MEMORY_HOLD, "hold") X(EXTRACT_MEMORY_STREAM, "stream")
CHOICE_DECLARE(extract_memory, EXTRACT_MEMORIES);

#define CLUSTER_METHODS(X)                                                                         \
    X(CLUSTER_METHOD_KMEANS, "kmeans")                                                             \
    X(CLUSTER_METHOD_MINIBATCH, "minibatch")                                                       \
    X(CLUSTER_METHOD_DBSCAN, "dbscan")
CHOICE_DECLARE(cluster_method, CLUSTER_METHODS);

#define CLUSTER_METRICS(X)                                                                         \
    X(CLUSTER_METRIC_COSINE, "cosine") X(CLUSTER_METRIC_EUCLIDEAN, "euclidean")
CHOICE_DECLARE(cluster_metric, CLUSTER_METRICS);

#define CLUSTER_SCREENS(X)                                                                         \
    X(CLUSTER_SCREEN_AUTO, "auto")                                                                 \
    X(CLUSTER_SCREEN_DENSE, "dense") X(CLUSTER_SCREEN_PRUNED, "pruned")
CHOICE_DECLARE(cluster_screen, CLUSTER_SCREENS);

#define CLUSTER_ARITHMETICS(X)                                                                     \
    X(CLUSTER_ARITHMETIC_AUTO, "auto")                                                             \
    X(CLUSTER_ARITHMETIC_F32, "f32")                                                               \
    X(CLUSTER_ARITHMETIC_BF16, "bf16")                                                             \
    X(CLUSTER_ARITHMETIC_INT8, "int8")
CHOICE_DECLARE(cluster_arithmetic, CLUSTER_ARITHMETICS);

#define CLUSTER_INITS(X)                                                                           \
    X(CLUSTER_INIT_PLUSPLUS, "plusplus")                                                           \
    X(CLUSTER_INIT_RANDOM, "random")                                                               \
    X(CLUSTER_INIT_PARALLEL, "parallel")                                                           \
    X(CLUSTER_INIT_HIERARCHICAL, "hierarchical")
CHOICE_DECLARE(cluster_init, CLUSTER_INITS);

#define CLUSTER_OUTLIER_SCOPES(X)                                                                  \
    X(CLUSTER_OUTLIER_SCOPE_GLOBAL, "global") X(CLUSTER_OUTLIER_SCOPE_CLUSTER, "cluster")
CHOICE_DECLARE(cluster_outlier_scope, CLUSTER_OUTLIER_SCOPES);

#define PRETRAIN_METHODS(X)                                                                        \
    X(PRETRAIN_METHOD_PIXEL, "pixel")                                                              \
    X(PRETRAIN_METHOD_INSTANCE, "instance")                                                        \
    X(PRETRAIN_METHOD_DENSE, "dense")
CHOICE_DECLARE(pretrain_method, PRETRAIN_METHODS);

#define PRETRAIN_POSITIVES(X)                                                                      \
    X(PRETRAIN_POSITIVES_AUXILIARY, "auxiliary")                                                   \
    X(PRETRAIN_POSITIVES_AUGMENTATION, "augmentation")                                             \
    X(PRETRAIN_POSITIVES_BOTH, "both")
CHOICE_DECLARE(pretrain_positives, PRETRAIN_POSITIVES);

#define PRETRAIN_SCOPES(X) X(PRETRAIN_SCOPE_GLOBAL, "global") X(PRETRAIN_SCOPE_IMAGE, "image")
CHOICE_DECLARE(pretrain_scope, PRETRAIN_SCOPES);

#define TRAINING_SCHEDULES(X)                                                                      \
    X(TRAINING_SCHEDULE_CONSTANT, "constant")                                                      \
    X(TRAINING_SCHEDULE_POLYNOMIAL, "polynomial")                                                  \
    X(TRAINING_SCHEDULE_COSINE, "cosine")
CHOICE_DECLARE(training_schedule, TRAINING_SCHEDULES);

#define FINETUNE_METHODS(X)                                                                        \
    X(FINETUNE_METHOD_SUPERVISED, "supervised")                                                    \
    X(FINETUNE_METHOD_PIXEL_CONTRAST, "pixel-contrast")                                            \
    X(FINETUNE_METHOD_PSEUDO_LABELS, "pseudo-labels")                                              \
    X(FINETUNE_METHOD_MEAN_TEACHER, "mean-teacher")                                                \
    X(FINETUNE_METHOD_CROSS_PSEUDO, "cross-pseudo")
CHOICE_DECLARE(finetune_method, FINETUNE_METHODS);

#define UPDATE_OPTIMIZERS(X)                                                                       \
    X(UPDATE_OPTIMIZER_SGD, "sgd")                                                                 \
    X(UPDATE_OPTIMIZER_LARS, "lars") X(UPDATE_OPTIMIZER_ADAMW, "adamw")
CHOICE_DECLARE(update_optimizer, UPDATE_OPTIMIZERS);

#define VIEW_CROP_BYS(X) X(VIEW_CROP_BY_SCALE, "scale") X(VIEW_CROP_BY_AREA, "area")
CHOICE_DECLARE(view_crop_by, VIEW_CROP_BYS);

#define VIEW_COLOURS(X) X(VIEW_COLOURS_MEAN, "mean") X(VIEW_COLOURS_LUMINANCE, "luminance")
CHOICE_DECLARE(view_colours, VIEW_COLOURS);

#define FINETUNE_KEEPS(X) X(FINETUNE_KEEP_LAST, "last") X(FINETUNE_KEEP_BEST, "best")
CHOICE_DECLARE(finetune_keep, FINETUNE_KEEPS);

#define EVALUATE_IDS(X) X(EVALUATE_IDS_TRAIN, "train") X(EVALUATE_IDS_DATASET, "dataset")
CHOICE_DECLARE(evaluate_ids, EVALUATE_IDS);

#define SPLITS(X)                                                                                  \
    X(SPLIT_TRAIN, "train")                                                                        \
    X(SPLIT_VAL, "val") X(SPLIT_TEST, "test") X(SPLIT_HELD_OUT, "held-out")
CHOICE_DECLARE(split, SPLITS);
enum { SPLIT_COUNT = SPLIT_HELD_OUT + 1 };

#endif
