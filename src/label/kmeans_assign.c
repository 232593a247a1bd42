#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/label/kmeans.h"
#include "src/label/kmeans_screen.h"

#include <omp.h>

typedef struct worker {
    screen_tile tile;
    float *scratch; /* [D] */
} worker;

typedef struct assignment {
    const features *x;
    const float *c;
    screen screen;
    uint16_t *label;
    float *distance;
} assignment;

/* Row i, the tile's r-th: the lowest of the nearest centroids among the kept ones. */
static void decide(const assignment *a, worker *w, size_t i, int r, kmeans_counts *counts) {
    size_t d = (size_t)a->x->d;
    const float *row = features_row(a->x, i, w->scratch);
    int kept = screen_keep(&a->screen, &w->tile, r), best = w->tile.kept[0];
    double least = kmeans_distance(row, a->c + (size_t)best * d, (int)d);
    for (int q = 1; q < kept; q++) {
        double distance = kmeans_distance(row, a->c + (size_t)w->tile.kept[q] * d, (int)d);
        if (distance < least) least = distance, best = w->tile.kept[q];
    }
    counts->kept += kept;
    counts->changed += a->label[i] != best;
    a->label[i] = (uint16_t)best;
    a->distance[i] = (float)least;
}

static void assign_tile(const assignment *a, worker *w, size_t first, kmeans_counts *counts) {
    size_t rest = a->x->n - first;
    int rows = rest < SCREEN_ROWS ? (int)rest : SCREEN_ROWS;
    for (int r = 0; r < rows; r++)
        screen_row(&a->screen, &w->tile, r, features_row(a->x, first + (size_t)r, w->scratch));
    screen_product(&a->screen, &w->tile);
    for (int r = 0; r < rows; r++) decide(a, w, first + (size_t)r, r, counts);
}

static void destroy_workers(worker *w, int workers) {
    for (int t = 0; w && t < workers; t++) {
        screen_tile_destroy(&w[t].tile);
        memory_free(w[t].scratch);
    }
    memory_free(w);
}

static worker *create_workers(const screen *s, int workers) {
    worker *w = memory_alloc((size_t)workers, sizeof *w, "k-means threads");
    for (int t = 0; w && t < workers; t++) {
        w[t].scratch = memory_alloc((size_t)s->d, sizeof *w[t].scratch, "a row");
        if (w[t].scratch && screen_tile_create(&w[t].tile, s) == STATUS_OK) continue;
        destroy_workers(w, workers);
        return NULL;
    }
    return w;
}

status kmeans_assign(const features *x, const float *c, int k, int threads, uint16_t *label,
    float *distance, kmeans_counts *counts) {
    assignment a = {.x = x, .c = c, .label = label, .distance = distance};
    worker *w = NULL;
    status st = screen_create(&a.screen, c, k, x->d);
    if (st == STATUS_OK) {
        w = create_workers(&a.screen, threads);
        st = w ? STATUS_OK : STATUS_FAILED;
    }
    if (st == STATUS_OK) {
        int64_t changed = 0, kept = 0, tiles = (int64_t)((x->n + SCREEN_ROWS - 1) / SCREEN_ROWS);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 4) reduction(+ : changed, kept)
        for (int64_t t = 0; t < tiles; t++) {
            kmeans_counts here = {0};
            assign_tile(&a, &w[omp_get_thread_num()], (size_t)t * SCREEN_ROWS, &here);
            changed += here.changed;
            kept += here.kept;
        }
        *counts = (kmeans_counts){changed, kept};
    }
    destroy_workers(w, threads);
    screen_destroy(&a.screen);
    return st;
}
