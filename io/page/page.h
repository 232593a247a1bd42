/* report.html: one self-contained page about a run. Inline style, pictures as base64, curves as
 * SVG; nothing is loaded, no script is run. Every text is escaped: class, file and stage names may
 * hold anything. The page is valid as HTML and well-formed as XML. Not collective: one rank calls.
 * The page depends on the data alone. */
#ifndef AUXSEG_IO_PAGE_PAGE_H
#define AUXSEG_IO_PAGE_PAGE_H

#include "io/files/run_record.h"
#include "io/page/number.h"
#include "io/page/page_strip.h"
#include "src/base/settings.h"
#include "src/base/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct page_column {
    const char *name;
    number_kind kind;
} page_column;

/* Numbers beside names: per class, per cluster ... */
typedef struct page_table {
    const char *title, *note;  /* note: NULL or a sentence below the title */
    const char *row_title;     /* head of the first column ("Class") */
    const char *const *row;    /* [rows] */
    const char *text_title;    /* head of a column of texts after it; NULL: no such column */
    const char *const *text;   /* [rows] */
    const char *bar_title;     /* NULL: none; else each row ends in a bar of the first column
                                  with a mark at the second, both shares */
    const page_column *column; /* [columns] */
    int rows, columns;         /* more than 40 rows are folded away */
    const double *value;       /* [rows, columns] */
} page_table;

/* A figure of label quality beside what chance would give. */
typedef struct page_score {
    const char *group; /* a heading when it differs from the one before ("Round 1"); NULL: none */
    const char *name;
    double value, chance; /* in [0, 1]; chance NAN: none */
} page_score;

/* A square part of an image around one of a cluster's pixels. */
typedef struct page_patch {
    page_picture picture;   /* the caption appears when it is pointed at */
    double left, top, size; /* the pixel's cell in it, a square: shares of its side */
} page_patch;

/* A cluster's most typical patches, nearest to its centroid first. */
typedef struct page_cluster {
    const char *name, *note; /* beside the patches; note: NULL or a line below the name */
    const page_patch *patch; /* [patches] */
    int patches;
} page_cluster;

/* A share before and after the pretraining; NAN: not measured. */
typedef struct page_pair {
    double baseline, finetuned;
} page_pair;

/* A measure of the segmentation. */
typedef struct page_measure {
    const char *name;
    page_pair value;
} page_measure;

typedef struct page_class {
    const char *name;
    page_pair iou, accuracy;
} page_class;

/* Which class was taken for which. */
typedef struct page_confusion {
    const char *title;
    const char *file;      /* that has the counts, in the run's folder; NULL: none */
    const int64_t *matrix; /* [class_names, class_names] (ground truth, prediction), in pixels */
} page_confusion;

/* A split of the data set. */
typedef struct page_split {
    const char *name;
    int images, labelled;  /* images with a label map */
    const char *sizes;     /* "360 × 480" */
    int counted;           /* label maps whose pixels are counted */
    const int64_t *pixels; /* [class_names + 1]; the last: without a class. NULL: not counted */
    const char *note;      /* what can hardly be meant about its labels; NULL, "": nothing */
} page_split;

/* All borrowed; every array may be empty, every pointer NULL: its section is left out. */
typedef struct page_data {
    const char *title;
    const settings *settings; /* effective settings */
    /* Makes of them those that a stage of that name is trained with; NULL: the same. */
    void (*derive)(settings *s, const char *stage);
    const run_record *record;    /* machine, stages with their phases, hashes */
    const char *metrics;         /* path of metrics.csv: loss and objective curves */
    const page_measure *measure; /* mIoU, mAcc, aAcc: the headline */
    int measures;
    const char *caution;            /* how they are to be taken, below them; NULL: as they are */
    const page_class *class_result; /* per class */
    int classes;
    const page_confusion *confusion; /* the first is shown, the others are folded away */
    int confusions;
    const page_split *split;
    int splits;
    int labelled_used; /* label maps that fine-tuning uses; -1: not known */
    const page_score *score;
    int scores;
    const page_table *table; /* label quality per class, per cluster */
    int tables;
    const char *const *class_name; /* [class_names] */
    int class_names;
    const uint8_t (*class_colour)[3]; /* [class_names], of the pictures; NULL: palette_classes() */
    const page_strip *overlay;        /* auxiliary labels on images */
    int overlays;
    const char *overlay_note;
    int empty_clusters;          /* that no pixel has, told beside the overlays; -1: not known */
    int all_clusters;            /* with those */
    const page_cluster *cluster; /* the largest first */
    int clusters;
    const char *cluster_note;
    const page_strip *prediction; /* image, ground truth, prediction(s) */
    int predictions;
} page_data;

/* Writes folder/report.html atomically. STATUS_OUTPUT, with a message, if it cannot be written; on
 * failure an older report stays. */
status page_write(const char *folder, const page_data *d);

#endif
