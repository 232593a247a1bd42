/* DBSCAN over ranks. All hold the sample; its pairs are dealt out, and what each rank finds is
 * combined by operations whose order does not matter: counts add, forests of joined core points
 * unite, the lowest cluster wins. Each rank then labels its own rows. */
#include "mpi/dbscan.h"

#include "mpi/distance_total.h"
#include "mpi/row_sample.h"
#include "mpi/stop_watch.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <string.h>

enum { CLUSTERS = 65534 }; /* at most */

/* A rank is a part of the pairs. */
static dbscan_share share_of(const comm *c, const dbscan_options *o) {
    return (dbscan_share){o->eps, comm_rank(c), comm_size(c), o->threads};
}

/* The rows of the sample whose core flag is `flag`, packed for products as well. */
typedef struct subset {
    float *x;
    dbscan_rows rows;
} subset;

/* Counted first, then copied: the sample itself stays whole. */
static status subset_create(subset *s, const features *x, const uint8_t *core, uint8_t flag) {
    size_t count = 0, columns = (size_t)x->d;
    for (size_t i = 0; i < x->n; i++) count += core[i] == flag;
    s->x = memory_alloc(count * columns, sizeof *s->x, "rows of the sample");
    if (!s->x) return STATUS_FAILED;
    float *to = s->x;
    for (size_t i = 0; i < x->n; i++) {
        if (core[i] != flag) continue;
        features_copy_row(x, i, to);
        to += columns;
    }
    return dbscan_rows_create(&s->rows, s->x, count, x->d);
}

/* Also of one that was created half. */
static void subset_destroy(subset *s) {
    dbscan_rows_destroy(&s->rows);
    memory_free(s->x);
}

/* The steps from `first` on that are taken before the next question whether to stop. */
static dbscan_range range_of(size_t first, size_t together, size_t all) {
    return (dbscan_range){first, all - first < together ? all : first + together};
}

/* count [n]: the neighbours in this rank's pairs. Collective. */
static status count_neighbours(
    const comm *c, const dbscan_rows *rows, const dbscan_share *share, int64_t *count) {
    size_t all = dbscan_steps(rows), together = dbscan_steps_at_once(rows, share);
    status st = STATUS_OK;
    stop_watch watch = stop_watch_begin_whole(c);
    for (size_t at = 0; st == STATUS_OK && at < all; at += together) {
        dbscan_count(rows, share, range_of(at, together, all), count);
        st = stop_watch_ask(&watch, st);
    }
    return stop_watch_end(&watch, st);
}

/* Core points that are neighbours in this rank's pairs. Collective. */
static status join_neighbours(
    const comm *c, const dbscan_rows *core, const dbscan_share *share, int32_t *parent) {
    size_t all = dbscan_steps(core), together = dbscan_steps_at_once(core, share);
    status st = STATUS_OK;
    stop_watch watch = stop_watch_begin_whole(c);
    for (size_t at = 0; st == STATUS_OK && at < all; at += together) {
        st = dbscan_join(core, share, range_of(at, together, all), parent);
        st = stop_watch_ask(&watch, st);
    }
    return stop_watch_end(&watch, st);
}

/* label [x->n]: of this rank's blocks of the rows that are no core points. Collective. */
static status label_border(const comm *c, const dbscan_rows *x, const dbscan_rows *core,
    const int32_t *cluster, const dbscan_share *share, int32_t *label) {
    size_t all = dbscan_border_steps(x), together = dbscan_border_at_once(x, core, share);
    status st = STATUS_OK;
    stop_watch watch = stop_watch_begin_whole(c);
    for (size_t at = 0; st == STATUS_OK && at < all; at += together) {
        dbscan_border(x, core, cluster, share, range_of(at, together, all), label);
        st = stop_watch_ask(&watch, st);
    }
    return stop_watch_end(&watch, st);
}

/* core [n]: a row with enough neighbours, of those that all ranks count. A rank counts in its
 * pairs alone, for all rows. Collective. */
static status find_core(const comm *c, const dbscan_options *o, const features *x, uint8_t *core) {
    size_t n = x->n;
    dbscan_rows rows = {0};
    dbscan_share share = share_of(c, o);
    int64_t *count = memory_alloc(n, sizeof *count, "neighbours");
    status st = count ? dbscan_rows_create(&rows, x->data, n, x->d) : STATUS_FAILED;
    st = comm_agree(c, st);
    if (st == STATUS_OK) st = count_neighbours(c, &rows, &share, count);
    if (st == STATUS_OK) {
        comm_sum_i64(c, count, n);
        for (size_t i = 0; i < n; i++) core[i] = count[i] >= o->min_points;
    }
    dbscan_rows_destroy(&rows);
    memory_free(count);
    return st;
}

/* Every rank's forest becomes the one that joins all of them. What one has joined reaches the
 * others with each turn; it ends when all have the same roots. Collective. */
static void unite_ranks(const comm *c, int32_t *parent, int32_t *least, size_t n) {
    int32_t changed = comm_size(c) > 1;
    while (changed) {
        for (size_t i = 0; i < n; i++) least[i] = -parent[i];
        comm_max_i32(c, least, n);
        for (size_t i = 0; i < n; i++) least[i] = -least[i];
        changed = memcmp(parent, least, n * sizeof *least) != 0;
        dbscan_unite(parent, least, n);
        comm_max_i32(c, &changed, 1);
    }
}

/* cluster [n] of each core point; *clusters: how many. Every rank ends with the same forest, hence
 * the same numbers. Collective. */
static status join_core(const comm *c, const dbscan_options *o, const dbscan_rows *core,
    int32_t *cluster, int *clusters) {
    size_t n = core->n;
    dbscan_share share = share_of(c, o);
    int32_t *parent = memory_alloc(n, 2 * sizeof *parent, "clusters of core points");
    status st = parent ? STATUS_OK : STATUS_FAILED;
    for (size_t i = 0; parent && i < n; i++) parent[i] = (int32_t)i;
    st = comm_agree(c, st);
    if (st == STATUS_OK) st = join_neighbours(c, core, &share, parent);
    if (st == STATUS_OK) {
        unite_ranks(c, parent, parent + n, n);
        *clusters = dbscan_number(parent, n, cluster);
    }
    memory_free(parent);
    return st;
}

/* From the lists of core points and of others back to the sample's order. */
static void merge_labels(const uint8_t *core, const int32_t *of_core, const int32_t *of_others,
    size_t n, int32_t *label) {
    for (size_t i = 0; i < n; i++) label[i] = core[i] ? *of_core++ : *of_others++;
}

/* Core points first, as clusters are made of them; then the others look for the lowest cluster
 * among their neighbours, each part of them on one rank, and the maximum of -1 and a label is the
 * label. */
status dbscan_sample(const comm *c, const dbscan_options *o, const features *x, int32_t *label,
    uint8_t *core, int *clusters) {
    size_t n = x->n;
    subset inner = {0}, outer = {0};
    dbscan_share share = share_of(c, o);
    int count = 0;
    uint8_t *flag = memory_alloc(n, sizeof *flag, "core points");
    /* The core points' clusters, then the others' labels. */
    int32_t *cluster = memory_alloc(n, sizeof *cluster, "clusters of the sample");
    status st = comm_agree(c, flag && cluster ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK) st = find_core(c, o, x, flag);
    if (st != STATUS_OK) goto done;
    st = subset_create(&inner, x, flag, 1);
    if (st == STATUS_OK) st = subset_create(&outer, x, flag, 0);
    st = comm_agree(c, st);
    if (st == STATUS_OK) st = join_core(c, o, &inner.rows, cluster, &count);
    if (st != STATUS_OK) goto done;
    /* Both lists fit into one: together they are the sample. */
    int32_t *others = cluster + inner.rows.n;
    for (size_t i = 0; i < outer.rows.n; i++) others[i] = -1;
    st = label_border(c, &outer.rows, &inner.rows, cluster, &share, others);
    if (st != STATUS_OK) goto done;
    comm_max_i32(c, others, outer.rows.n);
    merge_labels(flag, cluster, others, n, label);
    memcpy(core, flag, n * sizeof *core);
    *clusters = count;
done:
    subset_destroy(&inner);
    subset_destroy(&outer);
    memory_free(flag);
    memory_free(cluster);
    return st;
}

/* What dbscan_run works on. */
typedef struct extension {
    const dbscan_options *o;
    const features *x;
    size_t n; /* core points */
    float *core;
    int32_t *cluster; /* [n] */
} extension;

/* Core points move to the front of the sample x [n, D], their clusters to that of label: the rest
 * of the sample is not needed any more. */
static void keep_core(extension *e, const uint8_t *core, int64_t n) {
    size_t d = (size_t)e->x->d;
    for (int64_t i = 0; i < n; i++) {
        if (!core[i]) continue;
        memmove(e->core + e->n * d, e->core + (size_t)i * d, d * sizeof *e->core);
        e->cluster[e->n++] = e->cluster[i];
    }
}

/* Labels are 16 bits, of which one says "none". What would help is said, as both happen to whoever
 * tries eps for the first time. */
static status check_clusters(const comm *c, int clusters) {
    if (clusters > 0 && clusters <= CLUSTERS) return STATUS_OK;
    if (comm_root(c) && clusters == 0)
        log_error("DBSCAN: every pixel of the sample is noise: a larger cluster.eps or sample, or "
                  "a smaller cluster.min_points is needed");
    else if (comm_root(c))
        log_error("DBSCAN: %d clusters, at most %d can be labelled: a larger cluster.eps or "
                  "cluster.min_points is needed",
            clusters, CLUSTERS);
    return STATUS_USAGE;
}

/* The sample and its core points. Collective. */
static status cluster_sample(const comm *c, extension *e, dbscan_result *r) {
    const dbscan_options *o = e->o;
    int64_t n = o->sample < e->x->total ? o->sample : e->x->total;
    uint8_t *core = memory_alloc((size_t)n, sizeof *core, "core points");
    e->cluster = memory_alloc((size_t)n, sizeof *e->cluster, "clusters of the sample");
    status st = comm_agree(c, core && e->cluster ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK && n > 0) st = row_sample_gather(c, e->x, o->seed, 0, n, &e->core);
    const features sample = {.n = (size_t)n, .d = e->x->d, .type = DTYPE_F32, .data = e->core};
    if (st == STATUS_OK && n > 0) st = dbscan_sample(c, o, &sample, e->cluster, core, &r->k);
    if (st == STATUS_OK) st = check_clusters(c, r->k);
    if (st == STATUS_OK) {
        /* The sample's figures are taken before it is cut down to its core points. */
        r->sample = n;
        for (int64_t i = 0; i < n; i++) r->noise += e->cluster[i] < 0;
        keep_core(e, core, n);
        r->core = (int64_t)e->n;
    }
    memory_free(core);
    return st;
}

/* Rows that are compared with all core points between two questions whether to stop: a second or
 * two, but so many that packing the core points is nothing beside them. */
static size_t rows_at_once(const extension *e) {
    const double work = 0x1p34 * e->o->threads; /* multiplications */
    double rows = work / ((double)e->n * e->x->d), least = 1 << 13;
    return (size_t)(rows > least ? rows : least);
}

/* Labels of this rank's rows, some at a time. Collective. */
static status extend(const comm *c, const extension *e, uint16_t *label) {
    const dbscan_options *o = e->o;
    size_t n = e->x->n, together = rows_at_once(e);
    status st = STATUS_OK;
    stop_watch watch = stop_watch_begin_whole(c);
    for (size_t at = 0; st == STATUS_OK && at < n; at += together) {
        const features part = features_part(e->x, at, n - at < together ? n - at : together);
        st = dbscan_extend(&part, e->core, e->cluster, e->n, o->eps, o->threads, label + at);
        st = stop_watch_ask(&watch, st);
    }
    return stop_watch_end(&watch, st);
}

/* Labels and distances of this rank's rows. Rows without a label have no centroid to be away from.
 * Collective. */
static status label_rows(const comm *c, const extension *e, dbscan_result *r) {
    size_t n = e->x->n;
    r->centroids = memory_alloc((size_t)r->k * (size_t)e->x->d, sizeof *r->centroids, "centroids");
    r->label = memory_alloc(n, sizeof *r->label, "labels");
    r->distance = memory_alloc(n, sizeof *r->distance, "distances");
    status st = r->centroids && r->label && r->distance ? STATUS_OK : STATUS_FAILED;
    if (st == STATUS_OK)
        st = dbscan_means(e->core, e->cluster, e->n, e->x->d, r->k, e->o->cosine, r->centroids);
    st = comm_agree(c, st);
    if (st == STATUS_OK) st = extend(c, e, r->label);
    if (st == STATUS_OK)
        st = kmeans_distances(e->x, r->centroids, r->label, e->o->threads, r->distance);
    for (size_t i = 0; st == STATUS_OK && i < n; i++)
        if (r->label[i] == LABEL_NONE) r->distance[i] = 0;
    return comm_agree(c, st);
}

/* What is not finite is refused before anything else, by its rank, and then by all. */
status dbscan_run(const comm *c, const dbscan_options *o, const features *x, dbscan_result *out) {
    extension e = {.o = o, .x = x};
    dbscan_result r = {0};
    double largest;
    status st = comm_agree(c, features_check(x, o->threads, &largest, NULL));
    if (st != STATUS_OK) return st;
    st = cluster_sample(c, &e, &r);
    if (st == STATUS_OK) st = label_rows(c, &e, &r);
    if (st == STATUS_OK) r.objective = distance_total(c, r.distance, x->n, x->total);
    memory_free(e.core);
    memory_free(e.cluster);
    if (st == STATUS_OK)
        *out = r;
    else
        dbscan_result_destroy(&r);
    return st;
}

/* Of zeros: nothing. */
void dbscan_result_destroy(dbscan_result *r) {
    memory_free(r->centroids);
    memory_free(r->label);
    memory_free(r->distance);
    *r = (dbscan_result){0};
}
