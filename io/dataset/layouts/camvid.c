/* CamVid, in the two forms in which it goes around. SegNet's: 11 classes, grey ids, 480 x 360,
 * three lists of absolute paths of its authors' machine. The original: 701 images of 960 x 720 with
 * label maps of 32 colours, which are 11 classes by SegNet's grouping (variant "11", the default)
 * or 32 - 1, as Void is none ("32"). Its splits are SegNet's: 367, 101 and 233 images; no list came
 * with the original, but the names tell: a recording is of one split, but for two that were divided
 * by the number of the frame. Another copy has the splits as folders, divided otherwise. */
#include "io/dataset/layouts/layout_spec.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Colours of pavement and the rest as in SegNet's own pictures. */
static const layout_class class_11[] = {{"sky", {128, 128, 128}}, {"building", {128, 0, 0}},
    {"pole", {192, 192, 128}}, {"road", {128, 64, 128}}, {"pavement", {60, 40, 222}},
    {"tree", {128, 128, 0}}, {"sign symbol", {192, 128, 128}}, {"fence", {64, 64, 128}},
    {"car", {64, 0, 128}}, {"pedestrian", {64, 64, 0}}, {"bicyclist", {0, 128, 192}}};
enum { SKY, BUILDING, POLE, ROAD, PAVEMENT, TREE, SIGN, FENCE, CAR, PEDESTRIAN, BICYCLIST };

/* In the order of the published table of colours, but for Void, which is last. */
static const layout_class class_32[] = {{"Animal", {64, 128, 64}}, {"Archway", {192, 0, 128}},
    {"Bicyclist", {0, 128, 192}}, {"Bridge", {0, 128, 64}}, {"Building", {128, 0, 0}},
    {"Car", {64, 0, 128}}, {"CartLuggagePram", {64, 0, 192}}, {"Child", {192, 128, 64}},
    {"Column_Pole", {192, 192, 128}}, {"Fence", {64, 64, 128}}, {"LaneMkgsDriv", {128, 0, 192}},
    {"LaneMkgsNonDriv", {192, 0, 64}}, {"Misc_Text", {128, 128, 64}},
    {"MotorcycleScooter", {192, 0, 192}}, {"OtherMoving", {128, 64, 64}},
    {"ParkingBlock", {64, 192, 128}}, {"Pedestrian", {64, 64, 0}}, {"Road", {128, 64, 128}},
    {"RoadShoulder", {128, 128, 192}}, {"Sidewalk", {0, 0, 192}}, {"SignSymbol", {192, 128, 128}},
    {"Sky", {128, 128, 128}}, {"SUVPickupTruck", {64, 128, 192}}, {"TrafficCone", {0, 0, 64}},
    {"TrafficLight", {0, 64, 64}}, {"Train", {192, 64, 128}}, {"Tree", {128, 128, 0}},
    {"Truck_Bus", {192, 128, 192}}, {"Tunnel", {64, 0, 64}}, {"VegetationMisc", {192, 192, 0}},
    {"Wall", {64, 192, 0}}};

/* The ids of the two tables above and of this one are the same. */
static const uint8_t rgb[][3] = {{64, 128, 64}, {192, 0, 128}, {0, 128, 192}, {0, 128, 64},
    {128, 0, 0}, {64, 0, 128}, {64, 0, 192}, {192, 128, 64}, {192, 192, 128}, {64, 64, 128},
    {128, 0, 192}, {192, 0, 64}, {128, 128, 64}, {192, 0, 192}, {128, 64, 64}, {64, 192, 128},
    {64, 64, 0}, {128, 64, 128}, {128, 128, 192}, {0, 0, 192}, {192, 128, 128}, {128, 128, 128},
    {64, 128, 192}, {0, 0, 64}, {0, 64, 64}, {192, 64, 128}, {128, 128, 0}, {192, 128, 192},
    {64, 0, 64}, {192, 192, 0}, {64, 192, 0}, {0, 0, 0}};
static const layout_colours colours = {rgb, sizeof rgb / sizeof *rgb};

static const layout_ids ids_11[] = {{0, 1, PEDESTRIAN}, {1, 1, BUILDING}, {2, 1, BICYCLIST},
    {3, 1, BUILDING}, {4, 1, BUILDING}, {5, 1, CAR}, {6, 1, PEDESTRIAN}, {7, 1, PEDESTRIAN},
    {8, 1, POLE}, {9, 1, FENCE}, {10, 1, ROAD}, {11, 1, ROAD}, {12, 1, SIGN}, {13, 1, BICYCLIST},
    {14, 1, CAR}, {15, 1, PAVEMENT}, {16, 1, PEDESTRIAN}, {17, 1, ROAD}, {18, 1, PAVEMENT},
    {19, 1, PAVEMENT}, {20, 1, SIGN}, {21, 1, SKY}, {22, 1, CAR}, {23, 1, POLE}, {24, 1, SIGN},
    {25, 1, CAR}, {26, 1, TREE}, {27, 1, CAR}, {28, 1, BUILDING}, {29, 1, TREE}, {30, 1, BUILDING},
    {31, 1, LAYOUT_VOID}, {0}};
/* SegNet's own: void is the id after the classes. */
static const layout_ids ids_segnet[] = {{0, 11, 0}, {11, 1, LAYOUT_VOID}, {0}};
static const layout_ids ids_32[] = {{0, 31, 0}, {31, 1, LAYOUT_VOID}, {0}};

/* As SegNet's lists have them: 0001TP to frame 8520 and 0006R0 are training, the rest of 0001TP and
 * Seq05VD test; 0016E5 is training but for the 101 odd frames 7959 to 8159, recorded at a higher
 * rate, which validate. */
static split split_of_name(const char *name) {
    const char *number = strchr(name, '_');
    long frame = number ? strtol(number + 1, NULL, 10) : 0;
    if (strncmp(name, "0001TP", 6) == 0) return frame <= 8520 ? SPLIT_TRAIN : SPLIT_TEST;
    if (strncmp(name, "Seq05VD", 7) == 0) return SPLIT_TEST;
    bool dense = frame >= 7959 && frame <= 8159 && frame % 2 == 1;
    return strncmp(name, "0016E5", 6) == 0 && dense ? SPLIT_VAL : SPLIT_TRAIN;
}

static const layout_part original[] = {
    {.split = SPLIT_TRAIN,
        .images = "701_StillsRaw_full|images|CamVid_RGB",
        .image_end = ".png",
        .labels = "LabeledApproved_full|labels|CamVid_Label|LabeledApproved",
        .label_end = "_L.png",
        .split_of = split_of_name},
    {0}};
/* Copies that have a folder a split; lists of SegNet's may be lost. */
#define PART(split_, folder_, labels_, label_end_)                                                 \
    { split_, folder_, ".png", labels_, label_end_, NULL, NULL }
static const layout_part folders[] = {PART(SPLIT_TRAIN, "train", "train_labels", "_L.png"),
    PART(SPLIT_VAL, "val", "val_labels", "_L.png"),
    PART(SPLIT_TEST, "test", "test_labels", "_L.png"), {0}};
static const layout_part segnet[] = {PART(SPLIT_TRAIN, "train", "trainannot", ".png"),
    PART(SPLIT_VAL, "val", "valannot", ".png"), PART(SPLIT_TEST, "test", "testannot", ".png"), {0}};

/* The lists first: they say which images there are. */
#define COLOURED .coloured = true, .class = class_11, .classes = 11
#define LABELS_11 COLOURED, .ids = ids_11, .colours = &colours
#define LABELS_32                                                                                  \
    .coloured = true, .class = class_32, .classes = 31, .ids = ids_32, .colours = &colours
static const layout_variant variants[] = {{.name = "segnet",
                                              .kind = LAYOUT_LISTS,
                                              .separator = ' ',
                                              .prefix = "/SegNet/CamVid/",
                                              COLOURED,
                                              .ids = ids_segnet},
    {.name = "segnet", .part = segnet, COLOURED, .ids = ids_segnet},
    {.name = "11", .part = original, LABELS_11}, {.name = "11", .part = folders, LABELS_11},
    {.name = "32", .part = original, LABELS_32}, {.name = "32", .part = folders, LABELS_32}};

static const char *const inside[] = {"", "CamVid", NULL};
const layout_spec layout_camvid = {inside, variants, sizeof variants / sizeof *variants};
