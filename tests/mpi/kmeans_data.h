/* Rows of images of different sizes for tests of distributed k-means, and a rank's part of them. */
#ifndef AUXSEG_TESTS_MPI_KMEANS_DATA_H
#define AUXSEG_TESTS_MPI_KMEANS_DATA_H

#include "mpi/features_place.h"
#include "mpi/kmeans.h"
#include "mpi/shard.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/base/unit_length.h"

#include <stdlib.h>

enum { DATA_IMAGES = 9, DATA_D = 13, DATA_CENTRES = 8 };

typedef struct data {
    int height[DATA_IMAGES], width[DATA_IMAGES];
    int64_t n;
    float *x; /* [n, D] */
} data;

/* Rows of length 1 around eight centres; one image has none. */
static inline data data_create(void) {
    data s = {.height = {90, 1, 0, 131, 16, 17, 1, 48, 33}, .width = {1, 1, 7, 1, 4, 1, 200, 1, 3}};
    float centre[DATA_CENTRES * DATA_D];
    random_stream r = random_begin(11, RANDOM_SYNTH, 0, 0);
    for (int i = 0; i < DATA_CENTRES * DATA_D; i++) centre[i] = (float)random_normal(&r);
    for (int i = 0; i < DATA_IMAGES; i++) s.n += s.height[i] * s.width[i];
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

/* This rank's shard of the images, borrowed. Collective. */
static inline features part_of(data *s, const comm *c) {
    features x = {.d = DATA_D, .type = DTYPE_F32};
    x.first = shard_begin(DATA_IMAGES, comm_rank(c), comm_size(c));
    x.images = shard_begin(DATA_IMAGES, comm_rank(c) + 1, comm_size(c)) - x.first;
    x.height = s->height + x.first;
    x.width = s->width + x.first;
    for (int64_t i = 0; i < x.images; i++) x.n += features_image_rows(&x, i);
    features_place(c, &x);
    x.data = s->x + x.before * DATA_D;
    return x;
}

static inline void result_destroy(kmeans_result *r) {
    memory_free(r->centroids);
    memory_free(r->label);
    memory_free(r->distance);
}

#endif
