/* The state of a clustering between two iterations as a checkpoint file. Labels and distances are
 * not in it: they follow from the centroids, and would be as large as the data set. Reading and
 * writing share one description (`describe`) of what a file holds, so that the two cannot drift
 * apart; the enumerations are the places of figures in the file, which may not change. */
#include "io/weights/cluster_checkpoint.h"

#include "io/weights/checkpoint_file.h"
#include "io/weights/tensor_fault.h"

#include <math.h>
#include <string.h>

enum { RESTART, ITERATION, REPAIRED, CHANGED, PASSES, BEST_RESTART, BEST_ITERATIONS, COUNTERS };
enum { OBJECTIVE, BEFORE, BEST_OBJECTIVE, OBJECTIVES };
enum { TENSORS = 5, FIGURES = 2 }; /* the first ones are figures */

/* What a file holds: the last ones of these only where the state has them. */
typedef struct content {
    int64_t counter[COUNTERS];
    double objective[OBJECTIVES];
    tensor_info tensor[TENSORS];
    int tensors;
} content;

/* k and d are part of the file: centroids of another number of clusters do not fit. */
static tensor_info matrix(const char *name, const float *data, int k, int d) {
    return (tensor_info){.name = name,
        .type = "F32",
        .dims = 2,
        .shape = {k, d},
        .data = data,
        .bytes = (size_t)k * (size_t)d * sizeof *data};
}

/* t must stay where it is: its tensors point into it. */
static void describe(content *t, const kmeans_state *s) {
    const int64_t counter[COUNTERS] = {s->restart, s->iteration, s->repaired, s->changed, s->passes,
        s->best_restart, s->best_iterations};
    const double objective[OBJECTIVES] = {s->objective, s->before, s->best_objective};
    /* Copies, so that the file's tensors have somewhere to point to, and loading somewhere to
     * go. */
    memcpy(t->counter, counter, sizeof counter);
    memcpy(t->objective, objective, sizeof objective);
    t->tensor[0] = checkpoint_file_flat("kmeans.counters", "I64", t->counter, COUNTERS);
    t->tensor[1] =
        checkpoint_file_flat(CLUSTER_CHECKPOINT_OBJECTIVES, "F64", t->objective, OBJECTIVES);
    t->tensor[2] = matrix("centroids", s->centroids, s->k, s->d);
    t->tensors = 3;
    if (s->best) t->tensor[t->tensors++] = matrix("best.centroids", s->best, s->k, s->d);
    if (s->count)
        t->tensor[t->tensors++] = checkpoint_file_flat("counts", "I64", s->count, (size_t)s->k);
}

status cluster_checkpoint_save(const comm *c, const char *folder, const char *stage,
    uint64_t settings, const kmeans_state *s) {
    status st = STATUS_OK;
    if (comm_root(c)) {
        content t;
        describe(&t, s);
        /* Not the figures: an infinite objective says that there was none before. */
        st = tensor_fault_check(stage, t.tensor + FIGURES, t.tensors - FIGURES);
        const checkpoint_file f = {.stage = stage,
            .settings = settings,
            .step = s->passes,
            .tensor = t.tensor,
            .tensors = t.tensors};
        if (st == STATUS_OK) st = checkpoint_file_save(folder, &f);
    }
    return comm_agree(c, st);
}

/* The state's figures from the file's; false if they are none that a run could have. */
static bool take_figures(kmeans_state *s, const content *t, int64_t step) {
    /* Counters become ints here: whole by its checksums a file may still hold what no run has
     * written. */
    for (int i = 0; i < COUNTERS; i++)
        if (i != CHANGED && i != PASSES && t->counter[i] != (int)t->counter[i]) return false;
    s->restart = (int)t->counter[RESTART];
    s->iteration = (int)t->counter[ITERATION];
    s->repaired = (int)t->counter[REPAIRED];
    s->changed = t->counter[CHANGED];
    s->passes = t->counter[PASSES];
    s->best_restart = (int)t->counter[BEST_RESTART];
    s->best_iterations = (int)t->counter[BEST_ITERATIONS];
    s->objective = t->objective[OBJECTIVE];
    s->before = t->objective[BEFORE];
    s->best_objective = t->objective[BEST_OBJECTIVE];
    return s->restart >= 0 && s->iteration >= 0 && s->passes == step && s->best_restart >= -1 &&
           s->best_restart < s->restart && !isnan(s->objective) && !isnan(s->before);
}

/* What k-means can compute with, as of a start (mpi/kmeans.h). */
static bool usable(const float *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!(fabsf(x[i]) <= 0x1p50F)) return false;
    return true;
}

static bool counted(const int64_t *count, int k) {
    for (int i = 0; count && i < k; i++)
        if (count[i] < 0) return false;
    return true;
}

/* What cannot be used, or NULL. The state's own arrays are written before everything is known to be
 * right: the struct is put back if it is not. The contents of the arrays are not: they are this
 * load's own, and either the next file fills them anew or nobody looks at them. */
static const char *take(void *context, const safetensors *f, int64_t step) {
    static const char *const unfit = "it does not fit the number or length of centroids";
    kmeans_state *s = context, had = *s;
    content t;
    tensor_info have;
    describe(&t, s);
    for (int i = 0; i < t.tensors; i++) {
        bool optional = t.tensor[i].data == s->best || t.tensor[i].data == s->count;
        if (optional && safetensors_find(f, t.tensor[i].name) < 0) continue;
        if (!checkpoint_file_tensor(f, &t.tensor[i], &have)) return unfit;
        /* Its memory is the state's or this function's own: nothing that was const. */
        memcpy((void *)(size_t)t.tensor[i].data, have.data, have.bytes);
    }
    bool best = safetensors_find(f, "best.centroids") >= 0;
    size_t words = (size_t)s->k * (size_t)s->d;
    if (take_figures(s, &t, step) && best == (s->best_restart >= 0) &&
        usable(s->centroids, words) && (!best || usable(s->best, words)) && counted(s->count, s->k))
        return NULL;
    *s = had;
    return "its figures contradict each other";
}

/* The struct is sent as bytes, and with it rank 0's pointers, which each rank replaces by its
 * own. */
static void share(const comm *c, kmeans_state *s) {
    kmeans_state mine = *s;
    size_t bytes = (size_t)s->k * (size_t)s->d * sizeof *s->centroids;
    comm_broadcast(c, s, sizeof *s);
    s->centroids = mine.centroids;
    s->best = mine.best;
    s->count = mine.count;
    comm_broadcast(c, s->centroids, bytes);
    comm_broadcast(c, s->best, bytes);
    comm_broadcast(c, s->count, (size_t)s->k * sizeof *s->count);
}

/* Into a state of its own, which becomes the caller's only when everything was read. */
status cluster_checkpoint_load(const comm *c, const char *folder, const char *stage,
    uint64_t settings, int k, int d, kmeans_state *s, bool *found) {
    bool any = false;
    kmeans_state mine = {.k = k, .d = d};
    status st = comm_agree(c, kmeans_state_create(&mine));
    if (st == STATUS_OK && comm_root(c))
        st = checkpoint_file_load(folder, stage, settings, take, &mine, &any);
    st = comm_agree(c, st);
    if (st == STATUS_OK) comm_broadcast(c, &any, sizeof any);
    if (any) share(c, &mine);
    if (any)
        *s = mine;
    else
        kmeans_state_destroy(&mine);
    *found = any;
    return st;
}
