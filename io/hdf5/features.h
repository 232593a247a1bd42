/* features.h5: dense features of every image, kept only when asked for.
 *   /features/data float32 or uint16 (bf16 bits; attribute `dtype`) [rows, D], /features/offset
 * uint64 [N+1] in rows, /features/shape uint32 [N, 2], /features/name string [N], /features/hash
 * uint64 [N]; attributes format, checksum, stride, layers, key (hash of what made it). */
#ifndef AUXSEG_IO_HDF5_FEATURES_H
#define AUXSEG_IO_HDF5_FEATURES_H

#include "mpi/comm.h"
#include "src/label/features.h"

/* Where the features come from. */
typedef struct features_origin {
    const char *const *names; /* [images]: of all images, borrowed */
    int64_t images;
    const char *layers; /* kept up to 255 bytes */
    int stride;
    uint64_t key;
} features_origin;

/* A file that is being written. Collective: features_writer_create, features_writer_finish. Each
 * rank appends its images when it likes. The bytes are the same for any number of ranks and of
 * images at once. */
typedef struct features_writer features_writer;
/* x: shapes, D and type; its data are not read. */
status features_writer_create(features_writer **out, const comm *c, const char *path,
    const features *x, const features_origin *o);
/* The next images of this rank: all their rows. Not collective. */
status features_writer_append(features_writer *w, int64_t images, const void *rows);
/* Images of this rank from `image` (of all) on, in any order, each once; not mixed with the above.
 * Not collective. */
status features_writer_put(features_writer *w, int64_t image, int64_t images, const void *rows);
/* With STATUS_OK from every rank, each of which has appended all, the file takes its place; else
 * there is none. Returns the worst status; w is gone. */
status features_writer_finish(features_writer *w, status st);
/* Some rows are lacking: what is there becomes `path`, which is no features.h5. Row r of all ranks
 * stands at *begin + r times a row's bytes. w is gone. Collective. */
status features_writer_leave(features_writer *w, const char *path, uint64_t *begin);
/* All rows at once. Collective. */
status features_write(const comm *c, const char *path, const features *x, const features_origin *o);

/* Collective: each rank gets its shard of the images, placed. STATUS_OUTPUT if the key differs or a
 * checksum fails. */
status features_read(const comm *c, const char *path, uint64_t key, features *out);
/* The same, but the rows stay in the file, mapped read-only, and take no memory for long where
 * loops call features_passed. Who cuts the file short afterwards ends the process, which names the
 * file; a new file of the same name does no harm. */
status features_map(const comm *c, const char *path, uint64_t key, features *out);

/* Names of images, which a file must have in this order; borrowed. */
typedef struct features_names {
    const char *const *name;
    int64_t count;
} features_names;
/* Mapped, whatever the file's key is: of another program, or of another run. STATUS_DATA, naming
 * the first image that differs, if it is not of just these images. Collective. */
status features_map_any(
    const comm *c, const char *path, const features_names *names, features *out);

enum { FEATURES_LAYERS = 256 };
typedef struct features_info {
    int64_t images;
    uint64_t rows, key;
    uint64_t checksum; /* of the whole file: the images' rows by their hashes */
    int d, stride;
    dtype type;
    char layers[FEATURES_LAYERS];
} features_info;

/* What a file says of itself. Not collective. */
status features_about(const char *path, features_info *out);
/* "float32" | "bf16". */
const char *features_dtype_name(dtype t);
/* Every checksum; messages name what is damaged. Not collective. */
status features_verify(const char *path);

#endif
