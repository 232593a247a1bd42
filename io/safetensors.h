/* safetensors files: strict about the format's rules (8-byte little-endian header length of at most
 * 16 MiB here, header starts with `{`, offsets inside the file, no overlap, no hole, shapes whose
 * product cannot overflow and fits the range). Not collective: one rank reads, weights are
 * broadcast. */
#ifndef AUXSEG_IO_SAFETENSORS_H
#define AUXSEG_IO_SAFETENSORS_H

#include "src/base/status.h"

#include <stddef.h>
#include <stdint.h>

enum { TENSOR_DIMS = 8 };

typedef struct tensor_info {
    const char *name;
    const char *type; /* "F32", "I64", "BF16", ... */
    int dims;
    int64_t shape[TENSOR_DIMS];
    const void *data; /* borrowed from the file object */
    size_t bytes;
} tensor_info;

typedef struct safetensors safetensors;

/* STATUS_DATA with a message that names the file and what is wrong. */
status safetensors_read(safetensors **out, const char *path);
void safetensors_close(safetensors *f);
int safetensors_count(const safetensors *f);
tensor_info safetensors_get(const safetensors *f, int i);     /* in order of offset */
int safetensors_find(const safetensors *f, const char *name); /* or -1 */
/* Value of a metadata key, or NULL. */
const char *safetensors_metadata(const safetensors *f, const char *key);

/* Written atomically. metadata [2 * pairs]: key, value, ... */
status safetensors_write(const char *path, const tensor_info *tensor, int tensors,
    const char *const *metadata, int pairs);

#endif
