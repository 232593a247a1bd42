/* Which centroids share a panel. Pruning excludes groups of panels as a whole, so a panel should
 * hold neighbours: then its fastest move and its nearest centroid say something of all of them.
 * Halving along the line between two far ones takes some K log K distances, little beside the n K
 * of a pass. Labels do not depend on the order. */
#include "src/base/memory.h"
#include "src/label/kmeans_screen.h"

#include <stdlib.h>

typedef struct place {
    double at; /* along the line */
    int centroid;
} place;

/* Ties by number: the order must be one, though any would be right. */
static int compare(const void *a, const void *b) {
    const place *x = a, *y = b;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    return (x->centroid > y->centroid) - (x->centroid < y->centroid);
}

/* The first of the farthest. */
static int farthest(const place *p, int count, const float *c, int d, const float *from) {
    double most = -1;
    int best = p[0].centroid;
    for (int i = 0; i < count; i++) {
        double distance = kmeans_distance(c + (size_t)p[i].centroid * (size_t)d, from, d);
        if (distance > most) most = distance, best = p[i].centroid;
    }
    return best;
}

/* Whole panels on the left, so that panels are full but for the last. */
static void halve(place *p, int count, const float *c, int d) {
    if (count <= PRODUCT_PANEL) return;
    const float *u =
        c + (size_t)farthest(p, count, c, d, c + (size_t)p[0].centroid * (size_t)d) * (size_t)d;
    const float *v = c + (size_t)farthest(p, count, c, d, u) * (size_t)d;
    for (int i = 0; i < count; i++) {
        const float *x = c + (size_t)p[i].centroid * (size_t)d;
        p[i].at = kmeans_distance(x, u, d) - kmeans_distance(x, v, d);
    }
    qsort(p, (size_t)count, sizeof *p, compare);
    int panels = (count + PRODUCT_PANEL - 1) / PRODUCT_PANEL, left = panels / 2 * PRODUCT_PANEL;
    halve(p, left, c, d);
    halve(p + left, count - left, c, d);
}

status screen_panel_order(const float *c, int k, int d, int *order) {
    place *p = memory_alloc((size_t)k, sizeof *p, "order of centroids");
    if (!p) return STATUS_FAILED;
    for (int a = 0; a < k; a++) p[a] = (place){0, a};
    halve(p, k, c, d);
    for (int a = 0; a < k; a++) order[a] = p[a].centroid;
    memory_free(p);
    return STATUS_OK;
}
