/* What a published data set looks like on disk and what its labels mean: tables, one file a data
 * set. They say what is where; io/dataset/layout_tree.c reads it. Not collective. */
#ifndef AUXSEG_IO_DATASET_LAYOUTS_LAYOUT_SPEC_H
#define AUXSEG_IO_DATASET_LAYOUTS_LAYOUT_SPEC_H

#include "src/base/settings_choices.h"

#include <stdbool.h>
#include <stdint.h>

/* A class; its colour is that of the data set's own pictures. */
typedef struct layout_class {
    const char *name;
    uint8_t rgb[3];
} layout_class;

/* Ids first .. first + count - 1 of the label files are the classes from `class` on; with
 * LAYOUT_ALL(y) all of them are class y, with LAYOUT_VOID none. An id of no range is a mistake in
 * the files. */
enum { LAYOUT_VOID = -1 };
#define LAYOUT_ALL(class_) (-2 - (class_))
typedef struct layout_ids {
    int first, count, class;
} layout_ids;

/* Label maps that are RGB: the id of a colour is its place in the table. */
typedef struct layout_colours {
    const uint8_t (*rgb)[3];
    int count;
} layout_colours;

/* Images of one split, and their label maps. Folders are below the root; "a|b" is the first of them
 * that is there and holds such a file. An image FOLDER/x END has the label map LABELS/x LABEL_END,
 * with folders in between alike; where there is none it is unlabelled. */
typedef struct layout_part {
    split split;
    const char *images, *image_end; /* endings, "|" between; images NULL ends the table */
    const char *labels, *label_end; /* NULL: unlabelled */
    const char *list;               /* names x or paths, one a line; NULL: all that is there */
    /* Where no list was published: the split of image x; NULL: as above. */
    split (*split_of)(const char *x);
} layout_part;

/* How its files are found. */
typedef enum layout_kind {
    LAYOUT_TREE,  /* by `part` */
    LAYOUT_LISTS, /* list files of image and label map, train.txt, val.txt, test.txt if there */
    LAYOUT_GIVEN, /* the same, but the lists are named by the settings */
    LAYOUT_FOLDER /* every image below the root */
} layout_kind;

/* One form in which a data set is published. The first part decides whether it is there: its image
 * folder, a label map of its ending, its list. */
typedef struct layout_variant {
    const char *name; /* dataset.variant; forms of one name are tried in turn */
    layout_kind kind;
    const layout_part *part; /* the first is the training set */
    char separator;          /* lists: between image and label map */
    const char *prefix;      /* lists: what is removed from paths; NULL: nothing */

    const layout_class *class; /* [classes]; NULL: of name_of, or not known */
    const char *(*name_of)(int y);
    int classes; /* 0: not known */
    bool coloured;
    const layout_ids *ids;         /* ended by count 0; NULL: ids are classes */
    const layout_colours *colours; /* NULL: label maps hold ids */
} layout_variant;

typedef struct layout_spec {
    const char *const
        *inside; /* folders of the root that may hold all of it; "" first, NULL last */
    const layout_variant *variant;
    int variants;
} layout_spec;

/* The tables of a layout; never NULL. */
const layout_spec *layout_spec_of(dataset_layout kind);

extern const layout_spec layout_ade20k, layout_camvid, layout_cityscapes, layout_coco,
    layout_cocostuff, layout_folder, layout_kitti, layout_mapillary, layout_pairs, layout_synth,
    layout_voc;

/* What several of them share. */
enum { CITYSCAPES_CLASSES = 19, COCO_THINGS = 80, COCOSTUFF_CLASSES = 171 };
extern const layout_class cityscapes_class[CITYSCAPES_CLASSES], cocostuff_class[COCOSTUFF_CLASSES];
extern const layout_ids cityscapes_ids[];
extern const char *const layout_inside_root[];

#endif
