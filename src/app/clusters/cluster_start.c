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

#include <inttypes.h>
#include <string.h>

/* By its name, as an HDF5 file says nothing of .npy and the other way round. */
static bool is_npy(const char *path) {
    return text_ends_with(path, ".npy");
}

/* Both numbers, as either may be the one that is wrong. d = 0: any. */
static status fits(const char *path, uint64_t have_k, uint64_t have_d, int k, int d) {
    if (have_k == (uint64_t)k && (d == 0 || have_d == (uint64_t)d)) return STATUS_OK;
    if (d == 0)
        log_error("%s: %" PRIu64 " centroids of %" PRIu64 " dimensions; needed are k = %d", path,
            have_k, have_d, k);
    else
        log_error("%s: %" PRIu64 " centroids of %" PRIu64 " dimensions; needed are k = %d of the "
                  "rows' %d",
            path, have_k, have_d, k, d);
    return STATUS_DATA;
}

/* Rank 0's part. What else is wrong with a .npy is told by who reads it: numbers of any type, of
 * the right shape, are not many. */
static status look(const char *path, int k, int d) {
    npy_info about;
    labels *l;
    status st = is_npy(path) ? npy_about(path, &about) : labels_open(NULL, path, &l);
    if (st != STATUS_OK) return st;
    if (!is_npy(path)) {
        st = fits(path, (uint64_t)labels_about(l).k, (uint64_t)labels_about(l).d, k, d);
        labels_close(l);
        return st;
    }
    uint64_t rows = about.dimensions > 0 ? about.shape[0] : 1;
    return fits(path, rows, about.dimensions > 1 ? about.shape[1] : 1, k, d);
}

status cluster_start_look(const comm *c, const char *path, int k, int d) {
    return comm_agree(c, comm_root(c) ? look(path, k, d) : STATUS_OK);
}

/* The contents, not the name: another file under the same name is another start. */
status cluster_start_hash(const comm *c, const settings *s, uint64_t *hash) {
    *hash = 0;
    if (!s->cluster.start[0]) return STATUS_OK;
    status st = cluster_start_look(c, s->cluster.start, s->cluster.k, 0);
    if (st == STATUS_OK && comm_root(c)) st = file_hash(s->cluster.start, hash);
    comm_broadcast(c, hash, sizeof *hash);
    return comm_agree(c, st);
}

/* Rank 0's part: *out [k, d], owned by the caller. labels_open is collective elsewhere: without a
 * communicator one rank may call it. */
static status read_centroids(const char *path, int k, int d, float **out) {
    size_t rows, columns;
    float *data = NULL;
    status st = look(path, k, d);
    if (st != STATUS_OK) return st;
    if (is_npy(path)) {
        st = npy_read_f32(path, &data, &rows, &columns);
        if (st != STATUS_OK) return st;
    } else {
        labels *l;
        st = labels_open(NULL, path, &l);
        if (st != STATUS_OK) return st;
        rows = (size_t)labels_about(l).k;
        columns = (size_t)labels_about(l).d;
        data = memory_alloc(rows * columns, sizeof *data, "initial centroids");
        if (data) memcpy(data, labels_about(l).centroids, rows * columns * sizeof *data);
        labels_close(l);
        if (!data) return STATUS_FAILED;
    }
    /* Another file may have come under this name. */
    st = fits(path, rows, columns, k, d);
    if (st == STATUS_OK)
        *out = data;
    else
        memory_free(data);
    return st;
}

/* Every rank has memory before the data come. Collective. */
status cluster_start_file(const comm *c, const char *path, int k, int d, float **centroids) {
    size_t words = (size_t)k * (size_t)d;
    float *data = NULL;
    status st = STATUS_OK;
    if (comm_root(c)) {
        st = read_centroids(path, k, d, &data);
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
