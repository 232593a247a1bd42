/* Pascal VOC 2012: palette PNGs whose indices are the classes, 255 the outlines of objects. The
 * lists of ImageSets/Segmentation hold names without folders and endings. "aug" is what most papers
 * train on: the label maps of the Semantic Boundaries Dataset, converted to SegmentationClassAug,
 * with the list trainaug.txt; it is taken where both are there. */
#include "io/dataset/layouts/layout_spec.h"

#include <stddef.h>

/* Names and colours of the development kit; background is a class. */
static const layout_class class[] = {{"background", {0, 0, 0}}, {"aeroplane", {128, 0, 0}},
    {"bicycle", {0, 128, 0}}, {"bird", {128, 128, 0}}, {"boat", {0, 0, 128}},
    {"bottle", {128, 0, 128}}, {"bus", {0, 128, 128}}, {"car", {128, 128, 128}},
    {"cat", {64, 0, 0}}, {"chair", {192, 0, 0}}, {"cow", {64, 128, 0}},
    {"diningtable", {192, 128, 0}}, {"dog", {64, 0, 128}}, {"horse", {192, 0, 128}},
    {"motorbike", {64, 128, 128}}, {"person", {192, 128, 128}}, {"pottedplant", {0, 64, 0}},
    {"sheep", {128, 64, 0}}, {"sofa", {0, 192, 0}}, {"train", {128, 192, 0}},
    {"tvmonitor", {0, 64, 128}}};

/* Most images of JPEGImages have no label map: only what is in a list counts. */
#define LIST(name_) "ImageSets/Segmentation/" name_ ".txt"
#define PART(split_, labels_, list_)                                                               \
    { split_, "JPEGImages", ".jpg", labels_, ".png", .list = LIST(list_) }
#define VAL PART(SPLIT_VAL, "SegmentationClass|SegmentationClassAug", "val")
#define TEST                                                                                       \
    { .split = SPLIT_TEST, .images = "JPEGImages", .image_end = ".jpg", .list = LIST("test") }

/* 1,464 images for training, 1,449 for validation. */
static const layout_part own[] = {PART(SPLIT_TRAIN, "SegmentationClass", "train"), VAL, TEST, {0}};
/* 10,582 for training. The list goes around under two names. */
static const layout_part aug[] = {
    PART(SPLIT_TRAIN, "SegmentationClassAug", "trainaug"), VAL, TEST, {0}};
static const layout_part aug_elsewhere[] = {
    PART(SPLIT_TRAIN, "SegmentationClassAug", "train_aug"), VAL, TEST, {0}};

#define LABELS .class = class, .classes = sizeof class / sizeof *class, .coloured = true
static const layout_variant variants[] = {{.name = "aug", .part = aug, LABELS},
    {.name = "aug", .part = aug_elsewhere, LABELS}, {.name = "voc", .part = own, LABELS}};

static const char *const inside[] = {"", "VOC2012", "VOCdevkit/VOC2012", NULL};
const layout_spec layout_voc = {inside, variants, sizeof variants / sizeof *variants};
