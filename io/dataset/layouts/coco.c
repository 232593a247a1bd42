/* COCO as a data set of things. Its own annotations are polygons; what is published as pixels are
 * the maps of COCO-Stuff, of which "things" keeps the 80 things and makes all stuff one class,
 * "background", as is usual where things alone are counted. "panoptic" reads the semantic maps that
 * detectron2's and Mask2Former's converters make of the panoptic annotations, 80 things and 53
 * kinds of stuff in the order of their file: those annotations themselves are ids of segments,
 * which only a JSON file of hundreds of megabytes explains. */
#include "io/dataset/layouts/layout_spec.h"

#include <stddef.h>

/* Things are classes 1 to 80. */
static const char *things_name(int y) {
    return y == 0 ? "background" : cocostuff_class[y - 1].name;
}

/* Pixel maps begin at 0 with person; stuff begins at 91. */
static const layout_ids things_ids[] = {{0, 11, 1}, {12, 13, 12}, {26, 2, 25}, {30, 14, 27},
    {45, 20, 41}, {66, 1, 61}, {69, 1, 62}, {71, 11, 63}, {83, 7, 74}, {91, 91, LAYOUT_ALL(0)},
    {255, 1, LAYOUT_VOID}, {0}};

/* As panoptic_coco_categories.json has them, in its order. */
static const char *const stuff[] = {"banner", "blanket", "bridge", "cardboard", "counter",
    "curtain", "door-stuff", "floor-wood", "flower", "fruit", "gravel", "house", "light",
    "mirror-stuff", "net", "pillow", "platform", "playingfield", "railroad", "river", "road",
    "roof", "sand", "sea", "shelf", "snow", "stairs", "tent", "towel", "wall-brick", "wall-stone",
    "wall-tile", "wall-wood", "water-other", "window-blind", "window-other", "tree-merged",
    "fence-merged", "ceiling-merged", "sky-other-merged", "cabinet-merged", "table-merged",
    "floor-other-merged", "pavement-merged", "mountain-merged", "grass-merged", "dirt-merged",
    "paper-merged", "food-other-merged", "building-other-merged", "rock-merged",
    "wall-other-merged", "rug-merged"};
enum { STUFF = sizeof stuff / sizeof *stuff };

static const char *panoptic_name(int y) {
    return y < COCO_THINGS ? cocostuff_class[y].name : stuff[y - COCO_THINGS];
}

#define FOLDERS(split_)                                                                            \
    "stuffthingmaps/" split_ "|stuffthingmaps_trainval2017/" split_ "|stuffthingmaps_" split_      \
    "|stuffthingmaps_" split_ "_pixelmaps|annotations/" split_
#define IMAGES(split_) split_ "|images/" split_, ".jpg"
/* test2017 and unlabeled2017 have no labels: they may be named by dataset.unlabelled. */
static const layout_part things_parts[] = {
    {SPLIT_TRAIN, IMAGES("train2017"), FOLDERS("train2017"), ".png", NULL, NULL},
    {SPLIT_VAL, IMAGES("val2017"), FOLDERS("val2017"), ".png", NULL, NULL}, {0}};
#define SEMANTIC(split_) "panoptic_semseg_" split_ "|annotations/panoptic_semseg_" split_
static const layout_part panoptic_parts[] = {
    {SPLIT_TRAIN, IMAGES("train2017"), SEMANTIC("train2017"), ".png", NULL, NULL},
    {SPLIT_VAL, IMAGES("val2017"), SEMANTIC("val2017"), ".png", NULL, NULL}, {0}};

static const layout_variant variants[] = {{.name = "panoptic",
                                              .part = panoptic_parts,
                                              .name_of = panoptic_name,
                                              .classes = COCO_THINGS + STUFF},
    {.name = "things",
        .part = things_parts,
        .name_of = things_name,
        .classes = 1 + COCO_THINGS,
        .ids = things_ids}};

static const char *const inside[] = {"", "coco", NULL};
const layout_spec layout_coco = {inside, variants, sizeof variants / sizeof *variants};
