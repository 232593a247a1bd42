/* Clusters of clusters: k-means with about sqrt(K) centroids on the sample, then k-means within
 * each of its clusters with that cluster's share of K. A row meets 2 sqrt(K) centroids in place of
 * K, so that starts for tens of thousands of centroids cost seconds, and iterations are done where
 * k-means++ does none. Every rank has the sample and does the coarse part alike; branches are dealt
 * to the ranks, and their centroids gathered in the order of branches. */
#include "mpi/kmeans_start.h"

#include "mpi/shard.h"
#include "mpi/stop_watch.h"
#include "src/base/memory.h"
#include "src/label/kmeans_iterate.h"

#include <math.h>
#include <string.h>

/* Most of what iterations can gain comes with the first of them. Where branches end matters little,
 * so that few rows make them: COARSE_ROWS a branch. */
enum { COARSE_ITERATIONS = 10, COARSE_ROWS = 256 };

/* The sample, and how it is parted. */
typedef struct tree {
    const kmeans_options *o;
    const kmeans_start_rows *rows;
    int restart, branches;
    kmeans_arithmetic arithmetic;
    uint16_t *label;   /* [n]: branch of each row */
    double *spread;    /* [branches]: root of its rows times their squared distances */
    size_t *begin;     /* [branches + 1] in `order` */
    size_t *order;     /* [n]: rows, branch by branch, ascending in each */
    int *share;        /* [branches]: centroids */
    stop_watch *watch; /* of the part that is under way */
} tree;

static size_t branch_rows(const tree *t, int b) {
    return t->begin[b + 1] - t->begin[b];
}

static status tree_create(tree *t) {
    size_t n = t->rows->n, branches = (size_t)t->branches;
    t->label = memory_alloc(n, sizeof *t->label, "branches of the sample");
    t->order = memory_alloc(n, sizeof *t->order, "branches of the sample");
    t->begin = memory_alloc(branches + 1, sizeof *t->begin, "branches of the sample");
    t->spread = memory_alloc(branches, sizeof *t->spread, "branches of the sample");
    t->share = memory_alloc(branches, sizeof *t->share, "branches of the sample");
    return t->label && t->order && t->begin && t->spread && t->share ? STATUS_OK : STATUS_FAILED;
}

static void tree_destroy(tree *t) {
    memory_free(t->label);
    memory_free(t->order);
    memory_free(t->begin);
    memory_free(t->spread);
    memory_free(t->share);
}

static status ask(void *context, status st) {
    return stop_watch_ask(((const tree *)context)->watch, st);
}

/* k-means of the rows x [n, D], by this rank alone: its centroids to c [k, D], their labels. Each
 * has a stream of its own, by its place in the tree. */
static status cluster(
    const tree *t, const features *x, int k, int place, float *c, uint16_t *label) {
    const kmeans_start_rows rows = {x->data, NULL, x->n, x->d};
    int iterations = place == 0 ? COARSE_ITERATIONS : t->o->branch_iterations;
    kmeans_arithmetic own = kmeans_arithmetic_for(t->o->arithmetic, x, k, iterations + 1);
    const kmeans_iterate_options o = {
        .assigner = {k, t->o->threads, t->o->screen, own == KMEANS_FASTEST ? t->arithmetic : own},
        .cosine = t->o->cosine,
        .iterations = iterations,
        .ask = ask,
        .context = (void *)(uintptr_t)t};
    random_stream r = random_begin(
        t->o->seed, RANDOM_CLUSTER, (uint64_t)t->restart, UINT64_MAX - 1 - (uint64_t)place);
    status st = kmeans_start_draw(t->watch, &r, &rows, k, t->o->threads, c);
    return st == STATUS_OK ? kmeans_iterate(x, &o, c, label) : st;
}

/* Rows in the order of branches, and what each branch weighs: many centroids go where rows are many
 * and far apart. */
static void part_rows(tree *t, const float *distance) {
    for (size_t i = 0; i < t->rows->n; i++) {
        t->begin[t->label[i] + 1]++;
        t->spread[t->label[i]] += distance[i];
    }
    for (int b = 0; b < t->branches; b++) {
        t->spread[b] = sqrt(t->spread[b] * (double)t->begin[b + 1]);
        t->begin[b + 1] += t->begin[b];
    }
    for (size_t i = 0; i < t->rows->n; i++) t->order[t->begin[t->label[i]]++] = i;
    for (int b = t->branches; b > 0; b--) t->begin[b] = t->begin[b - 1];
    t->begin[0] = 0;
}

/* K centroids over the branches, at least one a branch that has rows and no more than it has. The
 * next goes where the weight per centroid is largest, of equal ones to the first. */
static void deal_centroids(tree *t) {
    int left = t->o->k;
    for (int b = 0; b < t->branches; b++) left -= t->share[b] = branch_rows(t, b) > 0;
    for (; left > 0; left--) {
        int best = -1;
        double most = -1;
        for (int b = 0; b < t->branches; b++) {
            double each = t->share[b] > 0 ? t->spread[b] / t->share[b] : 0;
            if ((size_t)t->share[b] >= branch_rows(t, b) || each <= most) continue;
            best = b;
            most = each;
        }
        t->share[best]++;
    }
}

/* Centroids of branches c [branches, D], from every so many a row of the sample. */
static status cluster_coarse(const tree *t, float *c) {
    size_t n = t->rows->n, d = (size_t)t->rows->d, m = COARSE_ROWS * (size_t)t->branches;
    m = m < n ? m : n;
    float *row = memory_alloc(m * d, sizeof *row, "rows for branches");
    uint16_t *label = memory_alloc(m, sizeof *label, "rows for branches");
    status st = row && label ? STATUS_OK : STATUS_FAILED;
    if (st == STATUS_OK) {
        const features x = {.n = m, .d = t->rows->d, .type = DTYPE_F32, .data = row};
        for (size_t i = 0; i < m; i++)
            memcpy(row + i * d, t->rows->x + i * n / m * d, d * sizeof *row);
        st = cluster(t, &x, t->branches, 0, c, label);
    }
    memory_free(row);
    memory_free(label);
    return st;
}

static status part_sample(tree *t) {
    const features x = {.n = t->rows->n,
        .d = t->rows->d,
        .type = DTYPE_F32,
        .data = (void *)(uintptr_t)t->rows->x}; /* borrowed: nothing writes to rows */
    size_t words = (size_t)t->branches * (size_t)x.d;
    float *c = memory_alloc(words, sizeof *c, "coarse centroids");
    float *distance = memory_alloc(x.n, sizeof *distance, "distances of the sample");
    status st = c && distance ? cluster_coarse(t, c) : STATUS_FAILED;
    kmeans_counts counts;
    memset(t->label, 0xFF, x.n * sizeof *t->label); /* LABEL_NONE */
    if (st == STATUS_OK)
        st = kmeans_assign(&x, c, t->branches, t->o->threads, t->label, distance, &counts);
    if (st == STATUS_OK) {
        part_rows(t, distance);
        deal_centroids(t);
    }
    memory_free(distance);
    memory_free(c);
    return st;
}

/* By every rank alike. Collective. */
static status part_together(const comm *c, tree *t) {
    stop_watch watch = stop_watch_begin_whole(c);
    t->watch = &watch;
    return stop_watch_end(&watch, part_sample(t));
}

/* Centroids of branch b: c [share, D]. */
static status cluster_branch(const tree *t, int b, float *c) {
    size_t n = branch_rows(t, b), d = (size_t)t->rows->d;
    if (n == 0) return STATUS_OK;
    float *row = memory_alloc(n * d, sizeof *row, "rows of a branch");
    uint16_t *label = memory_alloc(n, sizeof *label, "labels of a branch");
    status st = row && label ? STATUS_OK : STATUS_FAILED;
    if (st == STATUS_OK) {
        const features x = {.n = n, .d = t->rows->d, .type = DTYPE_F32, .data = row};
        for (size_t i = 0; i < n; i++)
            memcpy(row + i * d, t->rows->x + t->order[t->begin[b] + i] * d, d * sizeof *row);
        st = cluster(t, &x, t->share[b], 1 + b, c, label);
    }
    memory_free(row);
    memory_free(label);
    return st;
}

/* First centroid of branch b among all. */
static size_t first_centroid(const tree *t, int b) {
    size_t first = 0;
    for (int i = 0; i < b; i++) first += (size_t)t->share[i];
    return first;
}

/* This rank's branches: mine, the first of which is centroid first_centroid(begin). Collective. */
static status cluster_branches(const comm *c, tree *t, float *mine) {
    int rank = comm_rank(c), size = comm_size(c);
    int begin = (int)shard_begin(t->branches, rank, size);
    int end = (int)shard_begin(t->branches, rank + 1, size);
    size_t d = (size_t)t->rows->d;
    stop_watch watch = stop_watch_begin_whole(c);
    t->watch = &watch;
    /* A rank without a branch may be the one that is asked. */
    status st = stop_watch_ask(&watch, STATUS_OK);
    for (int b = begin; b < end && st == STATUS_OK; b++) {
        st = cluster_branch(t, b, mine);
        mine += (size_t)t->share[b] * d;
        st = stop_watch_ask(&watch, st);
    }
    return stop_watch_end(&watch, st);
}

static status gather_centroids(
    const comm *c, const tree *t, const float *mine, size_t *bytes, float *centroids) {
    for (int r = 0; r < comm_size(c); r++) {
        int begin = (int)shard_begin(t->branches, r, comm_size(c));
        int end = (int)shard_begin(t->branches, r + 1, comm_size(c));
        bytes[r] =
            (first_centroid(t, end) - first_centroid(t, begin)) * (size_t)t->rows->d * sizeof *mine;
    }
    comm_gather(c, mine, bytes, centroids);
    return STATUS_OK;
}

status kmeans_start_hierarchical(const comm *c, const kmeans_options *o, int restart,
    const kmeans_start_rows *rows, float *centroids) {
    int branches = (int)(sqrt((double)o->k) + 0.5);
    tree t = {.o = o,
        .rows = rows,
        .restart = restart,
        .branches = branches > 1 ? branches : 1,
        .arithmetic = kmeans_fastest(o->arithmetic, rows->d)};
    size_t words = (size_t)o->k * (size_t)rows->d;
    size_t *bytes = memory_alloc((size_t)comm_size(c), sizeof *bytes, "sizes of branches");
    float *mine = memory_alloc(words, sizeof *mine, "centroids of branches");
    status st = tree_create(&t);
    if (!bytes || !mine) st = STATUS_FAILED;
    st = comm_agree(c, st);
    if (st == STATUS_OK) st = part_together(c, &t);
    if (st == STATUS_OK) st = cluster_branches(c, &t, mine);
    if (st == STATUS_OK) st = gather_centroids(c, &t, mine, bytes, centroids);
    tree_destroy(&t);
    memory_free(bytes);
    memory_free(mine);
    return st;
}
