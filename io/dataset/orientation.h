/* Pictures that a camera stored on their side or mirrored, and whether their label maps lie as they
 * are stored or as they are shown. Not collective. */
#ifndef AUXSEG_IO_DATASET_ORIENTATION_H
#define AUXSEG_IO_DATASET_ORIENTATION_H

#include "src/base/settings.h"
#include "src/base/status.h"

#include <stdbool.h>

/* How a label map lies to an image that EXIF turns, as far as its size tells. */
typedef enum label_lie {
    LABEL_LIES_PLAIN,  /* nothing to be told: the image is upright, or the map has its own EXIF */
    LABEL_LIES_TURNED, /* it has the size of the upright image alone */
    LABEL_LIES_STORED, /* that of the stored image alone */
    LABEL_LIES_EITHER, /* of both: squares, mirrored images and those upside down */
    LABEL_LIES_NOT,    /* of neither */
    LABEL_LIES
} label_lie;

/* An image, or a label map, as stored, and its own EXIF orientation. */
typedef struct oriented {
    int height, width, orientation;
} oriented;

label_lie orientation_compare(oriented picture, oriented labels);

/* Of a data set: images that are turned at all, and label maps by the way they lie. */
typedef struct orientation_count {
    int turned, lies[LABEL_LIES];
    const char *first; /* name of the first of LABEL_LIES_EITHER; borrowed */
} orientation_count;

/* Adds an image, in the order of the data set, and its label map if it has one (else PLAIN). */
void orientation_add(orientation_count *n, int orientation, label_lie lie, const char *name);
/* Whether those of LABEL_LIES_EITHER lie as stored: by dataset.label_orientation, and by itself as
 * all others of the data set do; where there are no others, turned, with a warning. Logs the
 * counts. STATUS_DATA, with a message, where others lie both ways and the setting does not say. */
status orientation_decide(const settings *s, const orientation_count *n, bool *stored);

#endif
