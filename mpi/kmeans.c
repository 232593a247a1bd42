/* Lloyd's iterations over all ranks: own rows are assigned, sums exchanged, centroids computed.
 * The arithmetic is src/label's. Ranks exchange exact sums, each makes the centroids of some of
 * them for all, whoever has them the same, and agree on the status after every step that can fail.
 * Labels, distances and sums are functions of the centroids: that is all a state has to hold. */
#include "mpi/kmeans.h"

#include "mpi/kmeans_minibatch.h"
#include "mpi/kmeans_start.h"
#include "mpi/kmeans_update.h"
#include "mpi/outliers.h"
#include "src/base/hash.h"
#include "src/base/hook.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/timer.h"
#include "src/base/unit_length.h"
#include "src/label/distance_sum.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* A bit of this rank's centroids flips. */
static hook centroid = {.name = "CENTROID"};

typedef status report_function(void *context, const kmeans_iteration *it);

/* A run on one rank. */
typedef struct lloyd {
    const comm *c;
    const kmeans_options *o;
    const features *x;
    kmeans_assigner *assigner;
    kmeans_sum_block sums;
    minibatch batch; /* if o->batch > 0 */
    report_function *report;
    void *context;
    double largest, reach;   /* |element| of all ranks' rows; of centroids, too */
    float *centroids, *best; /* [K, D]: of this restart, of the best so far */
    uint16_t *label;         /* [n] */
    float *distance;         /* [n]: where they are needed */
    double *square;          /* [n]: |x|^2, until everything is allocated */
    double before;           /* objective of the iteration before */
    int64_t passes;          /* iterations of all restarts */
    double best_objective;
    int best_iterations, best_restart; /* -1: none yet */
} lloyd;

/* What the contract asks; the first that every rank does. Fewer rows than clusters is a matter of
 * settings, a row that is not finite one of data. Collective. */
static status check(lloyd *l) {
    const features *x = l->x;
    assert(x->before >= 0 && x->before + (int64_t)x->n <= x->total);
    if (x->total < l->o->k || x->d > FEATURES_D) {
        if (comm_root(l->c))
            log_error("k-means: %lld rows of %d features cannot make %d clusters",
                (long long)x->total, x->d, l->o->k);
        return STATUS_USAGE;
    }
    status st = comm_agree(l->c, features_check(x, l->o->threads, &l->largest, l->square));
    if (st == STATUS_OK) comm_max_f64(l->c, &l->largest, 1);
    l->reach = l->o->cosine ? fmax(l->largest, 1) : l->largest;
    return st;
}

/* l->centroids become start [K, D], which is the same on every rank: each can judge it alone. With
 * cosine a centroid is a direction: of another length it would be near to no row, and the first
 * update would throw the start away. */
static status take_start(lloyd *l, const float *start) {
    int64_t bad;
    features rows = {.n = (size_t)l->o->k, .d = l->x->d, .type = DTYPE_F32, .data = l->centroids};
    memcpy(l->centroids, start, rows.n * (size_t)rows.d * sizeof *start);
    double largest = features_largest(&rows, 1, &bad);
    if (bad >= 0 && comm_root(l->c))
        log_error("k-means: initial centroid %lld is not finite, or beyond 2^%d", (long long)bad,
            FEATURES_LARGE);
    if (bad < 0 && l->o->cosine) unit_length_others(l->centroids, rows.n, rows.d, UNIT_LENGTH_F32);
    l->reach = fmax(l->reach, largest);
    return bad >= 0 ? STATUS_NONFINITE : STATUS_OK;
}

/* All that grows with rows or centroids, before the first iteration: none can fail for memory
 * later on one rank alone. */
static status allocate(lloyd *l) {
    size_t words = (size_t)l->o->k * (size_t)l->x->d, n = l->x->n;
    l->centroids = memory_alloc(words, sizeof *l->centroids, "centroids");
    l->best = memory_alloc(words, sizeof *l->best, "centroids");
    l->label = memory_alloc(n, sizeof *l->label, "labels");
    l->distance = memory_alloc(n, sizeof *l->distance, "distances");
    bool all = l->centroids && l->best && l->label && l->distance;
    int64_t passes = (int64_t)l->o->restarts * (l->o->iterations + 1);
    kmeans_assigner_options o = {l->o->k, l->o->threads, l->o->screen,
        kmeans_arithmetic_for(l->o->arithmetic, l->x, l->o->k, passes), l->square};
    status st = all ? kmeans_assigner_create(&l->assigner, l->x, &o) : STATUS_FAILED;
    if (st == STATUS_OK && l->o->batch > 0)
        st = minibatch_create(&l->batch, l->o, l->x->d, l->largest);
    return st;
}

/* Also of what was allocated half. */
static void release(lloyd *l) {
    memory_free(l->centroids);
    memory_free(l->best);
    memory_free(l->label);
    memory_free(l->distance);
    minibatch_destroy(&l->batch);
    kmeans_assigner_destroy(l->assigner);
    kmeans_sum_block_destroy(&l->sums);
}

/* All ranks have the same centroids. A bit that flips in one rank's memory would be gone with the
 * next sums, and the labels that it made be kept. One in the sums of a rank, or in what it makes of
 * them for all, is not seen: nobody else has these. Collective. */
static status compare_ranks(const lloyd *l) {
    size_t bytes = (size_t)l->o->k * (size_t)l->x->d * sizeof *l->centroids;
    if (comm_size(l->c) == 1) return STATUS_OK;
    return comm_compare(l->c, "k-means: centroids", hash_bytes(l->centroids, bytes));
}

/* Labels and sums of the current centroids, and the iteration's figures, which are summed over
 * ranks as integers. Seconds are this rank's. Collective. */
static status assign(lloyd *l, kmeans_iteration *it) {
    const features *x = l->x;
    kmeans_counts counts = {0};
    double now = timer_now(), processor = timer_processor();
    if (hook_now(&centroid)) l->centroids[0] = -l->centroids[0];
    status st =
        comm_agree(l->c, kmeans_assigner_assign(l->assigner, l->centroids, l->label, &counts));
    if (st != STATUS_OK) return st;
    /* The exchange waits for the slowest rank: it is timed apart, and counts to the update. */
    double assigned = timer_now();
    it->assign_seconds = assigned - now;
    it->assign_processor = timer_processor() - processor;
    it->exchange_seconds = kmeans_exchange(l->c, l->o, x, l->label, l->centroids, &l->sums);
    st = compare_ranks(l);
    if (st != STATUS_OK) return st;
    int64_t figure[] = {counts.changed, counts.kept};
    comm_sum_i64(l->c, figure, sizeof figure / sizeof *figure);
    it->rows = l->x->total;
    it->changed = figure[0];
    it->kept = figure[1];
    it->visited = counts.visited;
    it->arithmetic = kmeans_assigner_arithmetic(l->assigner);
    it->objective = l->sums.objective;
    it->imbalance = kmeans_imbalance(l->sums.count, l->o->k, l->x->total);
    it->update_seconds += timer_now() - assigned;
    return STATUS_OK;
}

/* A state is made for each report, from what stands: whoever keeps it copies it. Ranks agree on
 * what the report returns. Collective. */
static status report_state(lloyd *l, kmeans_iteration *it) {
    const kmeans_state state = {.k = l->o->k,
        .d = l->x->d,
        .restart = it->restart,
        .iteration = it->iteration,
        .repaired = it->repaired,
        .changed = it->changed,
        .passes = ++l->passes,
        .objective = it->objective,
        .before = l->before,
        .best_restart = l->best_restart,
        .best_iterations = l->best_iterations,
        .best_objective = l->best_objective,
        .centroids = l->centroids,
        .best = l->best_restart < 0 ? NULL : l->best,
        .count = l->batch.count};
    it->state = &state;
    status st = l->report ? l->report(l->context, it) : STATUS_OK;
    it->state = NULL;
    return comm_agree(l->c, st);
}

/* An update, except before the first assignment, then an assignment. Collective. */
static status step(lloyd *l, kmeans_iteration *it) {
    double now = timer_now();
    it->repaired = 0;
    it->update_seconds = 0;
    if (it->iteration > 0) {
        status st = kmeans_update(l->c, l->o, l->x, l->distance, &l->sums, l->centroids);
        if (st != STATUS_OK) return st;
        it->repaired = l->sums.repaired;
        it->update_seconds = timer_now() - now;
    }
    status st = assign(l, it);
    return st == STATUS_OK ? report_state(l, it) : st;
}

/* Iteration 0 is the start's assignment, with nothing to compare with. Labels that no longer
 * change need no tolerance. */
static bool converged(const kmeans_iteration *it, double before, double tolerance) {
    if (it->iteration == 0 || tolerance < 0) return false;
    if (it->changed == 0 && it->repaired == 0) return true;
    return tolerance > 0 && before - it->objective <= tolerance * before;
}

/* The iteration that o->resume was reported after. Labels and sums are not in it: descend computes
 * them anew. Not collective. */
static void restore(lloyd *l, kmeans_iteration *it) {
    const kmeans_state *s = l->o->resume;
    size_t k = (size_t)s->k;
    memcpy(l->centroids, s->centroids, k * (size_t)s->d * sizeof *s->centroids);
    if (l->batch.count) memcpy(l->batch.count, s->count, k * sizeof *s->count);
    l->before = s->before;
    l->passes = s->passes;
    *it = (kmeans_iteration){.restart = s->restart,
        .iteration = s->iteration,
        .repaired = s->repaired,
        .objective = s->objective,
        .changed = s->changed};
}

/* Distances of the rows to their centroids, and the sum of them, which is the same for any order
 * of rows. Collective. */
static status measure(lloyd *l, double *objective) {
    /* No distance is beyond 4 D reach^2. */
    int unit = distance_sum_unit(l->x->total, 4 * (double)l->x->d * l->reach * l->reach);
    sum128 sum = {{0}};
    status st = comm_agree(
        l->c, kmeans_distances(l->x, l->centroids, l->label, l->o->threads, l->distance));
    if (st != STATUS_OK) return st;
    sum128_add(&sum, distance_sum(l->distance, l->x->n, unit));
    comm_sum_i64(l->c, sum.part, sizeof sum.part / sizeof *sum.part);
    *objective = ldexp((double)sum128_value(&sum), -unit);
    return STATUS_OK;
}

/* Iterations over all rows, after `it` if the restart is continued. Collective. */
static status descend(lloyd *l, kmeans_iteration *it, bool resume) {
    status st = resume ? assign(l, &(kmeans_iteration){0}) : step(l, it);
    while (st == STATUS_OK && it->iteration < l->o->iterations &&
           !converged(it, l->before, l->o->tolerance)) {
        l->before = it->objective;
        it->iteration++;
        st = step(l, it);
    }
    return st;
}

/* Batches, then all rows once: the pass that is reported last may be the one that a resumed run
 * begins with. Collective. */
static status descend_batches(lloyd *l, kmeans_iteration *it, bool resume) {
    status st = STATUS_OK;
    if (!resume) memset(l->batch.count, 0, (size_t)l->o->k * sizeof *l->batch.count);
    while (st == STATUS_OK && it->iteration < l->o->iterations) {
        it->iteration++;
        st = minibatch_step(&l->batch, l->c, l->o, l->x, l->centroids, it);
        if (st == STATUS_OK) st = compare_ranks(l);
        if (st == STATUS_OK) st = report_state(l, it);
    }
    /* A run that is resumed after its last report has nothing more to report. */
    bool reported = it->iteration > l->o->iterations;
    it->iteration = l->o->iterations + 1;
    it->update_seconds = 0;
    if (st == STATUS_OK) st = assign(l, it);
    return st == STATUS_OK && !reported ? report_state(l, it) : st;
}

/* One restart from l->centroids, or the rest of the one that is continued. Restarts are compared
 * by the sum of distances, of which, unlike the objective of iterations, nothing cancels.
 * Collective. */
static status run_restart(lloyd *l, int restart, bool resume) {
    kmeans_iteration it = {.restart = restart};
    double objective;
    l->before = INFINITY;
    memset(l->label, 0xFF, l->x->n * sizeof *l->label); /* LABEL_NONE */
    if (resume) restore(l, &it);
    status st = l->o->batch > 0 ? descend_batches(l, &it, resume) : descend(l, &it, resume);
    if (st == STATUS_OK) st = measure(l, &objective);
    if (st != STATUS_OK) return st;
    if (l->best_restart < 0 || objective < l->best_objective) {
        l->best_objective = objective;
        l->best_iterations = l->o->batch > 0 ? l->o->iterations : it.iteration;
        l->best_restart = restart;
        memcpy(l->best, l->centroids, (size_t)l->o->k * (size_t)l->x->d * sizeof *l->best);
    }
    return STATUS_OK;
}

/* The best of the restarts before the one that is continued. */
static void take_best(lloyd *l, const kmeans_state *s) {
    l->best_restart = s->best_restart;
    if (s->best_restart < 0) return;
    l->best_objective = s->best_objective;
    l->best_iterations = s->best_iterations;
    memcpy(l->best, s->best, (size_t)s->k * (size_t)s->d * sizeof *s->best);
}

/* Every restart; then labels and distances are those of the best. Collective. */
static status run_restarts(lloyd *l, const float *start) {
    int restarts = start ? 1 : l->o->restarts, first = 0;
    const kmeans_state *resume = l->o->resume;
    l->best_restart = -1;
    if (resume) {
        assert(resume->k == l->o->k && resume->d == l->x->d);
        take_best(l, resume);
        first = resume->restart;
    }
    if (first >= restarts) {
        if (comm_root(l->c))
            log_error("k-means: the state to go on from is of restart %d, of %d", first, restarts);
        return STATUS_OUTPUT;
    }
    for (int r = first; r < restarts; r++) {
        bool continued = resume && r == first;
        status st = STATUS_OK;
        if (!start && !continued) st = kmeans_start(l->c, l->o, l->x, r, l->centroids);
        if (st == STATUS_OK) st = run_restart(l, r, continued);
        if (st != STATUS_OK) return st;
    }
    /* What stands is the last restart's: labels of another one are computed anew, which is cheaper
     * than keeping them. */
    if (l->best_restart == restarts - 1) return STATUS_OK;
    memcpy(l->centroids, l->best, (size_t)l->o->k * (size_t)l->x->d * sizeof *l->best);
    status st = assign(l, &(kmeans_iteration){0});
    return st == STATUS_OK ? measure(l, &(double){0}) : st;
}

/* Outputs are set when nothing can fail any more. */
status kmeans_run(const comm *c, const kmeans_options *o, const features *x, const float *start,
    report_function *report, void *context, kmeans_result *out) {
    lloyd l = {.c = c, .o = o, .x = x, .report = report, .context = context};
    comm_same(c, "k-means: the number of clusters", (uint64_t)o->k);
    double threshold = NAN;
    l.square = memory_alloc(x->n, sizeof *l.square, "squares of rows");
    status st = comm_agree(c, l.square ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK) st = check(&l);
    if (st == STATUS_OK) st = comm_agree(c, allocate(&l));
    if (st == STATUS_OK) st = kmeans_sum_block_create(c, o, x, l.largest, l.square, &l.sums);
    memory_free(l.square); /* nobody asks again */
    l.square = NULL;
    if (st == STATUS_OK && start) st = take_start(&l, start);
    if (st == STATUS_OK) st = run_restarts(&l, start);
    if (st == STATUS_OK) st = outliers_mark(c, o, l.distance, l.label, x->n, &threshold);
    if (st == STATUS_OK) {
        *out = (kmeans_result){
            l.centroids, l.label, l.best_objective, threshold, l.best_iterations, l.distance};
        l.centroids = NULL;
        l.label = NULL;
        l.distance = NULL;
    }
    release(&l);
    return st;
}
