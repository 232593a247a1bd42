/* Rows of images of different sizes for tests of distributed k-means, and a rank's part of them. */
#ifndef AUXSEG_TESTS_MPI_KMEANS_DATA_H
#define AUXSEG_TESTS_MPI_KMEANS_DATA_H

#include "mpi/kmeans.h"
#include "mpi/shard.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/base/unit_length.h"

#include <stdlib.h>

enum { DATA_IMAGES = 9, DATA_D = 13, DATA_CENTRES = 8 };

typedef struct data {
    int64_t rows[DATA_IMAGES], n;
    float *x; /* [n, D] */
} data;

/* Rows of length 1 around eight centres; one image has none. */
static inline data data_create(void) {
    data s = {.rows = {90, 1, 0, 131, 64, 17, 200, 48, 99}};
    float centre[DATA_CENTRES * DATA_D];
    random_stream r = random_begin(11, RANDOM_SYNTH, 0, 0);
    for (int i = 0; i < DATA_CENTRES * DATA_D; i++) centre[i] = (float)random_normal(&r);
    for (int i = 0; i < DATA_IMAGES; i++) s.n += s.rows[i];
    s.x = memory_alloc((size_t)s.n * DATA_D, sizeof *s.x, "rows");
    if (!s.x) abort();
    for (int64_t i = 0; i < s.n; i++) {
        uint64_t from = random_below(&r, DATA_CENTRES) * DATA_D;
        for (int j = 0; j < DATA_D; j++)
            s.x[i * DATA_D + j] = centre[from + (uint64_t)j] + (float)(0.8 * random_normal(&r));
    }
    unit_length_rows(s.x, (size_t)s.n, DATA_D);
    return s;
}

/* A rank's images begin .. begin + images - 1; row: its first one. */
typedef struct part {
    int64_t begin, images, row;
    features x;
} part;

static inline part part_of(const data *s, int rank, int size) {
    part p = {.begin = shard_begin(DATA_IMAGES, rank, size)};
    p.images = shard_begin(DATA_IMAGES, rank + 1, size) - p.begin;
    p.x = (features){.d = DATA_D, .type = DTYPE_F32};
    for (int64_t i = 0; i < p.begin; i++) p.row += s->rows[i];
    for (int64_t i = p.begin; i < p.begin + p.images; i++) p.x.n += (size_t)s->rows[i];
    p.x.data = s->x + p.row * DATA_D;
    return p;
}

static inline void result_destroy(kmeans_result *r) {
    memory_free(r->centroids);
    memory_free(r->label);
    memory_free(r->distance);
}

#endif
