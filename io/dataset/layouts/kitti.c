/* KITTI's semantic segmentation: 200 labelled images with Cityscapes' ids, and 200 without labels.
 * No validation set was published. Every fifth image is held out as one (40 of 200), by the number
 * in its name; that choice is ours. The variant "all" trains on all 200. */
#include "io/dataset/layouts/layout_spec.h"

#include <stddef.h>
#include <stdlib.h>

/* "000015_10": number 15 of the sequence's frame 10. */
static split every_fifth(const char *name) {
    return strtol(name, NULL, 10) % 5 == 0 ? SPLIT_VAL : SPLIT_TRAIN;
}

#define TRAINING                                                                                   \
    .split = SPLIT_TRAIN, .images = "training/image_2", .image_end = ".png",                       \
    .labels = "training/semantic", .label_end = ".png"
#define TEST                                                                                       \
    { .split = SPLIT_TEST, .images = "testing/image_2", .image_end = ".png" }

static const layout_part held_out[] = {{TRAINING, .split_of = every_fifth}, TEST, {0}};
static const layout_part all[] = {{TRAINING}, TEST, {0}};

#define LABELS                                                                                     \
    .class = cityscapes_class, .classes = CITYSCAPES_CLASSES, .coloured = true,                    \
    .ids = cityscapes_ids
static const layout_variant variants[] = {
    {.name = "fifth", .part = held_out, LABELS}, {.name = "all", .part = all, LABELS}};

static const char *const inside[] = {"", "data_semantics", NULL};
const layout_spec layout_kitti = {inside, variants, sizeof variants / sizeof *variants};
