/* Features that are there already: all of them in a file, or rows of the images that an extraction
 * had done when it was told to stop: kept in parts, from which the next start goes on, on any
 * number of ranks. */
#ifndef AUXSEG_APP_FEATURES_EXTRACT_KEPT_H
#define AUXSEG_APP_FEATURES_EXTRACT_KEPT_H

#include "io/hdf5/features.h"
#include "src/app/stage/stage.h"

typedef struct extract_kept {
    const stage *t;    /* borrowed, like the next */
    const features *x; /* this rank's shapes, D and type; its data are not read */
    int images;        /* of all ranks */
    int64_t *begin;    /* [1], where row 0 of all stands in the file of rows */
    uint64_t *hash;    /* [images], of an image's rows */
    int32_t *done;     /* [images], whether they are there, or are made in this start */
    void *block;       /* all of that, owned */
    size_t bytes;      /* of it */
    bool found;        /* an earlier start has left some */
    uint64_t key;
    char state[FILE_PATH], rows[FILE_PATH];
} extract_kept;

/* Whether `file` holds just the features of this key, and may be used (run.resume). Fails for lack
 * of memory, and where the system does not give the file. Collective. */
status extract_kept_whole(const stage *t, const char *file, uint64_t key, bool *whole);
/* What an earlier start has left for the same features, images and way to keep them. x is placed
 * (features_place). k may be destroyed after any status. Collective. */
status extract_kept_create(
    extract_kept *k, const stage *t, const features *x, uint64_t key, bool stream);
void extract_kept_destroy(extract_kept *k);
/* The kept rows of image i of this rank's, which begin at its row `row`, into `rows`; false, with a
 * word in the log, if they are not what was kept: the image is then not done. Not collective. */
bool extract_kept_read(extract_kept *k, int64_t i, size_t row, void *rows);
/* rows are those of image i of this rank's. Not collective. */
void extract_kept_add(extract_kept *k, int64_t i, const void *rows);

/* The stop. With rows in memory (x->data), what is new goes into the file of rows; with rows in a
 * file, that file becomes it (w is then gone). STATUS_STOPPED, or why nothing could be kept.
 * Collective. */
status extract_kept_stop_memory(extract_kept *k);
status extract_kept_stop_streamed(extract_kept *k, features_writer *w);
/* The features are there: nothing is kept any more. */
void extract_kept_clear(const extract_kept *k);

#endif
