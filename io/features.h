/* features.h5: dense features of every image, kept only when asked for.
 *   /features/data float32 or uint16 (bf16 bits; attribute `dtype`) [rows, D], /features/offset
 * uint64 [N+1] in rows, /features/shape uint32 [N, 2], /features/name string [N], /features/hash
 * uint64 [N]; attributes format, checksum, stride, layers, key (hash of what made it). */
#ifndef AUXSEG_IO_FEATURES_H
#define AUXSEG_IO_FEATURES_H

#include "mpi/comm.h"
#include "src/label/kmeans.h"

/* A rank's block of images: global index of the first, and each one's height and width. */
typedef struct feature_block {
    int64_t first, images;
    int *height, *width; /* [images], owned */
    features rows;       /* data owned */
} feature_block;
void feature_block_destroy(feature_block *b);
/* Rows of each image, [images], owned by the caller (memory_free). Not collective. */
int64_t *feature_block_rows(const feature_block *b);

/* Collective. names [N] of all images. layers: kept up to 255 bytes. */
status features_write(const comm *c, const char *path, const feature_block *b,
    const char *const *names, int64_t count, const char *layers, int stride, uint64_t key);
/* Collective: each rank gets its shard of the images. STATUS_OUTPUT if the key differs or a
 * checksum fails. */
status features_read(const comm *c, const char *path, uint64_t key, feature_block *out);

enum { FEATURES_LAYERS = 256 };
typedef struct features_info {
    int64_t images;
    uint64_t rows, key;
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
