/* Parts of the assigner of kmeans.h, for kmeans_assign.c, kmeans_dense.c and kmeans_pruned.c alone.
 */
#ifndef AUXSEG_LABEL_KMEANS_ASSIGNER_H
#define AUXSEG_LABEL_KMEANS_ASSIGNER_H

#include "src/label/kmeans_bounds.h"

/* One thread's memory. */
typedef struct worker {
    uint32_t *tile;      /* [slices, PRODUCT_ROWS, PRODUCT_STRIDE] */
    product_word *block; /* [PRODUCT_ROWS, PRODUCT_WIDTH] */
    float *score;        /* [PRODUCT_ROWS, columns]: p */
    float *near;         /* [columns]: of kept columns */
    float *least;        /* [PRODUCT_ROWS, PANEL]: the least p, lane by lane */
    float *length;       /* [panels, rounded up] */
    uint32_t *gathered;  /* [GATHER, steps] */
    int *kept;           /* [DENSE_AHEAD, columns] */
    float *scratch;      /* [D] */
    /* pruned: a block's rows, and which groups they must see */
    uint16_t *open;   /* [PRUNED_ROWS]: the rows that are not settled */
    float *best;      /* [PRUNED_ROWS]: kmeans_near of the label so far */
    float *limit;     /* [PRUNED_ROWS]: no centroid with p - e beyond it is the label, nor ties */
    int32_t *begin;   /* [groups + 1] */
    uint32_t *visit;  /* [PRUNED_VISITS]: row << 16 | group, as they come */
    uint16_t *sorted; /* [PRUNED_VISITS]: rows, group by group */
} worker;

enum { DENSE_AHEAD = 6, PRUNED_ROWS = 1024, PRUNED_VISITS = PRUNED_ROWS * 32 };

struct kmeans_assigner {
    kmeans_assigner_options o;
    const features *x;
    screen_rows rows;
    screen_panels panels;
    bounds bounds;
    bool bounded, sampled; /* the bounds of all rows, or of a sample, hold for `centroids` */
    double dense_seconds;  /* of the last dense pass */
    double visit_seconds;  /* of the last pruned pass, by its share of visits; 0: none yet */
    float *centroids;      /* [K, D]: of the last assignment, if bounded */
    const float *c;        /* [K, D]: of this assignment */
    uint16_t *label;       /* [n]: the caller's */
    worker *workers;       /* [threads] */
    float near_error;      /* relative, of kmeans_near */
};

/* Every row against every centroid; sets the bounds of each `every`th row anew (0: of none). */
void assign_dense(kmeans_assigner *a, size_t every, kmeans_counts *counts);
/* Only what the bounds, which must hold for a->c, do not exclude. */
void assign_pruned(kmeans_assigner *a, kmeans_counts *counts);
/* Rows of one block. */
int pruned_rows(int groups);
/* The share of (row, group) pairs that a pruned pass would visit, by the bounds of each
 * pruned_sample(n)th row. */
size_t pruned_sample(size_t n);
double pruned_share(const kmeans_assigner *a);

/* Row i's stored bytes, soon to be read. Always inlined: GCC 12 takes a function that does nothing
 * but prefetch for one without effect, and drops calls of it. */
static inline __attribute__((always_inline)) void fetch_row(const features *x, size_t i) {
    size_t bytes = (size_t)x->d * dtype_size(x->type);
    const char *at = (const char *)x->data + i * bytes;
    for (size_t j = 0; j < bytes; j += 64) __builtin_prefetch(at + j, 0, 2);
}

/* The defining distance of a row [D] to centroid j. */
static inline double assigner_distance(const kmeans_assigner *a, const float *row, int j) {
    return kmeans_distance(row, a->c + (size_t)j * (size_t)a->x->d, a->x->d);
}
/* The second screen: the same in float32. */
static inline float assigner_near(const kmeans_assigner *a, const float *row, int j) {
    return kmeans_near(row, a->c + (size_t)j * (size_t)a->x->d, a->x->d);
}
/* Squared lengths that a centroid at `near` is within and beyond, as real numbers; 2^-37 is more
 * than the defining distance can be off. */
static inline double assigner_within(const kmeans_assigner *a, float near) {
    return ((double)near + (double)KMEANS_NEAR_LEAST) *
           (1 + (double)a->near_error * (1 + 0x1p-8) + 0x1p-37);
}
static inline double assigner_beyond(const kmeans_assigner *a, float near) {
    double square =
        (double)near * (1 - (double)a->near_error - 0x1p-37) - (double)KMEANS_NEAR_LEAST;
    return square > 0 ? square : 0;
}

#endif
