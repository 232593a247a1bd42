/* Decoded images of a data set, kept in memory up to a budget. Not collective; thread-safe. */
#ifndef AUXSEG_APP_TRAINING_SAMPLES_H
#define AUXSEG_APP_TRAINING_SAMPLES_H

#include "io/dataset/dataset.h"
#include "src/image/augment.h"

typedef struct sample {
    int height, width; /* of the image; rgb may have fewer pixels, and then covers the same */
    image rgb;
    labelmap label; /* class ids; empty (data NULL) where the image has none, or none was wanted */
    bool cached;    /* owned by the cache */
} sample;

typedef struct samples samples;

typedef struct samples_options {
    double scale;          /* as in dataset_load */
    size_t budget;         /* bytes of decoded images to keep */
    bool labelled;         /* whether label maps are wanted */
    augment_options views; /* what will be taken of the images */
} samples_options;

/* d is borrowed. Where even the smallest view shows a large JPEG at less than half of its
 * resolution, it is decoded reduced (dataset_load_reduced): that depends on the image's size and
 * the options alone. */
status samples_create(samples **out, const dataset *d, const samples_options *o);
/* NULL-safe. */
void samples_destroy(samples *s);
/* Image i, read and decoded if it is not in memory. Give it back with samples_release. */
status samples_get(samples *s, int i, sample *out);
void samples_release(sample *x);
/* Borrowed from the data set. */
const char *samples_name(const samples *s, int i);

#endif
