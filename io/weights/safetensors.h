/* safetensors files: strict about the format's rules (8-byte little-endian header length of at most
 * 16 MiB here, header starts with `{`, offsets inside the file, no overlap, no hole, shapes whose
 * product cannot overflow and fits the range). Not collective: one rank reads, weights are
 * broadcast.
 *
 * What is written here carries checksums in its metadata: "xxh3:NAME" of each tensor's bytes, and
 * as the first thing in the header "xxh3" of the whole header with its own digits taken as zeros.
 */
#ifndef AUXSEG_IO_WEIGHTS_SAFETENSORS_H
#define AUXSEG_IO_WEIGHTS_SAFETENSORS_H

#include "src/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TENSOR_DIMS = 8 };

typedef struct tensor_info {
    const char *name;
    const char *type; /* "F32", "I64", "BF16", ... */
    int dims;
    int64_t shape[TENSOR_DIMS];
    const void *data; /* borrowed from the file object; may be unaligned */
    size_t bytes;
} tensor_info;

typedef struct safetensors safetensors;

/* Bytes of one element; 0: no type of the format. */
size_t safetensors_type_size(const char *type);

/* STATUS_DATA with a message that names the file and what is wrong. */
status safetensors_read(safetensors **out, const char *path);
/* The same checks, but no tensor is read: data is NULL. For looking at files of any size. */
status safetensors_read_header(safetensors **out, const char *path);
/* NULL-safe. */
void safetensors_close(safetensors *f);
int safetensors_count(const safetensors *f);
tensor_info safetensors_get(const safetensors *f, int i);     /* in order of offset */
int safetensors_find(const safetensors *f, const char *name); /* or -1 */
/* Value of a metadata key, or NULL. */
const char *safetensors_metadata(const safetensors *f, const char *key);
/* Metadata but for the checksums, in the file's order; false past the end. */
bool safetensors_metadata_at(const safetensors *f, int i, const char **key, const char **value);

/* Compares header and tensors (of safetensors_read) with the checksums: STATUS_DATA names what is
 * damaged. *checked (may be NULL): whether the file has checksums at all; one without them passes.
 */
status safetensors_verify(const safetensors *f, bool *checked);

/* The header's checksum alone, where there is one: no tensor need have been read. */
status safetensors_verify_header(const safetensors *f);

/* Written atomically, wider types first (so that all are aligned), else in the order given.
 * metadata [2 * pairs]: key, value, ...; checksums among them are left out, new ones are added.
 * STATUS_DATA for a name twice or text that is not UTF-8. */
status safetensors_write(const char *path, const tensor_info *tensor, int tensors,
    const char *const *metadata, int pairs);

#endif
