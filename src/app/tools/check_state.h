/* What the parts of `auxseg check` share: what is wrong so far, what `run` would do, and what is
 * known of the data set. Not collective, no MPI. */
#ifndef AUXSEG_APP_TOOLS_CHECK_STATE_H
#define AUXSEG_APP_TOOLS_CHECK_STATE_H

#include "io/dataset/item_check.h"

typedef struct check {
    const settings *s;
    int mistakes;
    status first; /* the first mistake's kind: the exit code */

    /* What `run` comes to, with run.until and run.compare. */
    bool baseline, cluster, pretrain, finetune, evaluate;

    /* The data set. Of training images [train] 0 is a size that is not known. */
    int classes; /* 0: not known, or none */
    int images, train;
    int *height, *width; /* owned; as their files have them */
    const char **name;   /* [train], owned, as are the texts, which lie behind it */
    double bytes;        /* of all files, images and labels */

    /* The network, and the features of all training images; 0: not known. */
    double values, rows;
    int channels;
} check;

/* A side of an image after dataset.scale; 0 stays. */
int check_scaled(const check *k, int side);
/* Counts a mistake that has been named, unless st is STATUS_OK. */
void check_note(check *k, status st);

/* How far an image has been looked at. */
typedef enum item_state { ITEM_UNKNOWN, ITEM_LOOKED, ITEM_DECODED, ITEM_BAD } item_state;
/* Whether there are the labels that the stages of the run need; finetune.list. state [items]. */
void check_labelled(check *k, const layout *l, const item_state *state);

/* What check_dataset.c has found; all borrowed. */
typedef struct check_found {
    const layout *l;
    const dataset_table *t; /* NULL: the classes are not known */
    const item_state *state;
    const uint32_t (*shape)[2]; /* [items], height and width; 0: not known */
    const id_count *count;      /* of the label maps that were decoded */
} check_found;
/* The form of the layout, sizes, classes with their share of pixels, and what is odd. */
void check_tell(check *k, const check_found *f);

/* The parts, in the order in which `run` would find the mistakes. */
void check_folders(check *k);     /* of what is written */
void check_dataset(check *k);     /* lists, classes, images and label maps */
void check_features(check *k);    /* extract.files; for check_networks */
void check_networks(check *k);    /* files of weights, initial centroids, shapes of features */
void check_space(check *k);       /* disk and memory */
void check_ranks(const check *k); /* no mistakes, but how far training can be spread */

#endif
