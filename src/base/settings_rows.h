/* How a row of the table of settings is written (for settings_table.c, and settings_table_labels.c,
 * whose rows come first): a macro for each kind of value, and for the rows that several groups have
 * in common. */
#ifndef AUXSEG_BASE_SETTINGS_ROWS_H
#define AUXSEG_BASE_SETTINGS_ROWS_H

#include "src/base/settings_table.h"

/* Rows of the groups run, dataset, model, extract and cluster. */
extern const setting settings_rows_of_labels[];
extern const int settings_count_of_labels;

/* Designated initialisers: a row leaves out what its kind has no use for, and it is zero. */
#define AT(group_, key_) .group = #group_, .key = #key_, .offset = offsetof(settings, group_.key_)
#define FLAG(group_, key_, default_, help_)                                                        \
    AT(group_, key_), .kind = SETTING_FLAG, .number = (default_), .max = 1, .help = help_
#define NUMBER(kind_, group_, key_, default_, min_, max_, unit_, help_)                            \
    AT(group_, key_), .kind = (kind_), .number = (default_), .min = (min_), .max = (max_),         \
                      .unit = (unit_), .help = help_
#define INTEGER(...) NUMBER(SETTING_INTEGER, __VA_ARGS__)
#define REAL(...) NUMBER(SETTING_REAL, __VA_ARGS__)
#define WORDS(group_, key_, default_, help_)                                                       \
    AT(group_, key_), .kind = SETTING_WORDS, .text = (default_), .help = help_
/* Its words are those of group_key, or of another enum: dtype, say. Bounds are not needed: a word
 * that is none of these is refused. */
#define CHOICE(group_, key_, default_, help_)                                                      \
    CHOICE_OF(group_, key_, group_##_##key_##_words, default_, help_)
#define CHOICE_OF(group_, key_, words_, default_, help_)                                           \
    AT(group_, key_), .kind = SETTING_CHOICE, .number = (default_), .words = (words_), .help = help_

/* clang-format off */
/* Keys of a group that stand in a part of it which several groups have. */
#define AT_PART(group_, part_, key_)                                                               \
    .group = #group_, .key = #key_, .offset = offsetof(settings, group_.part_.key_)
#define PART_REAL(group_, part_, key_, default_, min_, max_, unit_, help_)                         \
    AT_PART(group_, part_, key_), .kind = SETTING_REAL, .number = (default_), .min = (min_),       \
                                  .max = (max_), .unit = (unit_), .help = help_
#define PART_CHOICE(group_, part_, key_, default_, help_)                                          \
    AT_PART(group_, part_, key_), .kind = SETTING_CHOICE, .number = (default_),                    \
                                  .words = part_##_##key_##_words, .help = help_
/* clang-format on */

/* What both training stages have of their optimiser: OPTIMIZER(pretrain), ... Its rows stand in two
 * places of a group, the choice first (OPTIMIZER), numbers further down (OPTIMIZER_NUMBERS). */
#define OPTIMIZER_HELP                                                                             \
    "sgd: stochastic gradient descent with momentum; lars: the same with a learning rate "         \
    "for each tensor, for large batches (You, Gitman, Ginsburg 2017); adamw: Adam with "           \
    "decoupled weight decay (Loshchilov, Hutter 2019), which wants a smaller lr, 0.001 "           \
    "say."
#define TRUST_HELP                                                                                 \
    "Of lars: with lr 1 a step moves a tensor by this share of its norm; norms and biases "        \
    "move as under sgd."
#define CLIP_HELP                                                                                  \
    "A gradient whose norm over all tensors is larger is scaled down to this norm; 0: "            \
    "none is."
/* clang-format off */
#define UPDATE_REAL(group_, ...) PART_REAL(group_, update, __VA_ARGS__)

#define OPTIMIZER(group_)                                                                          \
    {PART_CHOICE(group_, update, optimizer, UPDATE_OPTIMIZER_SGD, OPTIMIZER_HELP)}
#define OPTIMIZER_NUMBERS(group_)                                                                  \
    {UPDATE_REAL(group_, momentum, 0.9, 0, 0.99999, NULL, "Of sgd and lars.")},                    \
    {UPDATE_REAL(group_, trust, 0.001, 1e-6, 1000, NULL, TRUST_HELP)},                             \
    {UPDATE_REAL(group_, beta1, 0.9, 0, 0.999999, NULL, "Of adamw: decay of the mean gradient.")}, \
    {UPDATE_REAL(group_, beta2, 0.999, 0, 0.999999, NULL, "Of adamw: decay of the mean square.")}, \
    {UPDATE_REAL(group_, epsilon, 1e-8, 1e-30, 1, NULL,                                            \
        "Of adamw: added to the mean square's root.")},                                            \
    {UPDATE_REAL(group_, weight_decay, 5e-4, 0, 1, NULL, "Not for norms and biases.")},            \
    {UPDATE_REAL(group_, clip, 0, 0, 1e9, NULL, CLIP_HELP)}
/* clang-format on */

/* Views of images: view_settings, a member of the stage's group. Numbers of both ways to crop are
 * always there; the ones that crop_by does not ask for change nothing. */
#define CROP_HELP                                                                                  \
    "scale: crop / s pixels are resized to a view, s between scale_min and scale_max, each pixel " \
    "from the nearest four. area: torchvision's RandomResizedCrop, a share of the image between "  \
    "area_min and area_max, each pixel from all those that it covers."
#define COLOURS_HELP                                                                               \
    "What grey is when colours change. mean: the mean of the channels; brightness, contrast, "     \
    "saturation and hue change in this order. luminance: as torchvision's ColorJitter and "        \
    "RandomGrayscale, in random order."
#define JITTER_HELP                                                                                \
    "Brightness, contrast and saturation change by up to this share, where they have no value of " \
    "their own."
/* clang-format off */
#define VIEW_REAL(group_, ...) PART_REAL(group_, view, __VA_ARGS__)
#define VIEW_CHOICE(group_, ...) PART_CHOICE(group_, view, __VA_ARGS__)
#define VIEWS(group_)                                                                              \
    {VIEW_CHOICE(group_, crop_by, VIEW_CROP_BY_SCALE, CROP_HELP)},                              \
    {VIEW_CHOICE(group_, colours, VIEW_COLOURS_MEAN, COLOURS_HELP)},                        \
    {VIEW_REAL(group_, scale_min, 0.5, 0.05, 20, NULL, "Smallest magnification of a view.")},      \
    {VIEW_REAL(group_, scale_max, 1.25, 0.05, 20, NULL, "Largest magnification of a view.")},      \
    {VIEW_REAL(group_, area_min, 0.08, 0.0001, 1, NULL, "area: smallest share of the image.")},    \
    {VIEW_REAL(group_, area_max, 1, 0.0001, 1, NULL, "area: largest share of the image.")},        \
    {VIEW_REAL(group_, aspect_min, 0.75, 0.01, 100, NULL, "area: smallest width to height.")},     \
    {VIEW_REAL(group_, aspect_max, 4.0 / 3, 0.01, 100, NULL, "area: largest width to height.")},   \
    {VIEW_REAL(group_, flip, 0.5, 0, 1, NULL, "Probability of a mirrored view.")},                 \
    {VIEW_REAL(group_, jitter_probability, 1, 0, 1, NULL, "Probability that colours change.")},    \
    {VIEW_REAL(group_, jitter, 0.4, 0, 1, NULL, JITTER_HELP)},                                     \
    {VIEW_REAL(group_, brightness, -1, -1, 10, NULL, "Largest change; -1: as jitter says.")},      \
    {VIEW_REAL(group_, contrast, -1, -1, 10, NULL, "Largest change; -1: as jitter says.")},        \
    {VIEW_REAL(group_, saturation, -1, -1, 10, NULL, "Largest change; -1: as jitter says.")},      \
    {VIEW_REAL(group_, hue, 0, 0, 0.5, "turns", "Largest turn around the circle.")},               \
    {VIEW_REAL(group_, grey, 0, 0, 1, NULL, "Probability of a view without colour.")},             \
    {VIEW_REAL(group_, blur, 0, 0, 1, NULL, "Probability of a blurred view.")},                    \
    {VIEW_REAL(group_, blur_min, 0.1, 0.01, 100, "pixels", "Smallest sigma, in a view.")},         \
    {VIEW_REAL(group_, blur_max, 2, 0.01, 100, "pixels", "Largest sigma, in a view.")}
/* clang-format on */

#endif
