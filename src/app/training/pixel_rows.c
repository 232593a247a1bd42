/* The loss compares pixels of all images of the global batch, so that no gradient can begin before
 * every image has been through the network: where they pass in waves, all but the last go through
 * it twice (gradient caching: Gao, Zhang, Han, Callan 2021). Whether there is one wave or several,
 * the bits are the same. */
#include "src/app/training/pixel_rows.h"

#include "src/app/stage/choices.h"
#include "src/app/training/divergence.h"
#include "src/base/hash.h"
#include "src/base/memory.h"
#include "src/contrast/choose_pixels.h"
#include "src/contrast/unit_rows.h"

#include <stdio.h>
#include <string.h>

/* Processors multiply bf16 in different ways, and a checkpoint of one way does not continue in
 * another. A loss in float32 has one way. */
uint64_t pixel_rows_key(const stage *t) {
    bool ways = t->s->pretrain.loss_dtype == DTYPE_BF16;
    return ways ? hash_append(t->key, &t->how.pairs, sizeof t->how.pairs) : t->key;
}

/* As large as a step can need: nothing is allocated later. Rows are at most `wanted` an image; how
 * many there are is of the step. `scale` is what brought each row to length 1, which its gradient
 * needs on the way back. */
status pixel_rows_create(pixel_rows *r, trainer *t, const pixel_rows_options *o) {
    *r = (pixel_rows){.t = t, .o = *o, .wanted = t->s->pretrain.pixels};
    plan_output_shape(t->plan, o->output, &r->h, &r->w, &r->d);
    size_t rows = (size_t)t->local * (size_t)r->wanted, d = (size_t)r->d;
    r->z = memory_alloc(rows, d * sizeof *r->z, "embeddings");
    r->scale = memory_alloc(rows, sizeof *r->scale, "embeddings");
    r->gradient = memory_alloc(rows, d * sizeof *r->gradient, "gradient of embeddings");
    r->label = memory_alloc(rows, sizeof *r->label, "labels of rows");
    r->image = memory_alloc(rows, sizeof *r->image, "images of rows");
    r->partner = memory_alloc(rows, sizeof *r->partner, "partners of rows");
    bool bounded = pixel_rows_bounded(t->s, t->o.images);
    if (bounded) r->key = memory_alloc(rows, sizeof *r->key, "draw of the pool");
    bool whole = (r->key || !bounded) && r->z && r->scale && r->gradient && r->label && r->image &&
                 r->partner;
    status st = comm_agree(t->c, whole ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK) st = pool_exchange_create(&r->exchange, t->c, o->queue);
    if (st != STATUS_OK) pixel_rows_destroy(r);
    return st;
}

void pixel_rows_destroy(pixel_rows *r) {
    pool_exchange_destroy(r->exchange);
    memory_free(r->z);
    memory_free(r->scale);
    memory_free(r->gradient);
    memory_free(r->label);
    memory_free(r->image);
    memory_free(r->partner);
    memory_free(r->key);
    *r = (pixel_rows){0};
}

/* Streams are keyed by the place in the global batch. */
status pixel_rows_choose(const pixel_rows *r, batch *b, int i, const uint16_t *grid) {
    const trainer *t = r->t;
    random_stream s = random_begin(
        (uint64_t)t->s->run.seed, RANDOM_PIXELS, (uint64_t)b->step, (uint64_t)(t->first + i));
    const label_grid own = {r->h, r->w, grid, t->s->pretrain.boundary};
    return choose_evenly(
        &s, &own, r->wanted, b->chosen + (size_t)i * (size_t)r->wanted, &b->count[i]);
}

/* Rows of the pool in the order of the batch: label, image and partner of each. */
static void list_rows(pixel_rows *r, const batch *b, const uint16_t *grid) {
    /* A partner is a row of this rank, the other view's pixel of the same place: as many rows
     * further on, or back, as the view has. */
    size_t pixels = (size_t)r->h * (size_t)r->w;
    bool partners = r->o.positives != POSITIVES_AUXILIARY;
    r->now = b;
    r->n = 0;
    for (int i = 0; i < r->t->local; i++) {
        int other = i % 2 ? -b->count[i] : b->count[i];
        for (int k = 0; k < b->count[i]; k++, r->n++) {
            int at = b->chosen[(size_t)i * (size_t)r->wanted + (size_t)k];
            uint16_t label = grid[(size_t)i * pixels + (size_t)at];
            r->label[r->n] = label == LABEL_IGNORE ? -1 : label;
            r->image[r->n] = b->source[i / r->t->o.together];
            r->partner[r->n] = partners ? (int32_t)r->n + other : -1;
        }
    }
}

status pixel_rows_begin(pixel_rows *r, batch *b, const uint16_t *grid) {
    status st = r->key ? pixel_rows_draw(r, b) : STATUS_OK;
    if (st == STATUS_OK) list_rows(r, b, grid);
    return st;
}

/* First row of local image i. Images have different numbers of pixels: labels that are rare in one
 * give it fewer. A batch is short, a sum over it costs nothing. */
static size_t row_of(const pixel_rows *r, int i) {
    size_t row = 0;
    for (int j = 0; j < i; j++) row += (size_t)r->now->count[j];
    return row;
}

/* Rows of local image i. */
static unit_rows rows_of(const pixel_rows *r, int i) {
    size_t row = row_of(r, i);
    return (unit_rows){.count = r->now->count[i],
        .d = r->d,
        .pixel = r->now->chosen + (size_t)i * (size_t)r->wanted,
        .z = r->z + row * (size_t)r->d,
        .scale = r->scale + row};
}

/* After trainer_forward of wave k: its chosen pixels' embeddings as unit rows. */
static void embed(pixel_rows *r, int k) {
    int first, images = trainer_wave(r->t, k, &first);
#pragma omp parallel for schedule(dynamic) num_threads(r->t->threads)
    for (int i = 0; i < images; i++) {
        unit_rows own = rows_of(r, first + i);
        unit_rows_take(&own, plan_output(r->t->plan, r->o.output, i));
    }
}

/* Name of the first image whose embeddings are not finite, or NULL. The weights or one image have
 * made them so; the loss could only say that a row is bad. */
static const char *fault_of(const pixel_rows *r) {
    for (size_t row = 0; row < r->n; row++) {
        const float *z = r->z + row * (size_t)r->d;
        float zero = 0; /* what is not finite is no zero times zero */
        for (int j = 0; j < r->d; j++) zero += 0 * z[j];
        if (!(zero == 0)) return samples_name(r->o.images, r->image[row]);
    }
    return NULL;
}

/* Ranks have different numbers of waves: they agree once, when all of theirs are through. */
status pixel_rows_forward(pixel_rows *r) {
    trainer *t = r->t;
    char fault[DIVERGENCE_TEXT] = "";
    status st = STATUS_OK;
    for (int k = 0; k < t->waves.count && st == STATUS_OK; k++) {
        st = trainer_forward(t, k);
        double now = timer_now();
        if (st == STATUS_OK) embed(r, k);
        timer_lap(&t->time, PHASE_LOSS, now);
    }
    const char *name = st == STATUS_OK ? fault_of(r) : NULL;
    if (name) {
        snprintf(fault, sizeof fault, "the embeddings of image %s are not finite", name);
        st = STATUS_NONFINITE;
    }
    st = comm_agree(t->c, st);
    return st == STATUS_NONFINITE ? divergence_report(t, fault) : st;
}

static contrast_options loss_options(const pixel_rows *r) {
    const settings *s = r->t->s;
    return (contrast_options){.positives = r->o.positives,
        .scope = choices_scope(s->pretrain.scope),
        .temperature = s->pretrain.temperature,
        .threads = r->t->threads,
        .type = s->pretrain.loss_dtype,
        .pairs = r->t->o.how->pairs,
        .group = r->o.group};
}

/* The pool is put together from all ranks' rows in the order of the batch. */
status pixel_rows_loss(pixel_rows *r, float weight, contrast_stats *stats) {
    contrast_options o = loss_options(r);
    double now = timer_now();
    const contrast_pool mine = {r->n, r->d, r->z, r->label, r->image, r->partner};
    status st = pool_loss(r->exchange, &o, &mine, stats, r->gradient);
    if (st == STATUS_OK && weight != 1)
        for (size_t i = 0; i < r->n * (size_t)r->d; i++) r->gradient[i] *= weight;
    timer_lap(&r->t->time, PHASE_LOSS, now);
    return st;
}

/* Local image i, the plan's image `at`. A pixel of the second view may be the partner of several:
 * their gradients add. */
static void scatter_image(pixel_rows *r, int i, int at) {
    unit_rows own = rows_of(r, i);
    float *to = plan_output_gradient(r->t->plan, r->o.output, at);
    memset(to, 0, (size_t)r->h * (size_t)r->w * (size_t)r->d * sizeof *to);
    unit_rows_scatter(&own, r->gradient + row_of(r, i) * (size_t)r->d, to);
}

/* Each image by one thread: no two write to the same map. */
void pixel_rows_scatter(pixel_rows *r, int k) {
    double now = timer_now();
    int first, images = trainer_wave(r->t, k, &first);
#pragma omp parallel for schedule(dynamic) num_threads(r->t->threads)
    for (int i = 0; i < images; i++) scatter_image(r, first + i, i);
    timer_lap(&r->t->time, PHASE_LOSS, now);
}
