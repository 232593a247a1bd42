/* What labels.h5 and features.h5 know of each image: GROUP/shape uint32 [N, 2] (height, width),
 * GROUP/offset uint64 [N+1] (its rows, one a pixel), GROUP/hash uint64 [N] (XXH3 of its rows'
 * bytes), GROUP/name string [N]. */
#ifndef AUXSEG_IO_HDF5_IMAGE_TABLE_H
#define AUXSEG_IO_HDF5_IMAGE_TABLE_H

#include "io/hdf5/hdf5.h"
#include "io/hdf5/hdf5_writer.h"
#include "src/label/features.h"

typedef struct image_table {
    int64_t count;     /* N */
    uint32_t *shape;   /* [N, 2], owned */
    uint64_t *offset;  /* [N+1], owned */
    uint64_t *hash;    /* [N], owned */
    const char **name; /* [N], owned, as is the text */
    char *text;
    uint64_t text_bytes;
} image_table;

/* The images of every rank's rows become the table of all `count`, without hashes. names [count],
 * copied; mine: its data are not read. Collective: *out is the same on every rank, owned. */
status image_table_gather(
    const comm *c, const features *mine, int64_t count, const char *const *names, image_table *out);
/* Each rank sets the hashes of its images i .. i + images - 1, of rows of row_bytes, one image
 * after the other; then all share them (collective). */
void image_table_set_hashes(
    image_table *t, int64_t i, int64_t images, const void *rows, size_t row_bytes);
void image_table_share_hashes(const comm *c, image_table *t);
/* NULL-safe members. Not collective. */
void image_table_destroy(image_table *t);
/* Collective. `group` with its slash: "/labels". */
status image_table_write(hdf5_writer *w, const char *group, const image_table *t);
/* Rank 0 alone: *out is owned. STATUS_DATA if shapes and offsets disagree, or do not sum up to
 * `rows`. */
status image_table_read(
    hid_t file, const char *path, const char *group, hsize_t rows, image_table *out);
/* Rank 0's table to all. Collective. On error rank 0 keeps its own. */
status image_table_share(const comm *c, image_table *t);
/* Of everything in it, after `before`. Not collective. */
uint64_t image_table_hash(const image_table *t, uint64_t before);
/* Compares image i's rows with their hash; STATUS_OUTPUT names the image. Not collective. */
status image_table_check(
    const image_table *t, int64_t i, const void *rows, size_t row_bytes, const char *path);

#endif
