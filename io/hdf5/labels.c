/* labels.h5: maps are written by all ranks together, and read image by image with pread. Each map
 * is checked every time that it is read, since a damaged label would train the network without a
 * sign. The checksum covers everything that the file holds. */
#include "io/hdf5/labels.h"

#include "io/files/file.h"
#include "io/hdf5/image_table.h"
#include "io/hdf5/labels_typical.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FORMAT "auxseg labels 1"
enum { TEXT = 32 };

/* What rank 0 reads beside the table, in one piece for the others. */
typedef struct head {
    labels_info info; /* arrays and texts: see point_to_own */
    char method[TEXT], metric[TEXT];
    int64_t data; /* where /labels/data begins in the file */
    uint64_t checksum;
} head;

struct labels {
    char *path;
    int fd;
    head h;
    float *centroids;       /* [K, D] */
    typical_pixel *typical; /* [K, TYPICAL] or NULL */
    image_table table;
};

/* Of everything in the file: the images' pixels by their hashes. */
static uint64_t checksum(const labels_info *i, const image_table *t) {
    const int64_t whole[] = {i->k, i->d, i->iterations, (int64_t)i->dataset};
    const double real[] = {i->objective, i->outlier_threshold};
    uint64_t h = hash_bytes(whole, sizeof whole);
    h = hash_append(h, real, sizeof real);
    h = hash_append(h, i->method, strlen(i->method) + 1);
    h = hash_append(h, i->metric, strlen(i->metric) + 1);
    h = hash_append(h, i->centroids, (size_t)i->k * (size_t)i->d * sizeof *i->centroids);
    if (i->typical) h = hash_append(h, i->typical, (size_t)i->k * TYPICAL * sizeof *i->typical);
    return image_table_hash(t, h);
}

/* What the file says of itself, so that it can be understood without the run that made it. */
static status write_attributes(hdf5_writer *w, const labels_info *i, uint64_t sum) {
    const int32_t ignore = LABEL_IGNORE;
    const struct {
        const char *name;
        hid_t type;
        const void *value;
    } number[] = {{"k", H5T_NATIVE_INT, &i->k}, {"ignore", H5T_NATIVE_INT32, &ignore},
        {"iterations", H5T_NATIVE_INT, &i->iterations},
        {"objective", H5T_NATIVE_DOUBLE, &i->objective},
        {"outlier_threshold", H5T_NATIVE_DOUBLE, &i->outlier_threshold},
        {"dataset", H5T_NATIVE_UINT64, &i->dataset}, {"checksum", H5T_NATIVE_UINT64, &sum}};
    status st = hdf5_put_text(w, "/", "format", FORMAT);
    if (st == STATUS_OK) st = hdf5_put_text(w, "/", "method", i->method);
    if (st == STATUS_OK) st = hdf5_put_text(w, "/", "metric", i->metric);
    for (size_t n = 0; st == STATUS_OK && n < sizeof number / sizeof *number; n++)
        st = hdf5_put_number(w, "/", number[n].name, number[n].type, number[n].value);
    return st;
}

/* This rank's pixels and, from rank 0, the rest: small beside the pixels, and known to every rank.
 */
static status write_arrays(hdf5_writer *w, const labels_info *i, const image_table *t,
    const features *x, const uint16_t *label) {
    hsize_t k = (hsize_t)i->k, d = (hsize_t)i->d, first = t->offset[x->first];
    hdf5_rows data = {"/labels/data", H5T_NATIVE_UINT16, t->offset[t->count], 0, first, x->n, 0};
    hdf5_rows centre = {"/centroids", H5T_NATIVE_FLOAT, k, d, 0, 0, 0};
    status st = hdf5_group(w, "/labels");
    if (st == STATUS_OK) st = hdf5_make(w, &data);
    if (st == STATUS_OK) st = hdf5_write(w, &data, label);
    if (st == STATUS_OK) st = image_table_write(w, "/labels", t);
    if (st == STATUS_OK) st = hdf5_put(w, &centre, i->centroids);
    if (st == STATUS_OK && i->typical) st = labels_typical_write(w, i->typical, i->k);
    return st;
}

/* Hashes first: the checksum is an attribute, and attributes come before arrays. The file takes
 * its name when all ranks have closed it. */
status labels_write(const comm *c, const char *path, const labels_info *info, const features *x,
    const uint16_t *label, uint64_t *hash) {
    char temporary[FILE_PATH];
    image_table t = {0};
    hdf5_writer w = HDF5_WRITER_NONE;
    assert(strlen(info->method) < TEXT && strlen(info->metric) < TEXT);
    status st = comm_agree(c, file_temporary(temporary, path));
    if (st == STATUS_OK) st = image_table_gather(c, x, info->images, info->names, &t);
    if (st != STATUS_OK) return st;
    image_table_set_hashes(&t, x->first, x->images, label, sizeof *label);
    image_table_share_hashes(c, &t);
    uint64_t sum = checksum(info, &t);
    comm_same(c, "checksum of the labels", sum);
    st = hdf5_create(&w, c, temporary);
    if (st == STATUS_OK) st = write_attributes(&w, info, sum);
    if (st == STATUS_OK) st = write_arrays(&w, info, &t, x, label);
    st = hdf5_close(&w, st);
    if (comm_root(c) && st == STATUS_OK)
        st = file_publish(temporary, path);
    else if (comm_root(c))
        unlink(temporary);
    st = comm_agree(c, st);
    image_table_destroy(&t);
    if (st == STATUS_OK && hash) *hash = sum;
    return st;
}

/* A file of the run, which the stage can make again: another status than bad input. */
static status damaged(const char *path, const char *what) {
    log_error("%s: damaged: %s", path, what);
    return STATUS_OUTPUT;
}

/* The same list the other way. Another format is another version's file: bad input, not damage. */
static status read_attributes(hid_t file, const char *path, head *h) {
    char format[TEXT];
    labels_info *i = &h->info;
    const struct {
        const char *name;
        hid_t type;
        void *value;
    } number[] = {{"k", H5T_NATIVE_INT, &i->k}, {"iterations", H5T_NATIVE_INT, &i->iterations},
        {"objective", H5T_NATIVE_DOUBLE, &i->objective},
        {"outlier_threshold", H5T_NATIVE_DOUBLE, &i->outlier_threshold},
        {"dataset", H5T_NATIVE_UINT64, &i->dataset}, {"checksum", H5T_NATIVE_UINT64, &h->checksum}};
    status st = hdf5_get_text(file, path, "format", format, sizeof format);
    if (st != STATUS_OK) return st;
    if (strcmp(format, FORMAT) != 0) {
        log_error("%s: format \"%s\", not \"" FORMAT "\"", path, format);
        return STATUS_DATA;
    }
    st = hdf5_get_text(file, path, "method", h->method, sizeof h->method);
    if (st == STATUS_OK) st = hdf5_get_text(file, path, "metric", h->metric, sizeof h->metric);
    for (size_t n = 0; st == STATUS_OK && n < sizeof number / sizeof *number; n++)
        st = hdf5_get_number(file, path, "/", number[n].name, number[n].type, number[n].value);
    return st;
}

/* [K, D], owned by l. K is looked at before memory is taken for it. */
static status read_centroids(hid_t file, labels *l) {
    hsize_t k, d;
    labels_info *i = &l->h.info;
    status st = hdf5_shape(file, l->path, "/centroids", &k, &d);
    if (st != STATUS_OK) return st;
    if (i->k < 0 || i->k > LABEL_IGNORE || k != (hsize_t)i->k || d > INT32_MAX)
        return damaged(l->path, "k and the shape of /centroids disagree");
    i->d = (int)d;
    l->centroids = memory_alloc((size_t)k * (size_t)d, sizeof *l->centroids, "centroids");
    if (!l->centroids) return STATUS_FAILED;
    return hdf5_get(file, l->path, "/centroids", H5T_NATIVE_FLOAT, l->centroids);
}

/* What l->h.info points to is l's own: after reading, and again after rank 0's came to all. */
static void point_to_own(labels *l) {
    labels_info *i = &l->h.info;
    i->method = l->h.method;
    i->metric = l->h.metric;
    i->centroids = l->centroids;
    i->typical = l->typical;
    i->images = l->table.count;
    i->names = l->table.name;
}

/* Rank 0's part of opening: everything but the pixels, which are read when they are asked for,
 * image by image. */
static status read_tables(labels *l) {
    hid_t file;
    hsize_t rows, columns;
    head *h = &l->h;
    status st = hdf5_open(&file, l->path);
    if (st != STATUS_OK) return st;
    st = read_attributes(file, l->path, h);
    if (st == STATUS_OK) st = read_centroids(file, l);
    if (st == STATUS_OK) st = labels_typical_read(file, l->path, h->info.k, &l->typical);
    if (st == STATUS_OK) st = hdf5_shape(file, l->path, "/labels/data", &rows, &columns);
    if (st == STATUS_OK && columns != 1) st = damaged(l->path, "/labels/data has two dimensions");
    if (st == STATUS_OK) st = image_table_read(file, l->path, "/labels", rows, &l->table);
    if (st == STATUS_OK)
        st = hdf5_offset(file, l->path, "/labels/data", H5T_NATIVE_UINT16, &h->data);
    H5Fclose(file);
    point_to_own(l);
    if (st == STATUS_OK && checksum(&h->info, &l->table) != h->checksum)
        st = damaged(l->path, "the checksum of its tables differs");
    return st;
}

/* Rank 0's bytes at *x to all, which own them from then on. Memory is agreed upon before anything
 * is sent. */
static status share_block(const comm *c, void **x, size_t bytes) {
    if (!comm_root(c)) *x = memory_alloc(bytes, 1, "centroids");
    status st = comm_agree(c, *x ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK) comm_broadcast(c, *x, bytes);
    return st;
}

/* What rank 0 has read becomes everyone's. Pointers that travel with the head mean nothing
 * elsewhere and are set anew. */
static status share(const comm *c, labels *l) {
    head *h = &l->h;
    void *centroids = l->centroids, *typical = l->typical;
    status st = image_table_share(c, &l->table);
    if (st != STATUS_OK) return st;
    comm_broadcast(c, h, sizeof *h);
    size_t k = (size_t)h->info.k;
    st = share_block(c, &centroids, k * (size_t)h->info.d * sizeof *l->centroids);
    l->centroids = centroids;
    /* Rank 0's pointer says whether there are any. */
    if (st == STATUS_OK && h->info.typical)
        st = share_block(c, &typical, k * TYPICAL * sizeof *l->typical);
    l->typical = typical;
    point_to_own(l);
    return st;
}

/* Every rank opens the file for its own reads, after rank 0 has found it whole. */
status labels_open(const comm *c, const char *path, labels **out) {
    uint64_t bytes;
    labels *l = memory_alloc(1, sizeof *l, "labels");
    if (l) l->fd = -1;
    if (l) l->path = strdup(path);
    status st = comm_agree(c, l && l->path ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK) st = comm_agree(c, comm_root(c) ? read_tables(l) : STATUS_OK);
    if (st == STATUS_OK) st = share(c, l);
    if (st == STATUS_OK) st = comm_agree(c, file_open(path, &l->fd, &bytes));
    if (st == STATUS_OK)
        *out = l;
    else
        labels_close(l);
    return st;
}

/* Also of one that was opened half. */
void labels_close(labels *l) {
    if (!l) return;
    if (l->fd >= 0) close(l->fd);
    image_table_destroy(&l->table);
    memory_free(l->centroids);
    memory_free(l->typical);
    free(l->path);
    memory_free(l);
}

/* What was read when the file was opened; none of these can fail. */
int labels_count(const labels *l) {
    return (int)l->table.count;
}

labels_info labels_about(const labels *l) {
    return l->h.info;
}

const char *labels_name(const labels *l, int i) {
    assert(i >= 0 && i < l->table.count);
    return l->table.name[i];
}

uint64_t labels_hash(const labels *l) {
    return l->h.checksum;
}

/* A label that is no cluster would index beyond arrays of K: it is damage, whatever the checksum
 * says. */
status labels_load(const labels *l, int i, labelmap *out) {
    assert(i >= 0 && i < l->table.count);
    const image_table *t = &l->table;
    labelmap m;
    status st = labelmap_create(&m, (int)t->shape[2 * i], (int)t->shape[2 * i + 1]);
    if (st != STATUS_OK) return st;
    size_t n = (size_t)m.height * (size_t)m.width;
    uint64_t at = (uint64_t)l->h.data + t->offset[i] * sizeof *m.data;
    st = file_read_at(l->fd, l->path, at, m.data, n * sizeof *m.data);
    if (st == STATUS_OK) st = image_table_check(t, i, m.data, sizeof *m.data, l->path);
    for (size_t p = 0; st == STATUS_OK && p < n; p++)
        if (m.data[p] >= l->h.info.k && m.data[p] != LABEL_IGNORE)
            st = damaged(l->path, "a label is not below k");
    if (st == STATUS_OK)
        *out = m;
    else
        labelmap_destroy(&m);
    return st;
}

/* Every image is looked at, also after a bad one: all of them are named. */
status labels_verify(const char *path) {
    labels *l;
    status st = labels_open(NULL, path, &l);
    if (st != STATUS_OK) return st;
    for (int i = 0; i < labels_count(l); i++) {
        labelmap m;
        status one = labels_load(l, i, &m);
        if (one == STATUS_OK)
            labelmap_destroy(&m);
        else
            st = one;
    }
    labels_close(l);
    return st;
}
