/* Who works with a data set knows its classes by their colours, so pictures keep them. Label files
 * with a palette bring them along; of grey label files the names of the classes tell which data set
 * this is. Order of preference: the palette of the label files, then a published data set whose
 * list has all the names, then the program's own palette. Pictures alone depend on it, no result.
 */
#include "io/dataset/dataset_colours.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

typedef struct colour {
    const char *name;
    uint8_t rgb[3];
} colour;

/* Names as the data sets' own tools have them; the lists end with an empty entry. Names of another
 * spelling match no list, and the palette is the program's own. */
static const colour camvid[] = {{"sky", {128, 128, 128}}, {"building", {128, 0, 0}},
    {"pole", {192, 192, 128}}, {"road", {128, 64, 128}}, {"pavement", {60, 40, 222}},
    {"tree", {128, 128, 0}}, {"sign symbol", {192, 128, 128}}, {"fence", {64, 64, 128}},
    {"car", {64, 0, 128}}, {"pedestrian", {64, 64, 0}}, {"bicyclist", {0, 128, 192}}, {0}};

static const colour cityscapes[] = {{"road", {128, 64, 128}}, {"sidewalk", {244, 35, 232}},
    {"building", {70, 70, 70}}, {"wall", {102, 102, 156}}, {"fence", {190, 153, 153}},
    {"pole", {153, 153, 153}}, {"traffic light", {250, 170, 30}}, {"traffic sign", {220, 220, 0}},
    {"vegetation", {107, 142, 35}}, {"terrain", {152, 251, 152}}, {"sky", {70, 130, 180}},
    {"person", {220, 20, 60}}, {"rider", {255, 0, 0}}, {"car", {0, 0, 142}}, {"truck", {0, 0, 70}},
    {"bus", {0, 60, 100}}, {"train", {0, 80, 100}}, {"motorcycle", {0, 0, 230}},
    {"bicycle", {119, 11, 32}}, {0}};

static const colour voc[] = {{"background", {0, 0, 0}}, {"aeroplane", {128, 0, 0}},
    {"bicycle", {0, 128, 0}}, {"bird", {128, 128, 0}}, {"boat", {0, 0, 128}},
    {"bottle", {128, 0, 128}}, {"bus", {0, 128, 128}}, {"car", {128, 128, 128}},
    {"cat", {64, 0, 0}}, {"chair", {192, 0, 0}}, {"cow", {64, 128, 0}},
    {"diningtable", {192, 128, 0}}, {"dog", {64, 0, 128}}, {"horse", {192, 0, 128}},
    {"motorbike", {64, 128, 128}}, {"person", {192, 128, 128}}, {"pottedplant", {0, 64, 0}},
    {"sheep", {128, 64, 0}}, {"sofa", {0, 192, 0}}, {"train", {128, 192, 0}},
    {"tvmonitor", {0, 64, 128}}, {0}};

static const colour *const published[] = {camvid, cityscapes, voc};

/* Whatever the case: "Sky" is "sky". */
static const colour *find(const colour *all, const char *name) {
    while (all->name && strcasecmp(all->name, name) != 0) all++;
    return all->name ? all : NULL;
}

/* Whether the data set's names are all in the list; out is then written. All or none: with half the
 * colours of another data set a picture would mislead. */
static bool take_published(const dataset *d, const colour *all, palette out) {
    int classes = dataset_classes(d);
    for (int y = 0; y < classes; y++)
        if (!find(all, dataset_class_name(d, y))) return false;
    for (int y = 0; y < classes && y < 255; y++)
        memcpy(out[y], find(all, dataset_class_name(d, y))->rgb, 3);
    return classes > 0;
}

/* A palette that gives two classes one colour, as grey ramps cut short do, tells nothing. */
static bool all_differ(const palette p, int n) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++)
            if (memcmp(p[i], p[j], 3) == 0) return false;
    return true;
}

status dataset_colours(const dataset *d, palette out) {
    palette own;
    int classes = dataset_classes(d), colours = 0;
    memcpy(out, palette_classes(), sizeof(palette));
    status st = dataset_palette(d, own, &colours);
    if (st != STATUS_OK) return st;
    if (classes > 0 && classes < 256 && colours == classes && all_differ(own, classes)) {
        memcpy(out, own, 3 * (size_t)classes);
        return STATUS_OK;
    }
    for (size_t i = 0; i < sizeof published / sizeof *published; i++)
        if (take_published(d, published[i], out)) break;
    return STATUS_OK;
}
