/* Centroids that a user gives: those of another labelling, or a matrix that another program has
 * written. Rank 0 reads and judges them; the others learn of its judgement before they wait for the
 * data. A file in labels.h5's form gives its centroids alone. What they were made with (method,
 * data set) is not asked: only the form must fit. */
#include "src/app/clusters/cluster_start.h"

#include "io/files/npy.h"
#include "io/hdf5/labels.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/text.h"

#include <string.h>

/* The contents, not the name: another file under the same name is another start. */
status cluster_start_hash(const comm *c, const settings *s, uint64_t *hash) {
    *hash = 0;
    status st = STATUS_OK;
    if (s->cluster.start[0] && comm_root(c)) st = file_hash(s->cluster.start, hash);
    comm_broadcast(c, hash, sizeof *hash);
    return comm_agree(c, st);
}

/* Both numbers, as either may be the one that is wrong. */
static status refuse(const char *path, size_t have_k, size_t have_d, size_t k, size_t d) {
    log_error("%s: %zu centroids of %zu dimensions; needed are k = %zu of the rows' %zu", path,
        have_k, have_d, k, d);
    return STATUS_DATA;
}

/* Rank 0's part: *out [k, d], owned by the caller. labels_open is collective elsewhere: without a
 * communicator one rank may call it. */
static status read_centroids(const char *path, size_t k, size_t d, float **out) {
    size_t rows, columns;
    float *data = NULL;
    /* By its name, as an HDF5 file says nothing of .npy and the other way round. */
    if (text_ends_with(path, ".npy")) {
        status st = npy_read_f32(path, &data, &rows, &columns);
        if (st != STATUS_OK) return st;
    } else {
        labels *l;
        status st = labels_open(NULL, path, &l);
        if (st != STATUS_OK) return st;
        rows = (size_t)labels_about(l).k;
        columns = (size_t)labels_about(l).d;
        data = memory_alloc(rows * columns, sizeof *data, "initial centroids");
        if (data) memcpy(data, labels_about(l).centroids, rows * columns * sizeof *data);
        labels_close(l);
        if (!data) return STATUS_FAILED;
    }
    if (rows == k && columns == d) {
        *out = data;
        return STATUS_OK;
    }
    memory_free(data);
    return refuse(path, rows, columns, k, d);
}

/* Every rank has memory before the data come. Collective. */
status cluster_start_file(const comm *c, const char *path, int k, int d, float **centroids) {
    size_t words = (size_t)k * (size_t)d;
    float *data = NULL;
    status st = STATUS_OK;
    if (comm_root(c)) {
        st = read_centroids(path, (size_t)k, (size_t)d, &data);
    } else {
        data = memory_alloc(words, sizeof *data, "initial centroids");
        if (!data) st = STATUS_FAILED;
    }
    st = comm_agree(c, st);
    if (st != STATUS_OK) {
        memory_free(data);
        return st;
    }
    comm_broadcast(c, data, words * sizeof *data);
    *centroids = data;
    log_info("k-means: starts from the centroids of %s", path);
    return STATUS_OK;
}

/* NULL where the settings name no file. */
status cluster_start_read(const comm *c, const settings *s, int d, float **centroids) {
    *centroids = NULL;
    if (!s->cluster.start[0]) return STATUS_OK;
    return cluster_start_file(c, s->cluster.start, s->cluster.k, d, centroids);
}
