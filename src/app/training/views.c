/* What the contrastive loss sees of a batch: a few pixels of each view, drawn evenly over the
 * auxiliary labels, their embeddings as rows of length 1, and the way back of the gradient. Rows
 * stand in the order of the batch, so that the pool of all ranks is in one order, too, however many
 * ranks there are. */
#include "src/app/training/views.h"

#include "src/app/stage/choices.h"
#include "src/app/stage/setup.h"
#include "src/base/memory.h"
#include "src/contrast/choose_pixels.h"
#include "src/contrast/unit_rows.h"

#include <string.h>

/* Pixels of local images i and i + 1, the two views of one image. By labels each view is drawn by
 * itself, from a stream of its own; by places both are drawn at once, as pairs, from the first
 * one's. Streams are keyed by the place in the global batch. */
static status choose_pixels(const views *v, batch *b, int i, const view *pair) {
    size_t pixels = (size_t)v->h * (size_t)v->w, wanted = (size_t)v->wanted;
    int *first = b->chosen + (size_t)i * wanted, *second = first + wanted;
    const uint16_t *grid = b->label + (size_t)i * pixels;
    double boundary = v->t->s->pretrain.boundary;
    status st = STATUS_OK;
    for (int k = 0; k < (v->positives == POSITIVES_AUXILIARY ? 2 : 1) && st == STATUS_OK; k++) {
        random_stream r = random_begin((uint64_t)v->t->s->run.seed, RANDOM_PIXELS,
            (uint64_t)b->step, (uint64_t)(v->t->first + i + k));
        if (v->positives == POSITIVES_AUXILIARY) {
            const label_grid own = {v->h, v->w, grid + (size_t)k * pixels, boundary};
            st = choose_evenly(&r, &own, v->wanted, first + (size_t)k * wanted, &b->count[i + k]);
            continue;
        }
        /* The control knows nothing of labels: its pairs are drawn uniformly. */
        const label_grid even = {
            v->h, v->w, v->positives == POSITIVES_BOTH ? grid : NULL, boundary};
        pixel_pairs chosen = {first, second, 0};
        st = choose_pairs(&r, pair, &even, v->wanted, &chosen);
        b->count[i] = b->count[i + 1] = chosen.count;
    }
    return st;
}

/* Both views of one image: local images i and i + 1. */
static status load_pair(void *context, batch *b, int part) {
    const views *v = context;
    view pair[2];
    sample m;
    labelmap aux = {0};
    status st = samples_get(v->images, b->source[part], &m);
    if (st != STATUS_OK) return st;
    if (v->aux) st = labels_load(v->aux, b->source[part], &aux);
    for (int k = 0; k < 2 && st == STATUS_OK; k++)
        st = batch_view(b, 2 * part + k, &m, v->aux ? &aux : &m.label, &pair[k]);
    samples_release(&m);
    labelmap_destroy(&aux);
    return st == STATUS_OK ? choose_pixels(v, b, 2 * part, pair) : st;
}

/* As large as a step can need: nothing is allocated later. Rows are at most `wanted` a view; how
 * many there are is of the step. `scale` is what brought each row to length 1, which its gradient
 * needs on the way back. Collective. */
status views_create(views *v, trainer *t, const views_source *from) {
    *v = (views){.t = t, .images = from->images, .aux = from->aux};
    v->positives = choices_positives(t->s->pretrain.positives);
    v->group = from->group;
    v->wanted = t->s->pretrain.pixels;
    plan_output_shape(t->plan, 0, &v->h, &v->w, &v->d);
    size_t local = (size_t)t->local, rows = local * (size_t)v->wanted, d = (size_t)v->d;
    v->z = memory_alloc(rows, d * sizeof *v->z, "embeddings");
    v->scale = memory_alloc(rows, sizeof *v->scale, "embeddings");
    v->gradient = memory_alloc(rows, d * sizeof *v->gradient, "gradient of embeddings");
    v->label = memory_alloc(rows, sizeof *v->label, "labels of rows");
    v->image = memory_alloc(rows, sizeof *v->image, "images of rows");
    v->partner = memory_alloc(rows, sizeof *v->partner, "partners of rows");
    bool bounded = views_bounded(t->s);
    if (bounded) v->key = memory_alloc(rows, sizeof *v->key, "draw of the pool");
    bool whole = (v->key || !bounded) && v->z && v->scale && v->gradient && v->label && v->image &&
                 v->partner;
    status st = comm_agree(t->c, whole ? STATUS_OK : STATUS_FAILED);
    batches_options o = {.sequence = from->sequence,
        .views = setup_views(&t->s->pretrain.view, t->o.crop),
        .label_height = v->h,
        .label_width = v->w,
        .wanted = v->wanted,
        .make = load_pair,
        .context = v};
    if (st == STATUS_OK) st = pool_exchange_create(&v->exchange, t->c, from->queue);
    if (st == STATUS_OK) st = batches_create(&v->source, t, &o);
    if (st != STATUS_OK) views_destroy(v);
    return st;
}

void views_destroy(views *v) {
    batches_destroy(v->source);
    pool_exchange_destroy(v->exchange);
    memory_free(v->z);
    memory_free(v->scale);
    memory_free(v->gradient);
    memory_free(v->label);
    memory_free(v->image);
    memory_free(v->partner);
    memory_free(v->key);
    *v = (views){0};
}

/* Rows of the pool in the order of the batch: label, image and partner of each. */
static void list_rows(views *v) {
    /* A partner is a row of this rank, the other view's pixel of the same place: as many rows
     * further on, or back, as the view has. */
    const batch *b = v->now;
    size_t pixels = (size_t)v->h * (size_t)v->w;
    v->n = 0;
    for (int i = 0; i < v->t->local; i++) {
        int other = i % 2 ? -b->count[i] : b->count[i];
        for (int k = 0; k < b->count[i]; k++, v->n++) {
            int at = b->chosen[(size_t)i * (size_t)v->wanted + (size_t)k];
            uint16_t label = b->label[(size_t)i * pixels + (size_t)at];
            v->label[v->n] = label == LABEL_IGNORE ? -1 : label;
            v->image[v->n] = b->source[i / 2];
            v->partner[v->n] = v->positives == POSITIVES_AUXILIARY ? -1 : (int32_t)v->n + other;
        }
    }
}

status views_load(views *v) {
    batch *b;
    status st = comm_agree(v->t->c, batches_next(v->source, &b));
    if (st == STATUS_OK && v->key) st = views_draw(v, b);
    v->now = b;
    if (st == STATUS_OK) list_rows(v);
    return st;
}

/* First row of local image i. Views have different numbers of pixels: labels that are rare in one
 * give it fewer. A batch is short, a sum over it costs nothing. */
static size_t row_of(const views *v, int i) {
    size_t row = 0;
    for (int j = 0; j < i; j++) row += (size_t)v->now->count[j];
    return row;
}

/* Rows of local image i. */
static unit_rows rows_of(const views *v, int i) {
    size_t row = row_of(v, i);
    return (unit_rows){.count = v->now->count[i],
        .d = v->d,
        .pixel = v->now->chosen + (size_t)i * (size_t)v->wanted,
        .z = v->z + row * (size_t)v->d,
        .scale = v->scale + row};
}

void views_embed(views *v, int k) {
    int first, images = trainer_wave(v->t, k, &first);
#pragma omp parallel for schedule(dynamic) num_threads(v->t->threads)
    for (int i = 0; i < images; i++) {
        unit_rows r = rows_of(v, first + i);
        unit_rows_take(&r, plan_output(v->t->plan, 0, i));
    }
}

/* The weights or one image have made them so; the loss could only say that a row is bad. */
const char *views_fault(const views *v) {
    for (size_t row = 0; row < v->n; row++) {
        const float *z = v->z + row * (size_t)v->d;
        float zero = 0; /* what is not finite is no zero times zero */
        for (int j = 0; j < v->d; j++) zero += 0 * z[j];
        if (!(zero == 0)) return samples_name(v->images, v->image[row]);
    }
    return NULL;
}

/* Local image i, the plan's image `at`. A pixel of the second view may be the partner of several:
 * their gradients add. */
static void scatter_image(views *v, int i, int at) {
    unit_rows r = rows_of(v, i);
    float *to = plan_output_gradient(v->t->plan, 0, at);
    memset(to, 0, (size_t)v->h * (size_t)v->w * (size_t)v->d * sizeof *to);
    unit_rows_scatter(&r, v->gradient + row_of(v, i) * (size_t)v->d, to);
}

/* Each image by one thread: no two write to the same map. */
void views_scatter(views *v, int k) {
    int first, images = trainer_wave(v->t, k, &first);
#pragma omp parallel for schedule(dynamic) num_threads(v->t->threads)
    for (int i = 0; i < images; i++) scatter_image(v, first + i, i);
}
