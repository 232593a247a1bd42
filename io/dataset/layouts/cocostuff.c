/* COCO-Stuff: 80 things and 91 kinds of stuff. Their ids have gaps, names that were planned and
 * never drawn; an id of a gap is a mistake in the files. 164k numbers its pixel maps from 0, with
 * 255 for what nobody labelled; 10k numbers from 1, with 0 for that, and its label maps are
 * published in MATLAB's format: they are read as PNG once they are converted, either with these ids
 * or with those that mmsegmentation's converter gives, which have no gaps. Its test images are what
 * everybody validates on, and are the split val here. */
#include "io/dataset/layouts/layout_spec.h"

#include <stddef.h>

/* Things first, then stuff, without the names that were never drawn. No colours: the published ones
 * are not all different. */
const layout_class cocostuff_class[COCOSTUFF_CLASSES] = {{.name = "person"}, {.name = "bicycle"},
    {.name = "car"}, {.name = "motorcycle"}, {.name = "airplane"}, {.name = "bus"},
    {.name = "train"}, {.name = "truck"}, {.name = "boat"}, {.name = "traffic light"},
    {.name = "fire hydrant"}, {.name = "stop sign"}, {.name = "parking meter"}, {.name = "bench"},
    {.name = "bird"}, {.name = "cat"}, {.name = "dog"}, {.name = "horse"}, {.name = "sheep"},
    {.name = "cow"}, {.name = "elephant"}, {.name = "bear"}, {.name = "zebra"}, {.name = "giraffe"},
    {.name = "backpack"}, {.name = "umbrella"}, {.name = "handbag"}, {.name = "tie"},
    {.name = "suitcase"}, {.name = "frisbee"}, {.name = "skis"}, {.name = "snowboard"},
    {.name = "sports ball"}, {.name = "kite"}, {.name = "baseball bat"}, {.name = "baseball glove"},
    {.name = "skateboard"}, {.name = "surfboard"}, {.name = "tennis racket"}, {.name = "bottle"},
    {.name = "wine glass"}, {.name = "cup"}, {.name = "fork"}, {.name = "knife"}, {.name = "spoon"},
    {.name = "bowl"}, {.name = "banana"}, {.name = "apple"}, {.name = "sandwich"},
    {.name = "orange"}, {.name = "broccoli"}, {.name = "carrot"}, {.name = "hot dog"},
    {.name = "pizza"}, {.name = "donut"}, {.name = "cake"}, {.name = "chair"}, {.name = "couch"},
    {.name = "potted plant"}, {.name = "bed"}, {.name = "dining table"}, {.name = "toilet"},
    {.name = "tv"}, {.name = "laptop"}, {.name = "mouse"}, {.name = "remote"}, {.name = "keyboard"},
    {.name = "cell phone"}, {.name = "microwave"}, {.name = "oven"}, {.name = "toaster"},
    {.name = "sink"}, {.name = "refrigerator"}, {.name = "book"}, {.name = "clock"},
    {.name = "vase"}, {.name = "scissors"}, {.name = "teddy bear"}, {.name = "hair drier"},
    {.name = "toothbrush"}, {.name = "banner"}, {.name = "blanket"}, {.name = "branch"},
    {.name = "bridge"}, {.name = "building-other"}, {.name = "bush"}, {.name = "cabinet"},
    {.name = "cage"}, {.name = "cardboard"}, {.name = "carpet"}, {.name = "ceiling-other"},
    {.name = "ceiling-tile"}, {.name = "cloth"}, {.name = "clothes"}, {.name = "clouds"},
    {.name = "counter"}, {.name = "cupboard"}, {.name = "curtain"}, {.name = "desk-stuff"},
    {.name = "dirt"}, {.name = "door-stuff"}, {.name = "fence"}, {.name = "floor-marble"},
    {.name = "floor-other"}, {.name = "floor-stone"}, {.name = "floor-tile"},
    {.name = "floor-wood"}, {.name = "flower"}, {.name = "fog"}, {.name = "food-other"},
    {.name = "fruit"}, {.name = "furniture-other"}, {.name = "grass"}, {.name = "gravel"},
    {.name = "ground-other"}, {.name = "hill"}, {.name = "house"}, {.name = "leaves"},
    {.name = "light"}, {.name = "mat"}, {.name = "metal"}, {.name = "mirror-stuff"},
    {.name = "moss"}, {.name = "mountain"}, {.name = "mud"}, {.name = "napkin"}, {.name = "net"},
    {.name = "paper"}, {.name = "pavement"}, {.name = "pillow"}, {.name = "plant-other"},
    {.name = "plastic"}, {.name = "platform"}, {.name = "playingfield"}, {.name = "railing"},
    {.name = "railroad"}, {.name = "river"}, {.name = "road"}, {.name = "rock"}, {.name = "roof"},
    {.name = "rug"}, {.name = "salad"}, {.name = "sand"}, {.name = "sea"}, {.name = "shelf"},
    {.name = "sky-other"}, {.name = "skyscraper"}, {.name = "snow"}, {.name = "solid-other"},
    {.name = "stairs"}, {.name = "stone"}, {.name = "straw"}, {.name = "structural-other"},
    {.name = "table"}, {.name = "tent"}, {.name = "textile-other"}, {.name = "towel"},
    {.name = "tree"}, {.name = "vegetable"}, {.name = "wall-brick"}, {.name = "wall-concrete"},
    {.name = "wall-other"}, {.name = "wall-panel"}, {.name = "wall-stone"}, {.name = "wall-tile"},
    {.name = "wall-wood"}, {.name = "water-other"}, {.name = "waterdrops"},
    {.name = "window-blind"}, {.name = "window-other"}, {.name = "wood"}};

/* The gaps are street sign, hat, shoe, eye glasses, plate, mirror, window,
 * desk, door, blender and hair brush. */
static const layout_ids ids_164k[] = {{0, 11, 0}, {12, 13, 11}, {26, 2, 24}, {30, 14, 26},
    {45, 20, 40}, {66, 1, 60}, {69, 1, 61}, {71, 11, 62}, {83, 7, 73}, {91, 91, 80},
    {255, 1, LAYOUT_VOID}, {0}};

/* The same, one higher. */
static const layout_ids ids_10k[] = {{0, 1, LAYOUT_VOID}, {1, 11, 0}, {13, 13, 11}, {27, 2, 24},
    {31, 14, 26}, {46, 20, 40}, {67, 1, 60}, {70, 1, 61}, {72, 11, 62}, {84, 7, 73}, {92, 91, 80},
    {0}};

/* As mmsegmentation's converter numbers them. */
static const layout_ids ids_10k_train[] = {{0, 1, LAYOUT_VOID}, {1, COCOSTUFF_CLASSES, 0}, {0}};

/* As unpacked by the data set's own instructions, or beside COCO. */
#define FOLDERS(split_)                                                                            \
    "annotations/" split_ "|stuffthingmaps/" split_ "|stuffthingmaps_trainval2017/" split_         \
    "|stuffthingmaps_" split_ "|stuffthingmaps_" split_ "_pixelmaps"
#define PART_164K(which_, split_, end_)                                                            \
    { which_, "images/" split_ "|" split_, ".jpg", FOLDERS(split_), end_, NULL, NULL }
static const layout_part parts_164k[] = {
    PART_164K(SPLIT_TRAIN, "train2017", ".png"), PART_164K(SPLIT_VAL, "val2017", ".png"), {0}};
static const layout_part parts_164k_train_ids[] = {
    PART_164K(SPLIT_TRAIN, "train2017", "_labelTrainIds.png"),
    PART_164K(SPLIT_VAL, "val2017", "_labelTrainIds.png"), {0}};

/* The converter copies images to folders of their split. */
static const layout_part parts_10k_train_ids[] = {
    {SPLIT_TRAIN, "images/train2014", ".jpg", "annotations/train2014", "_labelTrainIds.png", NULL,
        NULL},
    {SPLIT_VAL, "images/test2014", ".jpg", "annotations/test2014", "_labelTrainIds.png", NULL,
        NULL},
    {0}};
static const layout_part parts_10k[] = {
    {SPLIT_TRAIN, "images", ".jpg", "annotations", ".png", .list = "imageLists/train.txt"},
    {SPLIT_VAL, "images", ".jpg", "annotations", ".png", .list = "imageLists/test.txt"}, {0}};

/* Converted label maps first: their names end in ".png", too. */
#define LABELS .class = cocostuff_class, .classes = COCOSTUFF_CLASSES
static const layout_variant variants[] = {{.name = "164k", .part = parts_164k_train_ids, LABELS},
    {.name = "164k", .part = parts_164k, LABELS, .ids = ids_164k},
    {.name = "10k", .part = parts_10k_train_ids, LABELS, .ids = ids_10k_train},
    {.name = "10k", .part = parts_10k, LABELS, .ids = ids_10k}};

static const char *const inside[] = {"", "coco_stuff164k", "coco_stuff10k", "dataset", NULL};
const layout_spec layout_cocostuff = {inside, variants, sizeof variants / sizeof *variants};
