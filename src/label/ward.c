/* Ward's method by chains of nearest neighbours: each next one is nearer than the one before, so
 * that a chain ends with two that are each other's nearest, which are merged. The order in which
 * chains find merges is not that of their costs: all are made, sorted, and the cheapest kept.
 * Ward's costs allow that (a merge makes no other pair cheaper than itself). */
#include "src/label/ward.h"

#include "src/base/memory.h"
#include "src/base/pulse.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Two centroids whose groups were merged; a < b. */
typedef struct merge {
    double cost;
    int32_t a, b, number;
} merge;

typedef struct ward {
    int k, d, threads;
    double *mean;   /* [K, D]: of the group whose lowest centroid this is */
    double *weight; /* [K]: of it, 0: merged into another */
    int32_t *chain; /* [K] */
    merge *made;    /* [K - 1] */
} ward;

typedef struct neighbour {
    double cost;
    int32_t index;
} neighbour;

/* The same whichever is a and which b. */
static double cost_of(const ward *w, int32_t a, int32_t b) {
    const double *x = w->mean + (size_t)a * (size_t)w->d, *y = w->mean + (size_t)b * (size_t)w->d;
    double lane[8] = {0}, sum = 0;
    int i = 0;
    for (; i + 8 <= w->d; i += 8)
        for (int l = 0; l < 8; l++) lane[l] += (x[i + l] - y[i + l]) * (x[i + l] - y[i + l]);
    for (int l = 0; l < 8; l++) sum += lane[l];
    for (; i < w->d; i++) sum += (x[i] - y[i]) * (x[i] - y[i]);
    return sum * (w->weight[a] * w->weight[b] / (w->weight[a] + w->weight[b]));
}

static bool nearer(neighbour a, neighbour b) {
    return a.cost < b.cost || (a.cost == b.cost && a.index < b.index);
}

/* Of group a; `before`, the one that the chain comes from, wins where costs are equal, or chains
 * would go round for ever. */
static neighbour nearest_of(const ward *w, int32_t a, int32_t before) {
    neighbour best = {INFINITY, INT32_MAX};
#pragma omp parallel num_threads(w->threads)
    {
        neighbour mine = {INFINITY, INT32_MAX};
#pragma omp for schedule(static) nowait
        for (int32_t b = 0; b < w->k; b++) {
            if (b == a || w->weight[b] == 0) continue;
            neighbour n = {cost_of(w, a, b), b};
            if (nearer(n, mine)) mine = n;
        }
#pragma omp critical(ward_nearest)
        if (nearer(mine, best)) best = mine;
    }
    if (before >= 0) {
        neighbour n = {cost_of(w, a, before), before};
        if (n.cost <= best.cost) return n;
    }
    return best;
}

/* Into the lower of the two. */
static void join(ward *w, int32_t a, int32_t b) {
    double *x = w->mean + (size_t)a * (size_t)w->d, *y = w->mean + (size_t)b * (size_t)w->d;
    double sum = w->weight[a] + w->weight[b], share = w->weight[b] / sum;
    for (int i = 0; i < w->d; i++) x[i] += (y[i] - x[i]) * share;
    w->weight[a] = sum;
    w->weight[b] = 0;
}

static bool is_on(const int32_t *chain, int length, int32_t index) {
    for (int i = 0; i < length; i++)
        if (chain[i] == index) return true;
    return false;
}

/* All merges, K - 1 of them. What is left of a chain when its end is merged goes on; where rounding
 * has it come back to itself, it begins anew. Group 0 is there until the end. */
static void make_all(ward *w) {
    int length = 0;
    for (int32_t made = 0; made < w->k - 1;) {
        if (length == 0) w->chain[length++] = 0;
        pulse_tick();
        int32_t end = w->chain[length - 1], before = length > 1 ? w->chain[length - 2] : -1;
        neighbour next = nearest_of(w, end, before);
        if (next.index != before) {
            if (is_on(w->chain, length, next.index)) {
                w->chain[0] = end;
                length = 1;
            }
            w->chain[length++] = next.index;
            continue;
        }
        int32_t a = end < before ? end : before, b = end < before ? before : end;
        w->made[made] = (merge){next.cost, a, b, made};
        join(w, a, b);
        made++;
        length -= 2;
    }
}

static int by_cost(const void *a, const void *b) {
    const merge *x = a, *y = b;
    if (x->cost != y->cost) return x->cost < y->cost ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static int32_t root_of(int32_t *parent, int32_t i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
}

/* The cheapest merges once more, until so many groups are left; then the groups' numbers. */
static void number_groups(ward *w, int groups, int32_t *group) {
    int32_t *parent = w->chain, next = 0;
    qsort(w->made, (size_t)(w->k - 1), sizeof *w->made, by_cost);
    for (int32_t i = 0; i < w->k; i++) parent[i] = i;
    for (int i = 0; i < w->k - groups; i++) {
        int32_t a = root_of(parent, w->made[i].a), b = root_of(parent, w->made[i].b);
        parent[a > b ? a : b] = a > b ? b : a;
    }
    for (int32_t i = 0; i < w->k; i++) {
        int32_t root = root_of(parent, i);
        group[i] = root == i ? next++ : group[root];
    }
}

status ward_groups(const float *centroid, int k, int d, int groups, int threads, int32_t *group) {
    assert(groups >= 1 && groups <= k);
    size_t words = (size_t)k * (size_t)d;
    ward w = {.k = k, .d = d, .threads = threads};
    w.mean = memory_alloc(words, sizeof *w.mean, "groups of centroids");
    w.weight = memory_alloc((size_t)k, sizeof *w.weight, "groups of centroids");
    w.chain = memory_alloc((size_t)k, sizeof *w.chain, "groups of centroids");
    w.made = memory_alloc((size_t)k, sizeof *w.made, "groups of centroids");
    bool all = w.mean && w.weight && w.chain && w.made;
    if (all) {
        for (size_t i = 0; i < words; i++) w.mean[i] = (double)centroid[i];
        for (int i = 0; i < k; i++) w.weight[i] = 1;
        make_all(&w);
        number_groups(&w, groups, group);
    }
    memory_free(w.mean);
    memory_free(w.weight);
    memory_free(w.chain);
    memory_free(w.made);
    return all ? STATUS_OK : STATUS_FAILED;
}
