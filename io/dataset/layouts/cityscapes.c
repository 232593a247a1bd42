/* Cityscapes: 19 classes of 34 label ids. labelIds are what is published; labelTrainIds are made of
 * them by a script that users forget, and mean the same, so that either will do. The labels of the
 * test set are dummies, and are left alone. gtCoarse has a training set of its own, train_extra;
 * its validation images have fine labels, too, and those are used where they are there. */
#include "io/dataset/layouts/layout_spec.h"

#include <stddef.h>

/* In the order of the train ids; names and colours as cityscapesScripts has them. */
const layout_class cityscapes_class[CITYSCAPES_CLASSES] = {{"road", {128, 64, 128}},
    {"sidewalk", {244, 35, 232}}, {"building", {70, 70, 70}}, {"wall", {102, 102, 156}},
    {"fence", {190, 153, 153}}, {"pole", {153, 153, 153}}, {"traffic light", {250, 170, 30}},
    {"traffic sign", {220, 220, 0}}, {"vegetation", {107, 142, 35}}, {"terrain", {152, 251, 152}},
    {"sky", {70, 130, 180}}, {"person", {220, 20, 60}}, {"rider", {255, 0, 0}},
    {"car", {0, 0, 142}}, {"truck", {0, 0, 70}}, {"bus", {0, 60, 100}}, {"train", {0, 80, 100}},
    {"motorcycle", {0, 0, 230}}, {"bicycle", {119, 11, 32}}};

/* Void below road, between classes, and licence plates, which some writers make 255. */
const layout_ids cityscapes_ids[] = {{0, 7, LAYOUT_VOID}, {7, 2, 0}, {9, 2, LAYOUT_VOID},
    {11, 3, 2}, {14, 3, LAYOUT_VOID}, {17, 1, 5}, {18, 1, LAYOUT_VOID}, {19, 10, 6},
    {29, 2, LAYOUT_VOID}, {31, 3, 16}, {255, 1, LAYOUT_VOID}, {0}};

/* Some keep their images as JPEG, to a fifth of the size. */
#define IMAGES(split_) "leftImg8bit/" split_, "_leftImg8bit.png|_leftImg8bit.jpg"
#define TEST                                                                                       \
    { .split = SPLIT_TEST, IMAGES("test") }

/* What is published. Beside each label map lie its instances, colours and polygons. */
static const layout_part fine[] = {
    {SPLIT_TRAIN, IMAGES("train"), "gtFine/train", "_gtFine_labelIds.png", NULL, NULL},
    {SPLIT_VAL, IMAGES("val"), "gtFine/val", "_gtFine_labelIds.png", NULL, NULL}, TEST, {0}};

/* As createTrainIdLabelImgs.py leaves them, for who has kept these alone. */
static const layout_part fine_train_ids[] = {
    {SPLIT_TRAIN, IMAGES("train"), "gtFine/train", "_gtFine_labelTrainIds.png", NULL, NULL},
    {SPLIT_VAL, IMAGES("val"), "gtFine/val", "_gtFine_labelTrainIds.png", NULL, NULL}, TEST, {0}};

/* Polygons drawn in minutes, for 2,975 and 19,998 images: much of an image is void. */
static const layout_part coarse[] = {
    {SPLIT_TRAIN, IMAGES("train"), "gtCoarse/train", "_gtCoarse_labelIds.png", NULL, NULL},
    {SPLIT_TRAIN, IMAGES("train_extra"), "gtCoarse/train_extra", "_gtCoarse_labelIds.png", NULL,
        NULL},
    {SPLIT_VAL, IMAGES("val"), "gtFine/val|gtCoarse/val",
        "_gtFine_labelIds.png|_gtCoarse_labelIds.png", NULL, NULL},
    TEST, {0}};

static const layout_part coarse_train_ids[] = {
    {SPLIT_TRAIN, IMAGES("train"), "gtCoarse/train", "_gtCoarse_labelTrainIds.png", NULL, NULL},
    {SPLIT_TRAIN, IMAGES("train_extra"), "gtCoarse/train_extra", "_gtCoarse_labelTrainIds.png",
        NULL, NULL},
    {SPLIT_VAL, IMAGES("val"), "gtFine/val|gtCoarse/val",
        "_gtFine_labelTrainIds.png|_gtCoarse_labelTrainIds.png", NULL, NULL},
    TEST, {0}};

/* Both numberings are the same 19 classes; of train ids 255 alone is void. */
#define LABELS .class = cityscapes_class, .classes = CITYSCAPES_CLASSES, .coloured = true
static const layout_variant variants[] = {
    {.name = "fine", .part = fine, LABELS, .ids = cityscapes_ids},
    {.name = "fine", .part = fine_train_ids, LABELS},
    {.name = "coarse", .part = coarse, LABELS, .ids = cityscapes_ids},
    {.name = "coarse", .part = coarse_train_ids, LABELS}};

static const char *const inside[] = {"", "cityscapes", NULL};
const layout_spec layout_cityscapes = {inside, variants, sizeof variants / sizeof *variants};
