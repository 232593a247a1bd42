/* The table of images in labels.h5 and features.h5. A rank knows its own images; sums over ranks,
 * in which one rank's entry alone is not zero, make the table of all. A reader checks that shapes
 * and offsets agree before any of them is used as an index. */
#include "io/hdf5/image_table.h"

#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { DATASET_NAME = 64 };

/* Names lie behind each other in one text, so that they travel as one block. */
static status allocate(image_table *t, int64_t count, uint64_t text_bytes) {
    size_t n = (size_t)count;
    *t = (image_table){.count = count, .text_bytes = text_bytes};
    t->shape = memory_alloc(2 * n, sizeof *t->shape, "table of images");
    t->offset = memory_alloc(n + 1, sizeof *t->offset, "table of images");
    t->hash = memory_alloc(n, sizeof *t->hash, "table of images");
    t->name = memory_alloc(n, sizeof *t->name, "table of images");
    t->text = memory_alloc((size_t)text_bytes, 1, "names of images");
    if (t->shape && t->offset && t->hash && t->name && t->text) return STATUS_OK;
    image_table_destroy(t);
    return STATUS_FAILED;
}

/* Also of one that was allocated half. */
void image_table_destroy(image_table *t) {
    memory_free(t->shape);
    memory_free(t->offset);
    memory_free(t->hash);
    memory_free(t->name);
    memory_free(t->text);
    *t = (image_table){0};
}

/* Each name with its zero. */
static uint64_t text_bytes(const char *const *names, int64_t count) {
    uint64_t bytes = 0;
    for (int64_t i = 0; i < count; i++) bytes += strlen(names[i]) + 1;
    return bytes;
}

/* Pointers are made anew where the text arrives. */
static void point_to_names(image_table *t) {
    const char *at = t->text;
    for (int64_t i = 0; i < t->count; i++, at += strlen(at) + 1) t->name[i] = at;
}

/* The text first, then pointers into it. */
static void copy_names(image_table *t, const char *const *names) {
    char *at = t->text;
    for (int64_t i = 0; i < t->count; i++) {
        size_t n = strlen(names[i]) + 1;
        memcpy(at, names[i], n);
        at += n;
    }
    point_to_names(t);
}

/* 64 bits: an image may have more than 2^32. */
static uint64_t pixels(const image_table *t, int64_t i) {
    return (uint64_t)t->shape[2 * i] * t->shape[2 * i + 1];
}

/* One image after the other, as their rows lie. */
void image_table_set_hashes(
    image_table *t, int64_t i, int64_t images, const void *rows, size_t row_bytes) {
    const char *at = rows;
    for (int64_t end = i + images; i < end; i++) {
        size_t bytes = (size_t)pixels(t, i) * row_bytes;
        t->hash[i] = hash_bytes(at, bytes);
        at += bytes;
    }
}

/* An image's hash is not zero on its own rank alone: the sum is the hash, whatever its bits. */
void image_table_share_hashes(const comm *c, image_table *t) {
    comm_sum_i64(c, (int64_t *)t->hash, (size_t)t->count);
}

/* Each image's entry of the ranks' sum is its own rank's; the others add nothing. Names are known
 * to all. Offsets are made from the shapes of all at the end. */
status image_table_gather(const comm *c, const features *mine, int64_t count,
    const char *const *names, image_table *out) {
    image_table t;
    status st = comm_agree(c, allocate(&t, count, text_bytes(names, count)));
    if (st != STATUS_OK) {
        image_table_destroy(&t);
        return st;
    }
    int64_t images = mine->images;
    for (int64_t k = 0; k < images; k++) {
        int64_t i = mine->first + k;
        assert(i < count && mine->height[k] >= 0 && mine->width[k] >= 0);
        t.shape[2 * i] = (uint32_t)mine->height[k];
        t.shape[2 * i + 1] = (uint32_t)mine->width[k];
        t.offset[i] = pixels(&t, i);
    }
    /* Parts that overlap or leave images out would make a table that only looks whole. */
    comm_sum_i64(c, &images, 1);
    assert(images == count);
    comm_sum_i64(c, (int64_t *)t.shape, (size_t)count); /* pairs: no carry, the others are zero */
    comm_sum_i64(c, (int64_t *)t.offset, (size_t)count);
    uint64_t begin = 0;
    for (int64_t i = 0; i <= count; i++) {
        uint64_t n = i < count ? t.offset[i] : 0;
        t.offset[i] = begin;
        begin += n;
    }
    copy_names(&t, names);
    *out = t;
    return STATUS_OK;
}

/* "/labels" + "shape". */
static const char *dataset_name(char *name, const char *group, const char *member) {
    int n = snprintf(name, DATASET_NAME, "%s/%s", group, member);
    assert(n > 0 && n < DATASET_NAME);
    (void)n;
    return name;
}

/* Offsets are redundant, shapes give them: they save readers in other languages a loop. */
status image_table_write(hdf5_writer *w, const char *group, const image_table *t) {
    char name[DATASET_NAME];
    hsize_t n = (hsize_t)t->count;
    hdf5_rows offset = {dataset_name(name, group, "offset"), H5T_NATIVE_UINT64, n + 1, 0, 0, 0, 0};
    status st = hdf5_put(w, &offset, t->offset);
    if (st != STATUS_OK) return st;
    hdf5_rows shape = {dataset_name(name, group, "shape"), H5T_NATIVE_UINT32, n, 2, 0, 0, 0};
    st = hdf5_put(w, &shape, t->shape);
    if (st != STATUS_OK) return st;
    hdf5_rows hash = {dataset_name(name, group, "hash"), H5T_NATIVE_UINT64, n, 0, 0, 0, 0};
    st = hdf5_put(w, &hash, t->hash);
    if (st != STATUS_OK) return st;
    return hdf5_put_strings(w, dataset_name(name, group, "name"), t->name, n);
}

/* Shapes and offsets say the same, everything is in range, and offsets rise: then they can be used
 * as indices. */
static bool consistent(const image_table *t, uint64_t rows) {
    bool good = t->offset[0] == 0 && t->offset[t->count] == rows;
    for (int64_t i = 0; good && i < t->count; i++) {
        const uint32_t *s = &t->shape[2 * i];
        good = s[0] <= INT_MAX && s[1] <= INT_MAX && t->offset[i + 1] >= t->offset[i] &&
               t->offset[i + 1] - t->offset[i] == pixels(t, i);
    }
    return good;
}

/* Before anything is read into memory that this shape was taken for. */
static status has_shape(
    hid_t file, const char *path, const char *name, uint64_t rows, uint64_t columns) {
    hsize_t r = 0, c = 0;
    status st = hdf5_shape(file, path, name, &r, &c);
    if (st != STATUS_OK || (r == rows && c == columns)) return st;
    log_error("%s: %s is [%llu, %llu], not [%llu, %llu]", path, name, (unsigned long long)r,
        (unsigned long long)c, (unsigned long long)rows, (unsigned long long)columns);
    return STATUS_DATA;
}

/* Each array has the shape that the number of names asks for. */
static status read_arrays(hid_t file, const char *path, const char *group, image_table *t) {
    char name[DATASET_NAME];
    uint64_t n = (uint64_t)t->count;
    status st = has_shape(file, path, dataset_name(name, group, "shape"), n, 2);
    if (st == STATUS_OK) st = hdf5_get(file, path, name, H5T_NATIVE_UINT32, t->shape);
    if (st == STATUS_OK) st = has_shape(file, path, dataset_name(name, group, "offset"), n + 1, 1);
    if (st == STATUS_OK) st = hdf5_get(file, path, name, H5T_NATIVE_UINT64, t->offset);
    if (st == STATUS_OK) st = has_shape(file, path, dataset_name(name, group, "hash"), n, 1);
    if (st == STATUS_OK) st = hdf5_get(file, path, name, H5T_NATIVE_UINT64, t->hash);
    return st;
}

/* The number of names says how many images there are; all else has to fit. */
status image_table_read(
    hid_t file, const char *path, const char *group, hsize_t rows, image_table *out) {
    char name[DATASET_NAME], **names = NULL;
    hsize_t n;
    image_table t = {0};
    status st = hdf5_get_strings(file, path, dataset_name(name, group, "name"), &names, &n);
    if (st != STATUS_OK) return st;
    const char *const *text = (const char *const *)names;
    st = n > INT_MAX ? STATUS_DATA : allocate(&t, (int64_t)n, text_bytes(text, (int64_t)n));
    if (st == STATUS_OK) {
        copy_names(&t, text);
        st = read_arrays(file, path, group, &t);
    }
    memory_free(names);
    if (st == STATUS_OK && !consistent(&t, rows)) {
        log_error("%s: damaged: shapes and offsets of %s disagree", path, group);
        st = STATUS_DATA;
    }
    if (st == STATUS_OK)
        *out = t;
    else
        image_table_destroy(&t);
    return st;
}

/* Sizes first, then memory on all ranks, then the arrays: no rank waits for one that has none. */
status image_table_share(const comm *c, image_table *t) {
    uint64_t size[2] = {comm_root(c) ? (uint64_t)t->count : 0, comm_root(c) ? t->text_bytes : 0};
    comm_broadcast(c, size, sizeof size);
    status st = comm_root(c) ? STATUS_OK : allocate(t, (int64_t)size[0], size[1]);
    st = comm_agree(c, st);
    if (st != STATUS_OK) {
        if (!comm_root(c)) image_table_destroy(t);
        return st;
    }
    size_t n = (size_t)t->count;
    comm_broadcast(c, t->shape, 2 * n * sizeof *t->shape);
    comm_broadcast(c, t->offset, (n + 1) * sizeof *t->offset);
    comm_broadcast(c, t->hash, n * sizeof *t->hash);
    comm_broadcast(c, t->text, (size_t)t->text_bytes);
    point_to_names(t);
    return STATUS_OK;
}

/* The images' hashes stand for their rows: everything is covered without reading it. */
uint64_t image_table_hash(const image_table *t, uint64_t before) {
    size_t n = (size_t)t->count;
    before = hash_append(before, t->shape, 2 * n * sizeof *t->shape);
    before = hash_append(before, t->offset, (n + 1) * sizeof *t->offset);
    before = hash_append(before, t->hash, n * sizeof *t->hash);
    return hash_append(before, t->text, (size_t)t->text_bytes);
}

/* By name: it says which image is affected. */
status image_table_check(
    const image_table *t, int64_t i, const void *rows, size_t row_bytes, const char *path) {
    if (hash_bytes(rows, (size_t)pixels(t, i) * row_bytes) == t->hash[i]) return STATUS_OK;
    log_error("%s: image \"%s\" is damaged (its checksum differs)", path, t->name[i]);
    return STATUS_OUTPUT;
}
