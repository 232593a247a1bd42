/* k-means||: a start from all rows in five rounds, where k-means++ takes K. A row becomes a
 * candidate by a draw of its own, keyed by image and pixel, and candidates stand in the order of
 * round, image and pixel: neither depends on the rank that holds the row. */
#include "mpi/kmeans_start.h"

#include "mpi/distance_total.h"
#include "mpi/stop_watch.h"
#include "src/base/memory.h"
#include "src/base/unit_length.h"

#include <math.h>
#include <string.h>

enum {
    ROUNDS = 5,
    OVERSAMPLING = 2,  /* candidates of a round, on average, over K */
    EPOCHS = 64,       /* of random numbers, a restart */
    TOGETHER = 1 << 14 /* candidates that rows are compared with at once */
};

/* One start on one rank. */
typedef struct search {
    const comm *c;
    const kmeans_options *o;
    const features *x;
    int restart;
    float *candidate;    /* [m, D], the same on every rank: in order of round, image, pixel */
    int64_t m, compared; /* rows have been compared with the first `compared` */
    float *nearest;      /* [n]: squared distance from the nearest of them */
    int64_t *owner;      /* [n]: which one */
    uint16_t *label;     /* [n], with distance [n]: from the ones compared now */
    float *distance;
    int64_t *chosen; /* [n]: rows that become candidates */
} search;

/* A row's nearest candidate is kept from round to round: only new ones are compared. */
static status search_create(search *s) {
    size_t n = s->x->n;
    s->nearest = memory_alloc(n, sizeof *s->nearest, "distances from candidates");
    s->owner = memory_alloc(n, sizeof *s->owner, "nearest candidates");
    s->label = memory_alloc(n, sizeof *s->label, "nearest candidates");
    s->distance = memory_alloc(n, sizeof *s->distance, "distances from candidates");
    s->chosen = memory_alloc(n, sizeof *s->chosen, "candidates");
    for (size_t i = 0; s->nearest && i < n; i++) s->nearest[i] = INFINITY;
    bool all = s->nearest && s->owner && s->label && s->distance && s->chosen;
    return all ? STATUS_OK : STATUS_FAILED;
}

/* Also of one that was created half. */
static void search_destroy(search *s) {
    memory_free(s->candidate);
    memory_free(s->nearest);
    memory_free(s->owner);
    memory_free(s->label);
    memory_free(s->distance);
    memory_free(s->chosen);
}

/* This rank's chosen rows [count] as floats; owned by the caller. They are in order, so that
 * mapped rows are passed as they are read. */
static float *copy_chosen(const search *s, int64_t count) {
    size_t d = (size_t)s->x->d;
    float *mine = memory_alloc((size_t)count * d, sizeof *mine, "candidates");
    for (int64_t i = 0; mine && i < count; i++) {
        features_copy_row(s->x, (size_t)s->chosen[i], mine + (size_t)i * d);
        if (i > 0)
            features_passed(
                s->x, (size_t)s->chosen[i - 1], (size_t)(s->chosen[i] - s->chosen[i - 1]));
    }
    features_release(s->x, 0, s->x->n);
    return mine;
}

/* The rows that every rank has chosen, count of this one, become candidates, in rank order. The
 * list grows by copying: five times. Collective. */
static status append(search *s, int64_t count) {
    size_t ranks = (size_t)comm_size(s->c), width = (size_t)s->x->d * sizeof(float);
    int64_t *part = memory_alloc(ranks, sizeof *part, "candidates"), total = 0;
    size_t *bytes = memory_alloc(ranks, sizeof *bytes, "candidates");
    float *mine = copy_chosen(s, count), *longer = NULL;
    status st = comm_agree(s->c, part && bytes && mine ? STATUS_OK : STATUS_FAILED);
    if (st != STATUS_OK) goto done;
    part[comm_rank(s->c)] = count;
    comm_sum_i64(s->c, part, ranks);
    for (size_t r = 0; r < ranks; r++) {
        total += part[r];
        bytes[r] = (size_t)part[r] * width;
    }
    longer = memory_alloc((size_t)(s->m + total), width, "candidates");
    st = comm_agree(s->c, longer ? STATUS_OK : STATUS_FAILED);
    if (st != STATUS_OK) goto done;
    if (s->m > 0) memcpy(longer, s->candidate, (size_t)s->m * width);
    comm_gather(s->c, mine, bytes, longer + (size_t)s->m * (width / sizeof *longer));
    memory_free(s->candidate);
    s->candidate = longer;
    s->m += total;
done:
    memory_free(part);
    memory_free(bytes);
    memory_free(mine);
    return st;
}

/* One row of all, any, is the first candidate: all ranks draw its number, one has it. Collective.
 */
static status choose_first(search *s) {
    random_stream r = random_begin(
        s->o->seed, RANDOM_CANDIDATE, (uint64_t)s->restart * EPOCHS + ROUNDS, UINT64_MAX);
    int64_t row = (int64_t)random_below(&r, (uint64_t)s->x->total) - s->x->before;
    bool here = row >= 0 && row < (int64_t)s->x->n;
    if (here) s->chosen[0] = row;
    return append(s, here);
}

/* label and distance of rows first .. first + rows - 1: of the nearest of k candidates, by the
 * assignment of k-means, by its definition, with candidates for centroids. */
static status assign(search *s, const float *candidate, int k, size_t first, size_t rows) {
    const features part = features_part(s->x, first, rows);
    const kmeans_assigner_options o = {k, s->o->threads, KMEANS_SCREEN_DENSE,
        kmeans_arithmetic_for(s->o->arithmetic, &part, k, 1), NULL};
    kmeans_assigner *a = NULL;
    kmeans_counts counts;
    uint16_t *label = s->label + first;
    memset(label, 0xFF, rows * sizeof *label); /* LABEL_NONE */
    status st = kmeans_assigner_create(&a, &part, &o);
    if (st == STATUS_OK) st = kmeans_assigner_assign(a, candidate, label, &counts);
    kmeans_assigner_destroy(a);
    if (st != STATUS_OK) return st;
    return kmeans_distances(&part, candidate, label, s->o->threads, s->distance + first);
}

/* Rows that are compared with k candidates between two questions whether to stop: as many as take a
 * second or two, but so many that packing the candidates is nothing beside them. */
static size_t rows_at_once(const search *s, int k) {
    const double work = 0x1p34 * s->o->threads; /* multiplications */
    double rows = work / ((double)k * s->x->d), least = 1 << 13;
    return (size_t)(rows > least ? rows : least);
}

/* All rows with candidates s->compared and the k - 1 behind it. */
static status compare_some(search *s, int k, stop_watch *watch) {
    const float *candidate = s->candidate + (size_t)s->compared * (size_t)s->x->d;
    size_t n = s->x->n, together = rows_at_once(s, k);
    status st = STATUS_OK;
    for (size_t first = 0; st == STATUS_OK && first < n; first += together) {
        size_t rows = n - first < together ? n - first : together;
        st = assign(s, candidate, k, first, rows);
        for (size_t i = first; st == STATUS_OK && i < first + rows; i++) {
            if (s->distance[i] >= s->nearest[i]) continue;
            s->nearest[i] = s->distance[i];
            s->owner[i] = s->compared + s->label[i];
        }
        st = stop_watch_ask(watch, st);
    }
    s->compared += k;
    return st;
}

/* Rows are compared with the candidates that are new, some thousands at once, as labels have 16
 * bits. Of equally near ones the first counts. Each rank does its own rows; all leave as soon as
 * one is asked to. Collective. */
static status compare(search *s) {
    status st = STATUS_OK;
    stop_watch watch = stop_watch_begin_whole(s->c);
    while (st == STATUS_OK && s->compared < s->m) {
        int64_t left = s->m - s->compared;
        st = compare_some(s, left < TOGETHER ? (int)left : TOGETHER, &watch);
    }
    return stop_watch_end(&watch, st);
}

/* Each row with probability 2 K d / sum; returns how many. Not collective. */
static int64_t draw(search *s, int round, double sum) {
    const double share = (double)OVERSAMPLING * s->o->k;
    const features *x = s->x;
    int64_t count = 0, row = 0;
    for (int64_t i = 0; i < x->images; i++) {
        /* A stream an image and round, a number a row, also where none is needed: a row's draw
         * does not depend on the distances before it. */
        random_stream r = random_begin(s->o->seed, RANDOM_CANDIDATE,
            (uint64_t)s->restart * EPOCHS + (uint64_t)round, (uint64_t)(x->first + i));
        for (int64_t end = row + (int64_t)features_image_rows(x, i); row < end; row++)
            if (random_uniform(&r) * sum < share * (double)s->nearest[row])
                s->chosen[count++] = row;
    }
    return count;
}

/* K of the candidates, by k-means++, each with the rows that are nearest to it. Every rank has all
 * candidates and the same weights: it takes the same K. Collective. */
static status reduce(search *s, float *centroids) {
    random_stream r = random_begin(s->o->seed, RANDOM_CLUSTER, (uint64_t)s->restart, UINT64_MAX);
    int64_t *weight = memory_alloc((size_t)s->m, sizeof *weight, "weights of candidates");
    status st = comm_agree(s->c, weight ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK) {
        for (size_t i = 0; i < s->x->n; i++) weight[s->owner[i]]++;
        comm_sum_i64(s->c, weight, (size_t)s->m);
        const kmeans_start_rows rows = {s->candidate, weight, (size_t)s->m, s->x->d};
        st = kmeans_start_choose(s->c, s->o, &r, &rows, centroids);
    }
    memory_free(weight);
    return st;
}

/* Rounds end early where every row lies at a candidate: fewer distinct rows than K. */
status kmeans_start_parallel(
    const comm *c, const kmeans_options *o, const features *x, int restart, float *centroids) {
    search s = {.c = c, .o = o, .x = x, .restart = restart};
    double sum = INFINITY;
    status st = comm_agree(c, search_create(&s));
    if (st == STATUS_OK) st = choose_first(&s);
    if (st == STATUS_OK) st = compare(&s);
    for (int round = 0; st == STATUS_OK && round < ROUNDS && sum > 0; round++) {
        sum = distance_total(c, s.nearest, x->n, x->total);
        st = append(&s, sum > 0 ? draw(&s, round, sum) : 0);
        if (st == STATUS_OK) st = compare(&s);
    }
    if (st == STATUS_OK) st = reduce(&s, centroids);
    if (st == STATUS_OK && o->cosine) unit_length_rows(centroids, (size_t)o->k, x->d);
    search_destroy(&s);
    return st;
}
