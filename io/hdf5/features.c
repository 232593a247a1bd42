#include "io/hdf5/features.h"

#include "io/files/file.h"
#include "io/hdf5/features_parts.h"
#include "io/hdf5/hdf5.h"
#include "mpi/shard.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { TEXT = 32 };

/* What rank 0 reads beside the table, in one piece for the others. */
typedef struct head {
    features_info info;
    int64_t data; /* where /features/data begins in the file */
    uint64_t checksum;
} head;

void feature_block_destroy(feature_block *b) {
    memory_free(b->height);
    memory_free(b->width);
    if (b->rows.mapped)
        munmap(b->mapping, b->mapping_bytes);
    else
        memory_free(b->rows.data);
    *b = (feature_block){0};
}

int64_t *feature_block_rows(const feature_block *b) {
    int64_t *rows = memory_alloc((size_t)b->images, sizeof *rows, "rows of images");
    for (int64_t i = 0; rows && i < b->images; i++) rows[i] = (int64_t)b->height[i] * b->width[i];
    return rows;
}

static status damaged(const char *path, const char *what) {
    log_error("%s: damaged: %s", path, what);
    return STATUS_OUTPUT;
}

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
        st = hdf5_get_number(file, path, "/", "checksum", H5T_NATIVE_UINT64, &h->checksum);
    return st;
}

/* Everything but the rows. One process. */
static status read_tables(const char *path, head *h, image_table *t) {
    hid_t file;
    hsize_t rows, columns;
    image_table table = {0};
    memset(h, 0, sizeof *h);
    status st = hdf5_open(&file, path);
    if (st != STATUS_OK) return st;
    st = read_attributes(file, path, h);
    if (st == STATUS_OK) st = hdf5_shape(file, path, FEATURES_DATA, &rows, &columns);
    if (st == STATUS_OK && columns > INT_MAX) st = damaged(path, "dimension of the features");
    if (st == STATUS_OK) st = image_table_read(file, path, "/features", rows, &table);
    if (st == STATUS_OK) st = hdf5_offset(file, path, FEATURES_DATA, &h->data);
    H5Fclose(file);
    if (st == STATUS_OK) {
        h->info.d = (int)columns;
        h->info.images = table.count;
        h->info.rows = rows;
        if (features_checksum(&h->info, &table) != h->checksum)
            st = damaged(path, "the checksum of its tables differs");
    }
    if (st == STATUS_OK)
        *t = table;
    else
        image_table_destroy(&table);
    return st;
}

/* The rows of images first .. first + images - 1 into data, checked. Not collective. */
static status read_rows(const char *path, const head *h, const image_table *t, int64_t first,
    int64_t images, void *data) {
    int fd;
    uint64_t bytes, begin = t->offset[first], size = features_row_bytes(&h->info);
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

/* Memory that holds the block's rows: their checksums are those of the table. */
static status hold_rows(const char *path, const head *h, const image_table *t, feature_block *b) {
    b->rows.data = memory_alloc(b->rows.n, features_row_bytes(&h->info), "features");
    if (!b->rows.data) return STATUS_FAILED;
    return read_rows(path, h, t, b->first, b->images, b->rows.data);
}

/* b->rows become a part of the file, which is checked image by image. */
static status map_rows(const char *path, const head *h, const image_table *t, feature_block *b) {
    int fd;
    uint64_t size, row = features_row_bytes(&h->info), page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t first = t->offset[b->first], begin = (uint64_t)h->data + first * row;
    uint64_t end = begin + b->rows.n * row;
    status st = file_open(path, &fd, &size);
    if (st != STATUS_OK) return st;
    b->mapping_bytes = (size_t)(end - begin / page * page);
    void *mapping = MAP_FAILED;
    if (end <= size)
        mapping =
            mmap(NULL, b->mapping_bytes, PROT_READ, MAP_SHARED, fd, (off_t)(begin / page * page));
    int error = errno;
    close(fd);
    if (end > size) return damaged(path, "it ends too early");
    if (mapping == MAP_FAILED) {
        log_error("%s: cannot be mapped: %s", path, strerror(error));
        return STATUS_FAILED;
    }
    b->mapping = mapping;
    b->rows.data = (char *)mapping + begin % page;
    b->rows.mapped = true;
    for (int64_t i = b->first; st == STATUS_OK && i < b->first + b->images; i++) {
        size_t at = (size_t)(t->offset[i] - first),
               rows = (size_t)(t->offset[i + 1] - t->offset[i]);
        st = image_table_check(t, i, (const char *)b->rows.data + at * row, (size_t)row, path);
        features_passed(&b->rows, at, rows);
    }
    features_release(&b->rows, 0, b->rows.n);
    return st;
}

static status take_block(
    const char *path, const head *h, const image_table *t, bool map, feature_block *b) {
    size_t rows = t->offset[b->first + b->images] - t->offset[b->first];
    b->rows = (features){.n = rows, .d = h->info.d, .type = h->info.type};
    b->height = memory_alloc((size_t)b->images, sizeof *b->height, "features");
    b->width = memory_alloc((size_t)b->images, sizeof *b->width, "features");
    if (!b->height || !b->width) return STATUS_FAILED;
    for (int64_t k = 0; k < b->images; k++) {
        b->height[k] = (int)t->shape[2 * (b->first + k)];
        b->width[k] = (int)t->shape[2 * (b->first + k) + 1];
    }
    return map && rows > 0 ? map_rows(path, h, t, b) : hold_rows(path, h, t, b);
}

static status take_file(
    const comm *c, const char *path, uint64_t key, bool map, feature_block *out) {
    head h;
    image_table t = {0};
    feature_block b = {0};
    status st = comm_root(c) ? read_tables(path, &h, &t) : STATUS_OK;
    if (comm_root(c) && st == STATUS_OK && h.info.key != key) {
        log_error("%s: made with other inputs or settings", path);
        st = STATUS_OUTPUT;
    }
    st = comm_agree(c, st);
    if (st == STATUS_OK) st = image_table_share(c, &t);
    if (st == STATUS_OK) {
        comm_broadcast(c, &h, sizeof h);
        b.first = shard_begin(t.count, comm_rank(c), comm_size(c));
        b.images = shard_begin(t.count, comm_rank(c) + 1, comm_size(c)) - b.first;
        st = comm_agree(c, take_block(path, &h, &t, map, &b));
    }
    image_table_destroy(&t);
    if (st == STATUS_OK)
        *out = b;
    else
        feature_block_destroy(&b);
    return st;
}

status features_read(const comm *c, const char *path, uint64_t key, feature_block *out) {
    return take_file(c, path, key, false, out);
}

status features_map(const comm *c, const char *path, uint64_t key, feature_block *out) {
    return take_file(c, path, key, true, out);
}

status features_about(const char *path, features_info *out) {
    head h;
    image_table t = {0};
    status st = read_tables(path, &h, &t);
    image_table_destroy(&t);
    if (st == STATUS_OK) *out = h.info;
    return st;
}

/* Image by image: a file may be larger than memory. */
status features_verify(const char *path) {
    head h;
    image_table t = {0};
    status st = read_tables(path, &h, &t), worst = st;
    for (int64_t i = 0; st == STATUS_OK && i < t.count; i++) {
        void *data =
            memory_alloc(t.offset[i + 1] - t.offset[i], features_row_bytes(&h.info), "features");
        status one = data ? read_rows(path, &h, &t, i, 1, data) : STATUS_FAILED;
        memory_free(data);
        if (one != STATUS_OK) worst = one;
    }
    image_table_destroy(&t);
    return worst;
}
