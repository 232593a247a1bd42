/* What the reader and the writer of features.h5 must agree on: how rows are named and what the
 * checksum covers. */
#include "io/hdf5/features_parts.h"

#include "src/base/hash.h"

#include <string.h>

/* As attributes, inspect and .npy readers name them. */
const char *features_dtype_name(dtype t) {
    return t == DTYPE_BF16 ? "bf16" : "float32";
}

/* Numbers as int64, so that the definition (the page of this folder) has one width. */
uint64_t features_checksum(const features_info *i, const image_table *t) {
    const int64_t whole[] = {i->d, i->type == DTYPE_BF16, i->stride, (int64_t)i->key};
    uint64_t h = hash_bytes(whole, sizeof whole);
    return image_table_hash(t, hash_append(h, i->layers, strlen(i->layers) + 1));
}
