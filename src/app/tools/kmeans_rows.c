/* A matrix' rows in the terms of the clustering, which knows rows of images. Blocks of 256 rows
 * stand for images, whatever the number of ranks: a start's sample, which is drawn image by image,
 * is then the same for any of them. A rank has a contiguous run of blocks. */
#include "src/app/tools/kmeans_rows.h"

#include "mpi/features_place.h"
#include "mpi/ranks_where.h"
#include "mpi/shard.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/unit_length.h"

enum { BLOCK = 256 }; /* rows: the samples of starts are drawn by blocks */

/* This rank's blocks, all full but the last of the file. */
static status create_blocks(const comm *c, const matrix_info *m, features *x) {
    int64_t blocks = (m->rows + BLOCK - 1) / BLOCK;
    x->d = (int)m->d;
    x->type = DTYPE_F32;
    x->first = shard_begin(blocks, comm_rank(c), comm_size(c));
    x->images = shard_begin(blocks, comm_rank(c) + 1, comm_size(c)) - x->first;
    if (features_create_shapes(x) != STATUS_OK) return STATUS_FAILED;
    for (int64_t i = 0; i < x->images; i++) {
        int64_t left = m->rows - (x->first + i) * BLOCK;
        x->height[i] = left < BLOCK ? (int)left : BLOCK;
        x->width[i] = 1;
        x->n += features_image_rows(x, i);
    }
    return STATUS_OK;
}

/* The rows themselves, mapped or read. A rank without rows maps nothing. */
static status take(const char *path, const matrix_info *m, bool map, features *x) {
    int64_t first = x->first * BLOCK, n = (int64_t)x->n;
    if (map && n > 0) {
        float *rows = NULL;
        status st = matrix_map(path, m, first, n, &x->mapping, &x->mapping_bytes, &rows);
        x->data = rows;
        x->mapped = st == STATUS_OK;
        return st;
    }
    x->data = memory_alloc(x->n, features_row_bytes(x), "rows");
    return x->data ? matrix_read(path, m, first, n, x->data) : STATUS_FAILED;
}

static status check(const char *path, const features *x, int threads) {
    int64_t bad;
    features_largest(x, threads, &bad);
    if (bad < 0) return STATUS_OK;
    log_error("%s: row %lld: an element is not finite, or beyond 2^%d", path,
        (long long)(x->first * BLOCK + bad), FEATURES_LARGE);
    return STATUS_NONFINITE;
}

/* Hashes of blocks are added in two halves, whose sums cannot overflow: the order of ranks and
 * threads does not matter. A block's number is part of its hash: rows that have changed places are
 * another matrix. Collective. */
static uint64_t hash_rows(const comm *c, const matrix_info *m, const features *x, int threads) {
    int64_t low = 0, high = 0;
    size_t bytes = features_row_bytes(x);
#pragma omp parallel for num_threads(threads) reduction(+ : low, high)
    for (int64_t i = 0; i < x->images; i++) {
        uint64_t at = (uint64_t)(x->first + i);
        size_t row = (size_t)i * BLOCK, n = features_image_rows(x, i);
        uint64_t h =
            hash_append(hash_bytes(&at, sizeof at), (const char *)x->data + row * bytes, n * bytes);
        low += (int64_t)(h & UINT32_MAX);
        high += (int64_t)(h >> 32);
        features_passed(x, row, n);
    }
    features_release(x, 0, x->n);
    int64_t all[] = {low, high};
    comm_sum_i64(c, all, 2);
    const int64_t whole[] = {m->rows, m->d, all[0], all[1]};
    return hash_bytes(whole, sizeof whole);
}

/* Rows that have length 1 already stay as they are. A row of zeros has no direction: it is as far
 * from every centroid. Collective. */
static void bring_to_length(const comm *c, const char *path, features *x, int threads) {
    size_t d = (size_t)x->d;
    int64_t zeros = 0;
#pragma omp parallel for num_threads(threads) reduction(+ : zeros)
    for (size_t i = 0; i < x->n; i++) {
        float *row = (float *)x->data + i * d;
        zeros += unit_length_of(row, x->d) <= 0;
        unit_length_others(row, 1, x->d, UNIT_LENGTH_F32);
    }
    comm_sum_i64(c, &zeros, 1);
    if (zeros > 0 && comm_root(c))
        log_warn("%s: %lld rows are zeros and have no direction", path, (long long)zeros);
}

/* Each rank reads rows of its own: from a file that is not rank 0's they would be another matrix'.
 * Collective. */
static status same_file(const comm *c, const char *path) {
    uint64_t mine = 0;
    status st = comm_agree(c, matrix_glance(path, &mine));
    if (st != STATUS_OK) return st;
    ranks_where w = ranks_where_other(c, mine);
    if (w.count == 0) return STATUS_OK;
    if (w.lowest == comm_rank(c))
        log_error(
            "%s: the file on %s, is not that of rank 0: all ranks need the same one", path, w.text);
    return STATUS_USAGE;
}

/* One rank looks what the file holds; each then reads its own rows. */
status kmeans_rows_look(const comm *c, const char *path, bool map, matrix_info *m) {
    status st = comm_root(c) ? matrix_about(path, m) : STATUS_OK;
    if (comm_root(c) && st == STATUS_OK && m->d > FEATURES_D) {
        log_error(
            "%s: rows of %lld elements; at most %d are taken", path, (long long)m->d, FEATURES_D);
        st = STATUS_DATA;
    }
    if (comm_root(c) && st == STATUS_OK && map && !matrix_plain(m)) {
        log_error("%s: --memory map: only rows of float32 that stand one after the other, from a "
                  "multiple of 4 bytes on, can stay in the file (.npy, .fbin)",
            path);
        st = STATUS_USAGE;
    }
    st = comm_agree(c, st);
    comm_broadcast(c, m, sizeof *m);
    return st == STATUS_OK ? same_file(c, path) : st;
}

status kmeans_rows_take(const comm *c, const char *path, const matrix_info *m,
    const kmeans_rows_options *o, kmeans_rows *out) {
    kmeans_rows r = {.m = *m};
    status st = create_blocks(c, &r.m, &r.x);
    if (st == STATUS_OK) st = take(path, &r.m, o->map, &r.x);
    if (st == STATUS_OK) st = check(path, &r.x, o->threads);
    st = comm_agree(c, st);
    if (st == STATUS_OK) {
        features_place(c, &r.x);
        r.hash = hash_rows(c, &r.m, &r.x, o->threads);
        if (o->cosine) bring_to_length(c, path, &r.x, o->threads);
        *out = r;
    } else {
        kmeans_rows_destroy(&r);
    }
    return st;
}

void kmeans_rows_destroy(kmeans_rows *r) {
    features_destroy(&r->x);
}

status kmeans_rows_first(
    const comm *c, const char *path, const kmeans_rows *r, int k, float **out) {
    size_t words = (size_t)k * (size_t)r->m.d;
    float *rows = memory_alloc(words, sizeof *rows, "initial centroids");
    status st = rows ? STATUS_OK : STATUS_FAILED;
    if (st == STATUS_OK && comm_root(c)) st = matrix_read(path, &r->m, 0, k, rows);
    st = comm_agree(c, st);
    if (st != STATUS_OK) {
        memory_free(rows);
        return st;
    }
    comm_broadcast(c, rows, words * sizeof *rows);
    *out = rows;
    return STATUS_OK;
}
