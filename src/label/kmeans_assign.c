/* The assigner: which pass runs, and over what. A dense pass (kmeans_dense.c) multiplies every row
 * with every centroid; a pruned one (kmeans_pruned.c) visits what bounds from earlier iterations
 * leave open. What they know of rows, of centroids and of distances is in kmeans_rows.c,
 * kmeans_panels.c and kmeans_bounds.c.
 *
 * Both passes give the labels of the definition (kmeans.h). So the choice between them, and that
 * of the arithmetic of products, may rest on measured time: time is all that it changes. */
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/timer.h"
#include "src/label/kmeans_assigner.h"

#include <string.h>

/* What a visit is expected to cost, in shares of a dense pass, until it has been measured: more
 * than a dense product, as rows come from anywhere. */
static const double VISIT_COST = 1.5;

/* Also of workers that were created half: what is missing is NULL. */
static void destroy_workers(kmeans_assigner *a) {
    for (int t = 0; a->workers && t < a->o.threads; t++) {
        worker *w = &a->workers[t];
        memory_free(w->tile);
        memory_free(w->block);
        memory_free(w->score);
        memory_free(w->least);
        memory_free(w->gathered);
        memory_free(w->near);
        memory_free(w->kept);
        memory_free(w->open);
        memory_free(w->best);
        memory_free(w->limit);
        memory_free(w->begin);
        memory_free(w->visit);
        memory_free(w->sorted);
    }
    memory_free(a->workers);
}

/* A thread's memory for either pass, taken once: a pass allocates nothing and cannot fail. Arrays
 * that live together share a block. */
static status create_worker(worker *w, const kmeans_assigner *a) {
    size_t columns = (size_t)a->panels.panels * PRODUCT_PANEL, steps = a->rows.steps;
    size_t slices = (steps + PRODUCT_DEPTH - 1) / PRODUCT_DEPTH, stride = columns / 16 + 16;
    size_t d = (size_t)a->x->d;
    const char *what = "k-means threads";
    w->tile = memory_alloc(slices * PRODUCT_ROWS * PRODUCT_STRIDE, sizeof *w->tile, what);
    w->block = memory_alloc(PRODUCT_ROWS * PRODUCT_WIDTH, sizeof *w->block, what);
    w->score = memory_alloc(PRODUCT_ROWS * columns, sizeof *w->score, what);
    w->least = memory_alloc(PRODUCT_ROWS * PRODUCT_PANEL + stride, sizeof *w->least, what);
    w->gathered = memory_alloc(PRODUCT_GATHER * steps + d, sizeof *w->gathered, what);
    w->near = memory_alloc(columns, sizeof *w->near, what);
    w->kept = memory_alloc(DENSE_AHEAD * columns, sizeof *w->kept, what);
    w->open = memory_alloc(PRUNED_ROWS, sizeof *w->open, what);
    w->best = memory_alloc(PRUNED_ROWS, sizeof *w->best, what);
    w->limit = memory_alloc(PRUNED_ROWS, sizeof *w->limit, what);
    w->begin = memory_alloc(stride + 1, sizeof *w->begin, what);
    w->visit = memory_alloc(PRUNED_VISITS, sizeof *w->visit, what);
    w->sorted = memory_alloc(PRUNED_VISITS, sizeof *w->sorted, what);
    if (!w->tile || !w->block || !w->score || !w->least || !w->gathered || !w->near || !w->kept ||
        !w->open || !w->best || !w->limit || !w->begin || !w->visit || !w->sorted)
        return STATUS_FAILED;
    w->length = w->least + PRODUCT_ROWS * PRODUCT_PANEL;
    w->scratch = (float *)(void *)(w->gathered + PRODUCT_GATHER * steps);
    return STATUS_OK;
}

static status create_workers(kmeans_assigner *a) {
    a->workers = memory_alloc((size_t)a->o.threads, sizeof *a->workers, "k-means threads");
    status st = a->workers ? STATUS_OK : STATUS_FAILED;
    for (int t = 0; st == STATUS_OK && t < a->o.threads; t++) st = create_worker(&a->workers[t], a);
    return st;
}

/* Seconds of one dense tile of 256 centroids, the best of some. */
static double trial(product_type t, int d) {
    enum { TIMES = 12, PANELS = 16 };
    size_t elements = (size_t)product_elements(t), steps = ((size_t)d + elements - 1) / elements;
    size_t depth = steps < PRODUCT_DEPTH ? steps : PRODUCT_DEPTH;
    uint32_t *rows = memory_alloc(PRODUCT_ROWS * PRODUCT_STRIDE, sizeof *rows, "trial");
    uint32_t *data = memory_alloc(PANELS * depth * PRODUCT_PANEL, sizeof *data, "trial");
    product_word out[PRODUCT_ROWS * PRODUCT_WIDTH];
    double best = 1e30;
    for (int i = 0; rows && data && i < TIMES; i++) {
        double now = timer_now();
        for (size_t p = 0; p < PANELS; p += PRODUCT_PANELS)
            for (size_t r = 0; r < PRODUCT_ROWS; r += PRODUCT_GROUP)
                product_group(t, rows + r * PRODUCT_STRIDE, depth, data + p * depth * PRODUCT_PANEL,
                    depth * PRODUCT_PANEL, out + r * PRODUCT_WIDTH, false,
                    (product_fetch){(const char *)rows, 0});
        now = timer_now() - now;
        best = now < best ? now : best;
    }
    memory_free(rows);
    memory_free(data);
    return best / (double)depth * (double)steps;
}

/* By trial, as tables of processors are never complete. What it decides is how much the screen
 * keeps; labels do not depend on it. */
static product_type fastest(int d) {
    product_type best = PRODUCT_F32;
    double least = trial(best, d);
    /* A coarser arithmetic must earn the centroids that it keeps in vain. */
    for (int t = PRODUCT_BF16; t < PRODUCT_TYPES; t++) {
        double seconds = product_available((product_type)t) ? trial((product_type)t, d) : 1e30;
        if (seconds < 0.85 * least) least = seconds, best = (product_type)t;
    }
    return best;
}

/* A row is brought to int8, and has its place in memory cleared, in as long as it takes to multiply
 * it with some 200 to 300 centroids in f32, of which int8 would save the half (253,230 x 256 rows,
 * one core). */
kmeans_arithmetic kmeans_arithmetic_for(
    kmeans_arithmetic asked, const features *x, int k, int64_t passes) {
    enum { PRODUCTS = 128 };
    bool resident = x->type == DTYPE_F32 && !x->mapped;
    bool few = asked == KMEANS_FASTEST && resident && passes * k <= PRODUCTS;
    return few ? KMEANS_F32 : asked;
}

kmeans_arithmetic kmeans_fastest(kmeans_arithmetic arithmetic, int d) {
    return arithmetic == KMEANS_FASTEST ? (kmeans_arithmetic)fastest(d) : arithmetic;
}

/* What the user asks for by name is not replaced: figures would be another arithmetic's. */
static status choose_type(const kmeans_assigner *a, product_type *type) {
    *type = (product_type)kmeans_fastest(a->o.arithmetic, a->x->d);
    if (product_available(*type)) return STATUS_OK;
    log_error("k-means: this processor has no %s products", product_name(*type));
    return STATUS_USAGE;
}

/* What an assigner holds for its life. Without a pruned pass there are no bounds, which can take
 * more than the rows of the screen. */
static status allocate(kmeans_assigner *a) {
    product_type type;
    int k = a->o.k, d = a->x->d, *order = memory_alloc((size_t)k, sizeof *order, "order");
    status st = order ? choose_type(a, &type) : STATUS_FAILED;
    for (int i = 0; st == STATUS_OK && i < k; i++) order[i] = i;
    if (st == STATUS_OK) st = screen_rows_create(&a->rows, a->x, type, a->o.square, a->o.threads);
    if (st == STATUS_OK) st = screen_panels_create(&a->panels, type, k, d, a->o.threads, order);
    if (st == STATUS_OK && a->o.screen != KMEANS_SCREEN_DENSE) {
        st = bounds_create(&a->bounds, a->x->n, k, a->panels.panels);
        a->centroids = memory_alloc((size_t)k * (size_t)d, sizeof *a->centroids, "centroids");
        if (!a->centroids) st = STATUS_FAILED;
    }
    if (st == STATUS_OK) st = create_workers(a);
    memory_free(order);
    return st;
}

status kmeans_assigner_create(
    kmeans_assigner **out, const features *x, const kmeans_assigner_options *o) {
    kmeans_assigner *a = memory_alloc(1, sizeof *a, "k-means");
    if (!a) return STATUS_FAILED;
    a->o = *o;
    a->x = x;
    a->near_error = kmeans_near_error(x->d);
    status st = allocate(a);
    a->o.square = NULL; /* borrowed for this call */
    if (st == STATUS_OK)
        *out = a;
    else
        kmeans_assigner_destroy(a);
    return st;
}

void kmeans_assigner_destroy(kmeans_assigner *a) {
    if (!a) return;
    destroy_workers(a);
    screen_rows_destroy(&a->rows);
    screen_panels_destroy(&a->panels);
    bounds_destroy(&a->bounds);
    memory_free(a->centroids);
    memory_free(a);
}

/* What was chosen, for the log: "auto" may differ from rank to rank. */
const char *kmeans_assigner_arithmetic(const kmeans_assigner *a) {
    return product_name(a->rows.type);
}

/* The most that any arithmetic may take which the options leave open: memory is stated before the
 * choice is made. */
size_t kmeans_assigner_bytes(const kmeans_assigner_options *o, size_t n, int d) {
    size_t row = 0;
    for (int t = 0; t < PRODUCT_TYPES; t++) {
        bool may = o->arithmetic == KMEANS_FASTEST || (int)o->arithmetic == t;
        size_t bytes = may ? screen_rows_bytes((product_type)t, d) : 0;
        row = bytes > row ? bytes : row;
    }
    return n * (row + (o->screen != KMEANS_SCREEN_DENSE ? bounds_bytes(o->k) : 0));
}

/* Neighbours into one panel, so that they are excluded together. */
static status reorder(kmeans_assigner *a) {
    int *order = memory_alloc((size_t)a->o.k, sizeof *order, "order of centroids");
    status st = order ? screen_panel_order(a->c, a->o.k, a->x->d, order) : STATUS_FAILED;
    screen_panels fresh = {0};
    if (st == STATUS_OK)
        st = screen_panels_create(&fresh, a->rows.type, a->o.k, a->x->d, a->o.threads, order);
    if (st == STATUS_OK) {
        screen_panels_destroy(&a->panels);
        a->panels = fresh;
    }
    memory_free(order);
    return st;
}

/* Moves the bounds to the new centroids; would a pruned pass be faster than a dense one? The
 * bounds of a sample of rows are enough to tell, and are what a dense pass has set. */
static bool worth_pruning(kmeans_assigner *a, double *share) {
    *share = 1;
    if (!a->bounded && !a->sampled) return false;
    bounds_move(&a->bounds, &a->panels, a->centroids, a->c);
    *share = pruned_share(a);
    double visit = a->visit_seconds > 0 ? a->visit_seconds : VISIT_COST * a->dense_seconds;
    return visit * *share < a->dense_seconds;
}

/* Runs a pass, and notes its time in the terms of the next choice: seconds of a dense pass;
 * seconds of a pruned one, were it to visit everything. */
static void assign_timed(
    kmeans_assigner *a, bool pruned, size_t every, double share, kmeans_counts *counts) {
    double now = timer_now();
    screen_panels_pack(&a->panels, a->c, a->rows.shift, a->o.threads);
    if (pruned)
        assign_pruned(a, counts);
    else
        assign_dense(a, every, counts);
    now = timer_now() - now;
    if (!pruned)
        a->dense_seconds = now;
    else if (share > 0)
        a->visit_seconds = now / share;
    counts->visited = pruned ? share : 1;
}

/* A dense pass sets the bounds of a sample of rows; once these say that pruning would pay, the next
 * one sets those of all; from then on passes are pruned while that is faster. */
status kmeans_assigner_assign(
    kmeans_assigner *a, const float *c, uint16_t *label, kmeans_counts *counts) {
    double share;
    bool dense = a->o.screen == KMEANS_SCREEN_DENSE, forced = a->o.screen == KMEANS_SCREEN_PRUNED;
    a->c = c;
    a->label = label;
    bool worth = worth_pruning(a, &share), pruned = a->bounded && (worth || forced);
    if (!dense && !pruned) {
        status st = reorder(a);
        if (st != STATUS_OK) return st;
    }
    bool all = pruned || (!dense && (worth || forced));
    assign_timed(a, pruned, dense ? 0 : all ? 1 : pruned_sample(a->x->n), share, counts);
    if (!dense) memcpy(a->centroids, c, (size_t)a->o.k * (size_t)a->x->d * sizeof *c);
    a->bounded = all;
    a->sampled = !dense;
    return STATUS_OK;
}

/* For rows that are assigned once, rounding them for a screen of their own would not pay: f32, in
 * their place. */
status kmeans_assign(const features *x, const float *c, int k, int threads, uint16_t *label,
    float *distance, kmeans_counts *counts) {
    kmeans_assigner *a = NULL;
    kmeans_assigner_options o = {k, threads, KMEANS_SCREEN_DENSE, KMEANS_F32, NULL};
    status st = kmeans_assigner_create(&a, x, &o);
    if (st == STATUS_OK) st = kmeans_assigner_assign(a, c, label, counts);
    if (st == STATUS_OK && distance) st = kmeans_distances(x, c, label, threads, distance);
    kmeans_assigner_destroy(a);
    return st;
}
