/* Writes safetensors files: the header is made as JSON text of its own length, tensors follow
 * without holes. Checksums go into the metadata, where other readers ignore them: the file stays a
 * plain safetensors file for every program. */
#include "io/weights/safetensors.h"

#include "io/files/file.h"
#include "io/files/json_file.h"
#include "io/weights/safetensors_checksum.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH_BYTES = 8, HEADER_LIMIT = 1 << 24, WIDEST = 8 };

/* order [tensors]: wider types first, else as given. Stable within a width, so that the same
 * tensors give the same bytes. */
static void sort_by_width(const tensor_info *tensor, int tensors, const tensor_info **order) {
    int n = 0;
    for (size_t width = WIDEST; width > 0; width /= 2)
        for (int i = 0; i < tensors; i++)
            if (safetensors_type_size(tensor[i].type) == width) order[n++] = &tensor[i];
    assert(n == tensors);
}

/* false: out of memory, or text that is not UTF-8. The place of the header's own checksum is made
 * first, with zeros, and filled in once everything else stands. */
static bool add_metadata(json_t *to, const char *const *metadata, int pairs) {
    bool ok = json_object_set_new(to, "xxh3", json_hash(0)) == 0;
    for (int i = 0; i < pairs; i++) {
        const char *key = metadata[2 * i], *value = metadata[2 * i + 1];
        if (!safetensors_is_checksum(key))
            ok = json_object_set_new(to, key, json_string(value)) == 0 && ok;
    }
    return ok;
}

/* Why this tensor cannot be written, or NULL. */
static const char *add_tensor(json_t *root, json_t *metadata, const tensor_info *t, size_t begin) {
    char key[SAFETENSORS_KEY];
    if (strcmp(t->name, "__metadata__") == 0 || !safetensors_checksum_key(key, t->name))
        return "has a name that the format cannot hold";
    if (json_object_get(root, t->name)) return "is there twice";
    json_t *shape = json_array(), *offsets = json_array();
    bool ok = true;
    for (int i = 0; i < t->dims; i++)
        ok = json_array_append_new(shape, json_integer(t->shape[i])) == 0 && ok;
    ok = json_array_append_new(offsets, json_integer((json_int_t)begin)) == 0 && ok;
    ok = json_array_append_new(offsets, json_integer((json_int_t)(begin + t->bytes))) == 0 && ok;
    json_t *value = json_object();
    ok = json_object_set_new(value, "dtype", json_string(t->type)) == 0 && ok;
    ok = json_object_set_new(value, "shape", shape) == 0 && ok;
    ok = json_object_set_new(value, "data_offsets", offsets) == 0 && ok;
    ok = json_object_set_new(root, t->name, value) == 0 && ok;
    /* Of the bytes as they are in memory now: what the disk makes of them is found when they are
     * read. */
    json_t *hash = json_hash(hash_bytes(t->data, t->bytes));
    ok = json_object_set_new(metadata, key, hash) == 0 && ok;
    return ok ? NULL : "cannot be described in JSON (its name must be UTF-8)";
}

/* Length and header, ended by spaces so that the data is aligned; the header's checksum is filled
 * in. NULL: too long, or out of memory. */
static char *make_header(const char *path, const json_t *root, size_t *bytes) {
    /* Jansson keeps the order of members: "__metadata__" with "xxh3" first, which the checksum of
     * the header relies on. */
    char *text = json_dumps(root, JSON_COMPACT);
    size_t n = text ? strlen(text) : 0, first = sizeof SAFETENSORS_FIRST - 1;
    size_t padded = (n + WIDEST - 1) / WIDEST * WIDEST;
    char *all = NULL, digits[SAFETENSORS_DIGITS + 1];
    if (!text || padded > HEADER_LIMIT) {
        log_error("%s: header of %zu bytes, at most %d can be read back", path, n, HEADER_LIMIT);
    } else if ((all = memory_alloc(LENGTH_BYTES + padded, 1, "safetensors header"))) {
        char *header = all + LENGTH_BYTES;
        for (int i = 0; i < LENGTH_BYTES; i++) all[i] = (char)(padded >> 8 * i);
        memcpy(header, text, n);
        memset(header + n, ' ', padded - n);
        assert(memcmp(header, SAFETENSORS_FIRST, first) == 0);
        hash_text(hash_bytes(header, padded), digits);
        memcpy(header + first, digits, SAFETENSORS_DIGITS);
        *bytes = LENGTH_BYTES + padded;
    }
    free(text);
    return all;
}

/* root: everything but the bytes; part [1 + tensors]: the tensors from part 1 on. Offsets are those
 * of the order in which tensors will be written, not of the one given. */
static status describe(
    const char *path, const tensor_info *const *order, int tensors, json_t *root, file_part *part) {
    json_t *metadata = json_object_get(root, "__metadata__");
    size_t begin = 0;
    for (int i = 0; i < tensors; i++) {
        const char *wrong = add_tensor(root, metadata, order[i], begin);
        if (wrong) {
            log_error("%s: tensor \"%s\" %s", path, order[i]->name, wrong);
            return STATUS_DATA;
        }
        part[1 + i] = (file_part){order[i]->data, order[i]->bytes};
        begin += order[i]->bytes;
    }
    return STATUS_OK;
}

/* The parts go to the file straight from where they lie: no copy of all weights is made. */
status safetensors_write(const char *path, const tensor_info *tensor, int tensors,
    const char *const *metadata, int pairs) {
    status st = STATUS_FAILED;
    char *header = NULL;
    json_t *root = json_object(), *about = json_object();
    file_part *part = memory_alloc((size_t)tensors + 1, sizeof *part, "safetensors file");
    const tensor_info **order = memory_alloc((size_t)tensors, sizeof *order, "order of tensors");
    if (!part || !order || json_object_set(root, "__metadata__", about) != 0) goto done;
    if (!add_metadata(about, metadata, pairs)) {
        log_error("%s: metadata must be UTF-8", path);
        st = STATUS_DATA;
        goto done;
    }
    /* Other readers map the file and want every element at a multiple of its size. */
    sort_by_width(tensor, tensors, order);
    st = describe(path, order, tensors, root, part);
    if (st != STATUS_OK) goto done;
    header = make_header(path, root, &part[0].bytes);
    part[0].data = header;
    st = header ? file_write_parts(path, part, tensors + 1) : STATUS_FAILED;
done:
    memory_free(header);
    memory_free(order);
    memory_free(part);
    json_decref(about);
    json_decref(root);
    return st;
}
