/* The two containers of torch.save's files: where the pickled object stands, and its storages.
 *
 * zip, PyTorch 1.6 and later: NAME/data.pkl (the object), NAME/data/KEY (a storage's bytes),
 * NAME/byteorder ("little"); all stored, never deflated.
 * legacy: pickles one after another: a magic number, the version 1001, a dictionary with
 * little_endian, the object, the list of the storages' keys; then for each key of the list the
 * number of elements (int64) and the elements.
 *
 * Not collective. STATUS_DATA, with a message that names the file, for what is neither, damaged,
 * big-endian, compressed or encrypted. Nothing is read that is not asked for; nothing is trusted
 * that the file's size does not bear out. */
#ifndef AUXSEG_IO_WEIGHTS_TORCH_SOURCE_H
#define AUXSEG_IO_WEIGHTS_TORCH_SOURCE_H

#include "io/weights/pickle.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct torch_source torch_source;

/* A storage: the numbers of one tensor or of several. */
typedef struct torch_storage {
    const char *key; /* [length] in the pickle */
    uint32_t length;
    const char *type; /* "F32"; NULL: bytes, whose type is the tensor's */
    uint64_t bytes;
    uint64_t place; /* zip: the entry's number; legacy: the offset in the file */
    bool placed;
} torch_storage;

/* Whether the first 8 bytes of a file are those of one of the two. */
bool torch_source_is(const unsigned char first[8]);
/* path is borrowed. Finds the object and all storages that it names; reads none of these. */
status torch_source_open(torch_source **out, const char *path);
/* NULL-safe. */
void torch_source_close(torch_source *s);

/* The object, borrowed from s. */
const pickle *torch_source_object(const torch_source *s);
/* Whether it is a zip archive. */
bool torch_source_is_archive(const torch_source *s);
/* Bytes of the whole file. */
uint64_t torch_source_bytes(const torch_source *s);
/* The storage that a value of the object (PICKLE_PERSISTENT) stands for, borrowed from s; *first:
 * the element where a view of it begins, mostly 0. NULL: it is no storage. */
const torch_storage *torch_source_storage(
    const torch_source *s, const pickle_value *persistent, uint64_t *first);
/* All of its bytes; owned by the caller (memory_free). */
status torch_source_read(torch_source *s, const torch_storage *storage, void **data);

#endif
