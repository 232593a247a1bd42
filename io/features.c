#include "io/features.h"

#include "io/file.h"
#include "io/image_table.h"
#include "mpi/shard.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <assert.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define FORMAT "auxseg features 1"
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
    memory_free(b->rows.data);
    *b = (feature_block){0};
}

int64_t *feature_block_rows(const feature_block *b) {
    int64_t *rows = memory_alloc((size_t)b->images, sizeof *rows, "rows of images");
    for (int64_t i = 0; rows && i < b->images; i++) rows[i] = (int64_t)b->height[i] * b->width[i];
    return rows;
}

static size_t row_bytes(const features_info *i) {
    return (size_t)i->d * dtype_size(i->type);
}

/* Of everything in the file: the images' rows by their hashes. */
static uint64_t checksum(const features_info *i, const image_table *t) {
    const int64_t whole[] = {i->d, i->type == DTYPE_BF16, i->stride, (int64_t)i->key};
    uint64_t h = hash_bytes(whole, sizeof whole);
    return image_table_hash(t, hash_append(h, i->layers, strlen(i->layers) + 1));
}

static status write_file(
    hdf5_writer *w, const features_info *i, const image_table *t, const image_part *mine) {
    uint64_t sum = checksum(i, t), first = t->offset[mine->first];
    comm_same(w->c, "checksum of the features", sum);
    hdf5_rows data = {"/features/data",
        i->type == DTYPE_BF16 ? H5T_NATIVE_UINT16 : H5T_NATIVE_FLOAT, t->offset[t->count],
        (hsize_t)i->d, first, t->offset[mine->first + mine->images] - first};
    status st = hdf5_put_text(w, "/", "format", FORMAT);
    if (st == STATUS_OK) st = hdf5_put_text(w, "/", "dtype", features_dtype_name(i->type));
    if (st == STATUS_OK) st = hdf5_put_text(w, "/", "layers", i->layers);
    if (st == STATUS_OK) st = hdf5_put_number(w, "/", "stride", H5T_NATIVE_INT, &i->stride);
    if (st == STATUS_OK) st = hdf5_put_number(w, "/", "key", H5T_NATIVE_UINT64, &i->key);
    if (st == STATUS_OK) st = hdf5_put_number(w, "/", "checksum", H5T_NATIVE_UINT64, &sum);
    if (st == STATUS_OK) st = hdf5_group(w, "/features");
    if (st == STATUS_OK) st = hdf5_make(w, &data);
    if (st == STATUS_OK) st = hdf5_write(w, &data, mine->rows);
    return st == STATUS_OK ? image_table_write(w, "/features", t) : st;
}

status features_write(const comm *c, const char *path, const feature_block *b,
    const char *const *names, int64_t count, const char *layers, int stride, uint64_t key) {
    char temporary[FILE_PATH];
    features_info info = {.d = b->rows.d, .type = b->rows.type, .stride = stride, .key = key};
    image_part mine = {b->first, b->images, b->height, b->width, b->rows.data, row_bytes(&info)};
    image_table t = {0};
    hdf5_writer w = {.file = H5I_INVALID_HID};
    if (strlen(layers) >= sizeof info.layers) log_warn("%s: list of layers cut short", path);
    strncpy(info.layers, layers, sizeof info.layers - 1);
    status st = comm_agree(c, file_temporary(temporary, path));
    if (st == STATUS_OK) st = image_table_gather(c, &mine, count, names, &t);
    if (st != STATUS_OK) return st;
    st = hdf5_create(&w, c, temporary);
    if (st == STATUS_OK) st = write_file(&w, &info, &t, &mine);
    status closed = hdf5_close(&w);
    if (st == STATUS_OK) st = closed;
    if (comm_root(c) && st == STATUS_OK)
        st = file_publish(temporary, path);
    else if (comm_root(c))
        unlink(temporary);
    image_table_destroy(&t);
    return comm_agree(c, st);
}

static status damaged(const char *path, const char *what) {
    log_error("%s: damaged: %s", path, what);
    return STATUS_OUTPUT;
}

const char *features_dtype_name(dtype t) {
    return t == DTYPE_BF16 ? "bf16" : "float32";
}

static status read_attributes(hid_t file, const char *path, head *h) {
    char format[TEXT], type[TEXT];
    features_info *i = &h->info;
    status st = hdf5_get_text(file, path, "format", format, sizeof format);
    if (st == STATUS_OK && strcmp(format, FORMAT) != 0) {
        log_error("%s: format \"%s\", not \"" FORMAT "\"", path, format);
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
    if (st == STATUS_OK) st = hdf5_shape(file, path, "/features/data", &rows, &columns);
    if (st == STATUS_OK && columns > INT_MAX) st = damaged(path, "dimension of the features");
    if (st == STATUS_OK) st = image_table_read(file, path, "/features", rows, &table);
    if (st == STATUS_OK) st = hdf5_offset(file, path, "/features/data", &h->data);
    H5Fclose(file);
    if (st == STATUS_OK) {
        h->info.d = (int)columns;
        h->info.images = table.count;
        h->info.rows = rows;
        if (checksum(&h->info, &table) != h->checksum)
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
    uint64_t bytes, begin = t->offset[first], size = row_bytes(&h->info);
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

static status read_block(const char *path, const head *h, const image_table *t, feature_block *b) {
    size_t rows = t->offset[b->first + b->images] - t->offset[b->first];
    b->rows = (features){.n = rows, .d = h->info.d, .type = h->info.type};
    b->rows.data = memory_alloc(rows, row_bytes(&h->info), "features");
    b->height = memory_alloc((size_t)b->images, sizeof *b->height, "features");
    b->width = memory_alloc((size_t)b->images, sizeof *b->width, "features");
    if (!b->rows.data || !b->height || !b->width) return STATUS_FAILED;
    for (int64_t k = 0; k < b->images; k++) {
        b->height[k] = (int)t->shape[2 * (b->first + k)];
        b->width[k] = (int)t->shape[2 * (b->first + k) + 1];
    }
    return read_rows(path, h, t, b->first, b->images, b->rows.data);
}

status features_read(const comm *c, const char *path, uint64_t key, feature_block *out) {
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
        st = comm_agree(c, read_block(path, &h, &t, &b));
    }
    image_table_destroy(&t);
    if (st == STATUS_OK)
        *out = b;
    else
        feature_block_destroy(&b);
    return st;
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
        void *data = memory_alloc(t.offset[i + 1] - t.offset[i], row_bytes(&h.info), "features");
        status one = data ? read_rows(path, &h, &t, i, 1, data) : STATUS_FAILED;
        memory_free(data);
        if (one != STATUS_OK) worst = one;
    }
    image_table_destroy(&t);
    return worst;
}
