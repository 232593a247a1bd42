/* Reading features.h5. Rank 0 reads the tables and checks them; each rank takes the rows of its
 * images with pread or mmap, as HDF5's parallel reads are collective and would make ranks wait for
 * one another. Every image is compared with its checksum before anything is computed from it. */
#include "io/hdf5/features.h"

#include "io/files/file.h"
#include "io/hdf5/features_parts.h"
#include "io/hdf5/hdf5.h"
#include "mpi/shard.h"
#include "src/base/log.h"
#include "src/base/mapped.h"
#include "src/base/memory.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

enum { TEXT = 32 };

/* What rank 0 reads beside the table, in one piece for the others. */
typedef struct head {
    features_info info;
    int64_t data; /* where /features/data begins in the file */
} head;

/* A file of the run, which can be made again: another status than bad input. */
static status damaged(const char *path, const char *what) {
    log_error("%s: damaged: %s", path, what);
    return STATUS_OUTPUT;
}

/* Attributes of the root. Another format is another version's file: bad input, not damage. */
static status read_attributes(hid_t file, const char *path, head *h) {
    char format[TEXT], type[TEXT];
    features_info *i = &h->info;
    status st = hdf5_get_text(file, path, "format", format, sizeof format);
    if (st == STATUS_OK && strcmp(format, FEATURES_FORMAT) != 0) {
        log_error("%s: format \"%s\", not \"" FEATURES_FORMAT "\"", path, format);
        st = STATUS_DATA;
    }
    if (st == STATUS_OK) st = hdf5_get_text(file, path, "dtype", type, sizeof type);
    if (st != STATUS_OK) return st;
    i->type = strcmp(type, features_dtype_name(DTYPE_BF16)) == 0 ? DTYPE_BF16 : DTYPE_F32;
    st = hdf5_get_text(file, path, "layers", i->layers, sizeof i->layers);
    if (st == STATUS_OK)
        st = hdf5_get_number(file, path, "/", "stride", H5T_NATIVE_INT, &i->stride);
    if (st == STATUS_OK) st = hdf5_get_number(file, path, "/", "key", H5T_NATIVE_UINT64, &i->key);
    if (st == STATUS_OK)
        st = hdf5_get_number(file, path, "/", "checksum", H5T_NATIVE_UINT64, &h->info.checksum);
    return st;
}

/* Everything but the rows. One process. The checksum is compared before anything is believed. */
static status read_tables(const char *path, head *h, image_table *t) {
    hid_t file;
    hsize_t rows, columns;
    image_table table = {0};
    memset(h, 0, sizeof *h);
    status st = hdf5_open(&file, path);
    if (st != STATUS_OK) return st;
    st = read_attributes(file, path, h);
    if (st == STATUS_OK) st = hdf5_shape(file, path, FEATURES_DATA, &rows, &columns);
    if (st == STATUS_OK && (columns < 1 || columns > INT_MAX))
        st = damaged(path, "dimension of the features");
    if (st == STATUS_OK) st = image_table_read(file, path, "/features", rows, &table);
    if (st == STATUS_OK)
        st = hdf5_offset(file, path, FEATURES_DATA,
            h->info.type == DTYPE_BF16 ? H5T_NATIVE_UINT16 : H5T_NATIVE_FLOAT, &h->data);
    H5Fclose(file);
    if (st == STATUS_OK) {
        h->info.d = (int)columns;
        h->info.images = table.count;
        h->info.rows = rows;
        if (features_checksum(&h->info, &table) != h->info.checksum)
            st = damaged(path, "the checksum of its tables differs");
    }
    if (st == STATUS_OK)
        *t = table;
    else
        image_table_destroy(&table);
    return st;
}

/* The rows of images first .. first + images - 1 into data, in one read, then each compared with
 * its hash. Not collective. */
static status read_rows(const char *path, const head *h, const image_table *t, int64_t first,
    int64_t images, void *data) {
    int fd;
    uint64_t bytes, begin = t->offset[first], size = features_info_row_bytes(&h->info);
    status st = file_open(path, &fd, &bytes);
    if (st != STATUS_OK) return st;
    st = file_read_at(fd, path, (uint64_t)h->data + begin * size, data,
        (t->offset[first + images] - begin) * size);
    close(fd);
    for (int64_t i = first; st == STATUS_OK && i < first + images; i++)
        st =
            image_table_check(t, i, (const char *)data + (t->offset[i] - begin) * size, size, path);
    return st;
}

/* Memory that holds the rows of x. They are checked as they come: nothing unchecked is handed out.
 */
static status hold_rows(const char *path, const head *h, const image_table *t, features *x) {
    x->data = memory_alloc(x->n, features_row_bytes(x), "features");
    if (!x->data) return STATUS_FAILED;
    return read_rows(path, h, t, x->first, x->images, x->data);
}

/* The rows of x become a part of the file, which is checked image by image. A mapping begins at a
 * page, before the first row; a file that ends before the last row would end whoever reads it
 * (mapped.h), hence the look at its size. */
static status map_rows(const char *path, const head *h, const image_table *t, features *x) {
    int fd;
    uint64_t size, row = features_row_bytes(x), page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t first = t->offset[x->first], begin = (uint64_t)h->data + first * row;
    uint64_t end = begin + x->n * row;
    status st = file_open(path, &fd, &size);
    if (st != STATUS_OK) return st;
    x->mapping_bytes = (size_t)(end - begin / page * page);
    void *mapping;
    st = end <= size ? mapped_create(path, fd, begin / page * page, x->mapping_bytes, &mapping)
                     : damaged(path, "it ends too early");
    close(fd);
    if (st != STATUS_OK) return st;
    x->mapping = mapping;
    x->data = (char *)mapping + begin % page;
    x->mapped = true;
    for (int64_t i = x->first; st == STATUS_OK && i < x->first + x->images; i++) {
        size_t at = (size_t)(t->offset[i] - first),
               rows = (size_t)(t->offset[i + 1] - t->offset[i]);
        st = image_table_check(t, i, (const char *)x->data + at * row, (size_t)row, path);
        features_passed(x, at, rows);
    }
    features_release(x, 0, x->n);
    return st;
}

/* The rows of x's images, which are set: their place among all is in the table. */
static status take_rows(
    const char *path, const head *h, const image_table *t, bool map, features *x) {
    x->d = h->info.d;
    x->type = h->info.type;
    x->before = (int64_t)t->offset[x->first];
    x->total = (int64_t)t->offset[t->count];
    x->n = t->offset[x->first + x->images] - t->offset[x->first];
    if (features_create_shapes(x) != STATUS_OK) return STATUS_FAILED;
    for (int64_t k = 0; k < x->images; k++) {
        x->height[k] = (int)t->shape[2 * (x->first + k)];
        x->width[k] = (int)t->shape[2 * (x->first + k) + 1];
    }
    /* Another program's file may have them at an odd place, where no element can be read. */
    bool aligned = (uint64_t)h->data % dtype_size(x->type) == 0;
    return map && aligned && x->n > 0 ? map_rows(path, h, t, x) : hold_rows(path, h, t, x);
}

/* Which file is wanted: one with this key, or of these images. */
typedef struct wanted {
    uint64_t key;
    const features_names *names; /* NULL: the key counts */
    bool map;
} wanted;

/* Rank 0's judgement of a file that is whole. */
static status check_wanted(const char *path, const head *h, const image_table *t, const wanted *w) {
    if (!w->names && h->info.key != w->key) {
        log_error("%s: made with other inputs or settings", path);
        return STATUS_OUTPUT;
    }
    if (!w->names) return STATUS_OK;
    int64_t i = 0, both = w->names->count < t->count ? w->names->count : t->count;
    while (i < both && strcmp(w->names->name[i], t->name[i]) == 0) i++;
    if (i == w->names->count && i == t->count) return STATUS_OK;
    log_error("%s: image %lld of the file is \"%s\", of the data set's training images \"%s\"",
        path, (long long)i, i < t->count ? t->name[i] : "(none)",
        i < w->names->count ? w->names->name[i] : "(none)");
    return STATUS_DATA;
}

/* Rank 0 reads the tables for all, so that a thousand ranks do not open the file through HDF5 at
 * once. Collective. */
static status take_file(const comm *c, const char *path, const wanted *w, features *out) {
    head h;
    image_table t = {0};
    features x = {0};
    status st = comm_root(c) ? read_tables(path, &h, &t) : STATUS_OK;
    if (comm_root(c) && st == STATUS_OK) st = check_wanted(path, &h, &t, w);
    st = comm_agree(c, st);
    if (st == STATUS_OK) st = image_table_share(c, &t);
    if (st == STATUS_OK) {
        comm_broadcast(c, &h, sizeof h);
        /* The shards of extraction: images lie where they would have been computed. */
        x.first = shard_begin(t.count, comm_rank(c), comm_size(c));
        x.images = shard_begin(t.count, comm_rank(c) + 1, comm_size(c)) - x.first;
        st = comm_agree(c, take_rows(path, &h, &t, w->map, &x));
    }
    image_table_destroy(&t);
    if (st == STATUS_OK)
        *out = x;
    else
        features_destroy(&x);
    return st;
}

/* Into memory. */
status features_read(const comm *c, const char *path, uint64_t key, features *out) {
    return take_file(c, path, &(wanted){.key = key}, out);
}

/* Left in the file. */
status features_map(const comm *c, const char *path, uint64_t key, features *out) {
    return take_file(c, path, &(wanted){.key = key, .map = true}, out);
}

status features_map_any(
    const comm *c, const char *path, const features_names *names, features *out) {
    return take_file(c, path, &(wanted){.names = names, .map = true}, out);
}

/* For inspect, and to ask whether a file may be used. */
status features_about(const char *path, features_info *out) {
    head h;
    image_table t = {0};
    status st = read_tables(path, &h, &t);
    image_table_destroy(&t);
    if (st == STATUS_OK) *out = h.info;
    return st;
}

/* Image by image: a file may be larger than memory. Like labels, all damaged images are named, not
 * the first alone. */
status features_verify(const char *path) {
    head h;
    image_table t = {0};
    status st = read_tables(path, &h, &t), worst = st;
    for (int64_t i = 0; st == STATUS_OK && i < t.count; i++) {
        void *data = memory_alloc(
            t.offset[i + 1] - t.offset[i], features_info_row_bytes(&h.info), "features");
        status one = data ? read_rows(path, &h, &t, i, 1, data) : STATUS_FAILED;
        memory_free(data);
        if (one != STATUS_OK) worst = one;
    }
    image_table_destroy(&t);
    return worst;
}
