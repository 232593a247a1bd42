/* labels.h5: auxiliary labels of every pixel at feature stride.
 *   /labels/data uint16 [pixels], /labels/offset uint64 [N+1], /labels/shape uint32 [N, 2],
 *   /labels/name string [N], /labels/hash uint64 [N], /centroids float32 [K, D]; root attributes:
 * format, k, ignore (65535), objective, iterations, outlier_threshold, method, metric, dataset
 * (hash), checksum. Method "dbscan": K is the number of clusters found, a centroid the mean of its
 * cluster's core points, labels are those of the nearest core point, ignore is noise,
 * outlier_threshold the square of eps, iterations 0.
 * The P pixels nearest to each centroid, nearest first, at most one an image (absent where labels
 * have no centroids): /typical/distance float32 [K, P] (squared; infinity: no pixel),
 *   /typical/image uint32 [K, P] (row of /labels/offset), /typical/pixel uint32 [K, P] (of that
 * image's map, row by row). */
#ifndef AUXSEG_IO_HDF5_LABELS_H
#define AUXSEG_IO_HDF5_LABELS_H

#include "mpi/comm.h"
#include "src/image/image.h"
#include "src/label/features.h"
#include "src/label/typical.h"

/* Everything but the labels; arrays and texts are borrowed, from the labels object when read. */
typedef struct labels_info {
    int k, d, iterations;
    double objective, outlier_threshold;
    const char *method, *metric;
    uint64_t dataset;
    const float *centroids;       /* [K, D] */
    const typical_pixel *typical; /* [K, TYPICAL], NULL: none */
    int64_t images;               /* of all ranks */
    const char *const *names;     /* [images] */
} labels_info;

typedef struct labels labels;

/* label [n]: of the rows of x, whose data are not read. *hash (may be NULL): of the contents, the
 * same for any number of ranks: run.json's. Collective. */
status labels_write(const comm *c, const char *path, const labels_info *info, const features *x,
    const uint16_t *label, uint64_t *hash);

/* Collective: rank 0 reads the tables and checks them (STATUS_OUTPUT: damaged; STATUS_DATA: no such
 * file). Maps are read with pread. */
status labels_open(const comm *c, const char *path, labels **out);
/* NULL-safe. Not collective, like everything below. */
void labels_close(labels *l);
int labels_count(const labels *l);
labels_info labels_about(const labels *l);
const char *labels_name(const labels *l, int i); /* borrowed */
/* The hash that labels_write gave. */
uint64_t labels_hash(const labels *l);
/* Label map of image i, created; thread-safe; checksum verified: STATUS_OUTPUT names the image. */
status labels_load(const labels *l, int i, labelmap *out);
/* Every checksum; messages name what is damaged. */
status labels_verify(const char *path);

#endif
