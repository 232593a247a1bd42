/* Lists of each cluster's nearest pixels. An image enters with one pixel a cluster, so that a list
 * shows eight images and not eight neighbours. The order is total: lists merge in any order to the
 * same. */
#include "src/label/typical.h"

#include "src/label/kmeans.h"

#include <math.h>
#include <stdbool.h>

static const typical_pixel none = {INFINITY, UINT32_MAX, UINT32_MAX};

int typical_is(const typical_pixel *p) {
    return p->image != UINT32_MAX;
}

void typical_clear(typical_pixel *list, int k) {
    for (size_t i = 0; i < (size_t)k * TYPICAL; i++) list[i] = none;
}

/* A total order: equal distances are common where images repeat. */
static bool before(const typical_pixel *a, const typical_pixel *b) {
    if (a->distance != b->distance) return a->distance < b->distance;
    return a->image != b->image ? a->image < b->image : a->pixel < b->pixel;
}

/* Into the list [P] of one cluster, in order; the last one drops out. */
static void insert(typical_pixel *list, typical_pixel p) {
    int at = TYPICAL;
    while (at > 0 && before(&p, &list[at - 1])) at--;
    if (at == TYPICAL) return;
    for (int i = TYPICAL - 1; i > at; i--) list[i] = list[i - 1];
    list[at] = p;
}

/* Two passes: an image's nearest of each cluster, then one entry for each cluster that it has. */
void typical_add(typical_pixel *list, uint32_t image, const uint16_t *label, const float *distance,
    size_t n, uint32_t *first) {
    /* first: 1 + the image's nearest pixel of each cluster, the first of equal ones. */
    for (size_t i = 0; i < n; i++) {
        if (label[i] == LABEL_NONE) continue;
        uint32_t *best = &first[label[i]];
        if (*best == 0 || distance[i] < distance[*best - 1]) *best = (uint32_t)i + 1;
    }
    for (size_t i = 0; i < n; i++) {
        if (label[i] == LABEL_NONE || first[label[i]] == 0) continue;
        uint32_t pixel = first[label[i]] - 1;
        insert(list + (size_t)label[i] * TYPICAL, (typical_pixel){distance[pixel], image, pixel});
        first[label[i]] = 0;
    }
}

void typical_merge(const typical_pixel *from, typical_pixel *into, int k) {
    for (int a = 0; a < k; a++)
        for (int i = 0; i < TYPICAL; i++)
            insert(into + (size_t)a * TYPICAL, from[(size_t)a * TYPICAL + (size_t)i]);
}
