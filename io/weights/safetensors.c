/* A reader of safetensors files that trusts nothing in them: a weights file comes from anywhere,
 * and its header says how much memory to take and where to look. Every length is checked against
 * the file before it is used, products of shapes against overflow, and each byte of the data must
 * belong to one tensor exactly, so that nothing can hide between them or be read twice. Header and
 * JSON tree stay as long as the file: names, types and metadata are theirs. What is checked is
 * checked in the order of the file, each step relying on the ones before: length, header, metadata,
 * entries, cover, data. Checksums come last and by request, as files of other programs have
 * none. */
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
#include <unistd.h>

enum { LENGTH_BYTES = 8, HEADER_LIMIT = 1 << 24 };

typedef struct entry {
    tensor_info info; /* texts are the header's */
    uint64_t begin;   /* in the data */
} entry;

struct safetensors {
    char *path, *header, *data;
    size_t header_bytes;
    uint64_t data_bytes;
    json_t *root, *metadata; /* metadata is borrowed from root */
    entry *entry;            /* [count], by offset */
    const entry **by_name;   /* [count] */
    int count;
};

/* Types of less than a byte are not among them: their bytes would not follow from a shape alone. */
size_t safetensors_type_size(const char *type) {
    static const struct {
        const char *type;
        size_t size;
    } known[] = {{"BOOL", 1}, {"U8", 1}, {"I8", 1}, {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"F8_E8M0", 1},
        {"U16", 2}, {"I16", 2}, {"F16", 2}, {"BF16", 2}, {"U32", 4}, {"I32", 4}, {"F32", 4},
        {"U64", 8}, {"I64", 8}, {"F64", 8}, {"C64", 8}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(type, known[i].type) == 0) return known[i].size;
    return 0;
}

/* torch.save's files: a zip archive, formerly a pickle of protocol 2. As a header's length both are
 * far beyond the limit. */
static bool is_torch_archive(const unsigned char *raw) {
    return memcmp(raw, "PK\3\4", 4) == 0 || memcmp(raw, "\x80\2\x8a\n", 4) == 0;
}

/* Whether the first bytes are letters of a text, which no length below the limit has: its upper
 * bytes are zeros. */
static bool is_text(const unsigned char *raw) {
    for (int i = 0; i < LENGTH_BYTES; i++)
        if ((raw[i] < ' ' || raw[i] > '~') && !memchr("\t\r\n", raw[i], 3)) return false;
    return true;
}

/* Header length, header and the number of bytes after it. What is no safetensors file at all is
 * told apart here, as the first eight bytes of any file are some length: a PyTorch archive by name,
 * the rest by a length that the file does not have or a text that is no object. */
static status read_header(safetensors *f, int fd, uint64_t bytes) {
    unsigned char raw[LENGTH_BYTES];
    if (bytes < LENGTH_BYTES) {
        log_error("%s: %llu bytes are too few for a safetensors file", f->path,
            (unsigned long long)bytes);
        return STATUS_DATA;
    }
    status st = file_read_at(fd, f->path, 0, raw, sizeof raw);
    if (st != STATUS_OK) return st;
    if (is_torch_archive(raw)) {
        log_error("%s: a PyTorch archive, which can run code when it is read: save its state_dict "
                  "with safetensors.torch.save_file",
            f->path);
        return STATUS_DATA;
    }
    if (is_text(raw)) {
        log_error("%s: not a file of weights, but a text", f->path);
        return STATUS_DATA;
    }
    /* Assembled byte by byte: the format is little-endian whatever the machine is. */
    uint64_t length = 0;
    for (int i = LENGTH_BYTES - 1; i >= 0; i--) length = length << 8 | raw[i];
    if (length > HEADER_LIMIT || length > bytes - LENGTH_BYTES) {
        log_error("%s: no safetensors file: header of %llu bytes in a file of %llu (at most %d)",
            f->path, (unsigned long long)length, (unsigned long long)bytes, HEADER_LIMIT);
        return STATUS_DATA;
    }
    f->header_bytes = (size_t)length;
    f->data_bytes = bytes - LENGTH_BYTES - length;
    /* One byte more than the header, zero: parsers stop there at the latest. */
    f->header = memory_alloc((size_t)length + 1, 1, "safetensors header");
    if (!f->header) return STATUS_FAILED;
    st = file_read_at(fd, f->path, LENGTH_BYTES, f->header, f->header_bytes);
    if (st != STATUS_OK) return st;
    if (f->header[0] != '{') {
        log_error("%s: no safetensors file: the header does not start with {", f->path);
        return STATUS_DATA;
    }
    return json_file_parse(f->path, f->header, f->header_bytes, &f->root);
}

/* The format allows strings alone, and everything below relies on it. */
static status check_metadata(safetensors *f) {
    const char *key;
    json_t *value;
    f->metadata = json_object_get(f->root, "__metadata__");
    if (!f->metadata) return STATUS_OK;
    bool ok = json_is_object(f->metadata);
    json_object_foreach(f->metadata, key, value) ok = ok && json_is_string(value);
    if (ok) return STATUS_OK;
    log_error("%s: __metadata__ is not an object of strings", f->path);
    return STATUS_DATA;
}

/* Why a tensor's shape is wrong, or NULL; *elements: their product. */
static const char *parse_shape(const json_t *shape, tensor_info *t, uint64_t *elements) {
    if (!json_is_array(shape)) return "has no shape";
    if (json_array_size(shape) > TENSOR_DIMS) return "has more than 8 dimensions";
    t->dims = (int)json_array_size(shape);
    *elements = 1;
    for (int i = 0; i < t->dims; i++) {
        const json_t *extent = json_array_get(shape, (size_t)i);
        if (!json_is_integer(extent) || json_integer_value(extent) < 0)
            return "has an extent that is no whole number";
        t->shape[i] = json_integer_value(extent);
        if (__builtin_mul_overflow(*elements, (uint64_t)t->shape[i], elements))
            return "has a shape whose product overflows";
    }
    return NULL;
}

/* Why a tensor's entry breaks the format's rules, or NULL. A reason, not a message: the caller
 * knows file and tensor and says it once. The bytes that dtype and shape ask for and those between
 * the offsets must be the same number, so that no reader of either can go wrong; unknown types are
 * refused for want of a size. */
static const char *parse_entry(const json_t *value, uint64_t data_bytes, entry *e) {
    tensor_info *t = &e->info;
    const char *type = json_string_value(json_object_get(value, "dtype"));
    const json_t *offsets = json_object_get(value, "data_offsets");
    size_t size = type ? safetensors_type_size(type) : 0;
    uint64_t elements, bytes;
    if (!size) return "has no known dtype";
    t->type = type;
    const char *wrong = parse_shape(json_object_get(value, "shape"), t, &elements);
    if (wrong) return wrong;
    if (__builtin_mul_overflow(elements, size, &bytes)) return "has a shape whose bytes overflow";
    const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end))
        return "has no pair of data_offsets";
    int64_t from = json_integer_value(begin), to = json_integer_value(end);
    if (from < 0 || to < from) return "has data_offsets that are not in order";
    if ((uint64_t)to > data_bytes) return "reaches beyond the end of the file";
    if ((uint64_t)(to - from) != bytes) return "has data_offsets that do not fit dtype and shape";
    e->begin = (uint64_t)from;
    t->bytes = (size_t)bytes;
    return NULL;
}

/* Empty tensors share an offset with the next one: they come first, and by name among themselves,
 * so that the order is always the same. */
static int by_offset(const void *pa, const void *pb) {
    const entry *a = pa, *b = pb;
    if (a->begin != b->begin) return a->begin < b->begin ? -1 : 1;
    if (a->info.bytes != b->info.bytes) return a->info.bytes < b->info.bytes ? -1 : 1;
    return strcmp(a->info.name, b->info.name);
}

static int by_name(const void *pa, const void *pb) {
    const entry *const *a = pa, *const *b = pb;
    return strcmp((*a)->info.name, (*b)->info.name);
}

/* Every byte of the data belongs to exactly one tensor. After sorting, the next tensor must begin
 * where the last one ended. The sum cannot overflow: parse_entry has compared each end with the
 * file. */
static status check_cover(const safetensors *f) {
    uint64_t at = 0;
    for (int i = 0; i < f->count; i++) {
        const entry *e = &f->entry[i];
        if (e->begin != at) {
            log_error("%s: tensor \"%s\" %s", f->path, e->info.name,
                e->begin < at ? "overlaps another one" : "comes after a hole");
            return STATUS_DATA;
        }
        at += e->info.bytes;
    }
    if (at == f->data_bytes) return STATUS_OK;
    log_error(
        "%s: %llu bytes after the last tensor", f->path, (unsigned long long)(f->data_bytes - at));
    return STATUS_DATA;
}

/* Jansson gives members in the order of the text, which says nothing about where they lie: they are
 * sorted by offset to be checked, by name to be found. Callers count tensors by offset. by_name
 * points into entry, so that the first must be in its final order before the second is made. */
static status parse_tensors(safetensors *f) {
    const char *name;
    json_t *value;
    size_t most = json_object_size(f->root);
    f->entry = memory_alloc(most, sizeof *f->entry, "table of tensors");
    /* Names are looked up once for each of the network's tensors: a sorted index, not a scan. */
    f->by_name = memory_alloc(most, sizeof *f->by_name, "table of tensors");
    if (!f->entry || !f->by_name) return STATUS_FAILED;
    json_object_foreach(f->root, name, value) {
        if (value == f->metadata) continue;
        entry *e = &f->entry[f->count++];
        e->info.name = name;
        const char *wrong = parse_entry(value, f->data_bytes, e);
        if (!wrong) continue;
        log_error("%s: tensor \"%s\" %s", f->path, name, wrong);
        return STATUS_DATA;
    }
    qsort(f->entry, (size_t)f->count, sizeof *f->entry, by_offset);
    for (int i = 0; i < f->count; i++) f->by_name[i] = &f->entry[i];
    qsort(f->by_name, (size_t)f->count, sizeof *f->by_name, by_name);
    return check_cover(f);
}

/* All tensors in one read and one block; they are copied out by whoever wants them. */
static status read_data(safetensors *f, int fd) {
    f->data = memory_alloc((size_t)f->data_bytes, 1, f->path);
    if (!f->data) return STATUS_FAILED;
    for (int i = 0; i < f->count; i++) f->entry[i].info.data = f->data + f->entry[i].begin;
    return file_read_at(
        fd, f->path, LENGTH_BYTES + f->header_bytes, f->data, (size_t)f->data_bytes);
}

/* One cleanup for every way out: what was not reached is zero, and closing zeros does nothing. */
static status open_file(safetensors **out, const char *path, bool data) {
    int fd = -1;
    uint64_t bytes;
    safetensors *f = memory_alloc(1, sizeof *f, "safetensors file");
    if (!f) return STATUS_FAILED;
    f->path = strdup(path);
    status st = f->path ? file_open(path, &fd, &bytes) : STATUS_FAILED;
    if (st == STATUS_OK) st = read_header(f, fd, bytes);
    if (st == STATUS_OK) st = check_metadata(f);
    if (st == STATUS_OK) st = parse_tensors(f);
    if (st == STATUS_OK && data) st = read_data(f, fd);
    if (fd >= 0) close(fd);
    if (st == STATUS_OK)
        *out = f;
    else
        safetensors_close(f);
    return st;
}

status safetensors_read(safetensors **out, const char *path) {
    return open_file(out, path, true);
}

status safetensors_read_header(safetensors **out, const char *path) {
    return open_file(out, path, false);
}

/* A file that was opened in part is closed alike. path is strdup's, all else memory_alloc's. */
void safetensors_close(safetensors *f) {
    if (!f) return;
    json_decref(f->root);
    memory_free(f->entry);
    memory_free(f->by_name);
    memory_free(f->header);
    memory_free(f->data);
    free(f->path);
    memory_free(f);
}

int safetensors_count(const safetensors *f) {
    return f->count;
}

tensor_info safetensors_get(const safetensors *f, int i) {
    assert(i >= 0 && i < f->count);
    return f->entry[i].info;
}

/* Through the index by name; the place returned is the one by offset, which callers count in. */
int safetensors_find(const safetensors *f, const char *name) {
    entry wanted = {.info = {.name = name}};
    const entry *key = &wanted;
    const entry **found = bsearch(&key, f->by_name, (size_t)f->count, sizeof *f->by_name, by_name);
    return found ? (int)(*found - f->entry) : -1;
}

const char *safetensors_metadata(const safetensors *f, const char *key) {
    return json_string_value(json_object_get(f->metadata, key));
}

/* Checksums are for safetensors_verify; who lists metadata wants to read words. */
bool safetensors_metadata_at(const safetensors *f, int i, const char **key, const char **value) {
    const char *k;
    json_t *v;
    if (!f->metadata) return false;
    json_object_foreach(f->metadata, k, v) {
        if (safetensors_is_checksum(k) || i-- > 0) continue;
        *key = k;
        *value = json_string_value(v);
        return true;
    }
    return false;
}

/* One checksum is enough to say that the writer made them: all of them are then expected. */
static bool has_checksums(const safetensors *f) {
    const char *key;
    json_t *value;
    if (!f->metadata) return false;
    json_object_foreach(f->metadata, key, value) {
        if (safetensors_is_checksum(key)) return true;
    }
    return false;
}

/* The header's checksum stands in the header itself: its digits count as zeros, so that they are
 * replaced for as long as it takes (the memory is not const, though the file is) and put back. The
 * checksum is the first member of all, at a fixed place: a header whose text begins otherwise was
 * not written here, or is damaged there. */
static status verify_header(const safetensors *f) {
    uint64_t want = 0;
    size_t digits = sizeof SAFETENSORS_FIRST - 1;
    bool same = f->header_bytes > digits + SAFETENSORS_DIGITS &&
                memcmp(f->header, SAFETENSORS_FIRST, digits) == 0 &&
                json_hash_value(json_object_get(f->metadata, "xxh3"), &want);
    if (same) {
        char kept[SAFETENSORS_DIGITS];
        memcpy(kept, f->header + digits, sizeof kept);
        memset(f->header + digits, '0', sizeof kept);
        same = hash_bytes(f->header, f->header_bytes) == want;
        memcpy(f->header + digits, kept, sizeof kept);
    }
    if (same) return STATUS_OK;
    log_error("%s: the header is damaged (its checksum differs)", f->path);
    return STATUS_DATA;
}

status safetensors_verify_header(const safetensors *f) {
    return has_checksums(f) ? verify_header(f) : STATUS_OK;
}

/* All that is damaged is named, not the first one alone. A tensor without a checksum in a file that
 * has others counts as damaged: someone has changed the file since. */
status safetensors_verify(const safetensors *f, bool *checked) {
    bool has = has_checksums(f);
    if (checked) *checked = has;
    if (!has) return STATUS_OK;
    status st = verify_header(f);
    for (int i = 0; i < f->count; i++) {
        const tensor_info *t = &f->entry[i].info;
        char key[SAFETENSORS_KEY];
        uint64_t want;
        safetensors_checksum_key(key, t->name);
        if (json_hash_value(json_object_get(f->metadata, key), &want) &&
            hash_bytes(t->data, t->bytes) == want)
            continue;
        log_error("%s: tensor \"%s\" is damaged (its checksum differs)", f->path, t->name);
        st = STATUS_DATA;
    }
    return st;
}
