#include "src/app/views.h"

#include "src/base/memory.h"
#include "src/contrast/sample.h"

#include <math.h>
#include <string.h>

static contrast_positives positives_of(const settings *s) {
    if (strcmp(s->pretrain.positives, "augmentation") == 0) return POSITIVES_AUGMENTATION;
    return strcmp(s->pretrain.positives, "both") == 0 ? POSITIVES_BOTH : POSITIVES_AUXILIARY;
}

status views_create(views *v, trainer *t, samples *images, const labels *aux, order *sequence) {
    *v = (views){.t = t, .images = images, .aux = aux, .sequence = sequence};
    v->positives = positives_of(t->s);
    v->wanted = t->s->pretrain.pixels;
    plan_output_shape(t->plan, 0, &v->h, &v->w, &v->d);
    size_t local = (size_t)t->local, rows = local * (size_t)v->wanted, d = (size_t)v->d;
    v->source = memory_alloc(local / 2, sizeof *v->source, "batch");
    v->pixel = memory_alloc(rows, sizeof *v->pixel, "chosen pixels");
    v->taken = memory_alloc(local, sizeof *v->taken, "chosen pixels");
    v->grid = memory_alloc(local * (size_t)v->h, (size_t)v->w * sizeof *v->grid, "labels of views");
    v->z = memory_alloc(rows, d * sizeof *v->z, "embeddings");
    v->length = memory_alloc(rows, sizeof *v->length, "embeddings");
    v->gradient = memory_alloc(rows, d * sizeof *v->gradient, "gradient of embeddings");
    v->label = memory_alloc(rows, sizeof *v->label, "labels of rows");
    v->image = memory_alloc(rows, sizeof *v->image, "images of rows");
    v->partner = memory_alloc(rows, sizeof *v->partner, "partners of rows");
    bool whole = v->source && v->pixel && v->taken && v->grid && v->z && v->length && v->gradient &&
                 v->label && v->image && v->partner;
    if (!whole) views_destroy(v);
    return whole ? STATUS_OK : STATUS_FAILED;
}

void views_destroy(views *v) {
    memory_free(v->source);
    memory_free(v->pixel);
    memory_free(v->taken);
    memory_free(v->grid);
    memory_free(v->z);
    memory_free(v->length);
    memory_free(v->gradient);
    memory_free(v->label);
    memory_free(v->image);
    memory_free(v->partner);
    *v = (views){0};
}

static augment_options augmentation(const settings *s) {
    return (augment_options){.crop = s->pretrain.crop,
        .scale_min = s->pretrain.scale_min,
        .scale_max = s->pretrain.scale_max,
        .flip = s->pretrain.flip,
        .jitter = s->pretrain.jitter,
        .grey = s->pretrain.grey};
}

/* Pixels of local images i and i + 1, the two views of one image. */
static status choose_pixels(views *v, int i, const view *pair) {
    size_t pixels = (size_t)v->h * (size_t)v->w, wanted = (size_t)v->wanted;
    int *first = v->pixel + (size_t)i * wanted, *second = first + wanted;
    const uint16_t *grid = v->grid + (size_t)i * pixels;
    status st = STATUS_OK;
    for (int k = 0; k < (v->positives == POSITIVES_AUXILIARY ? 2 : 1) && st == STATUS_OK; k++) {
        random_stream r = random_begin((uint64_t)v->t->s->run.seed, RANDOM_PIXELS,
            (uint64_t)v->t->step, (uint64_t)(v->t->first + i + k));
        if (v->positives == POSITIVES_AUXILIARY) {
            st = sample_even(&r, grid + (size_t)k * pixels, v->h * v->w, v->wanted,
                first + (size_t)k * wanted, &v->taken[i + k]);
            continue;
        }
        /* The control knows nothing of labels: its pairs are drawn uniformly. */
        const uint16_t *even = v->positives == POSITIVES_BOTH ? grid : NULL;
        st = sample_pairs(
            &r, &pair[0], &pair[1], v->h, v->w, even, v->wanted, first, second, &v->taken[i]);
        v->taken[i + 1] = v->taken[i];
    }
    return st;
}

/* Both views of one image: local images i and i + 1. */
static status load_pair(views *v, int i) {
    trainer *t = v->t;
    augment_options o = augmentation(t->s);
    size_t pixels = (size_t)v->h * (size_t)v->w;
    view pair[2];
    sample m;
    labelmap aux = {0};
    status st = samples_get(v->images, v->source[i / 2], &m);
    if (st != STATUS_OK) return st;
    st = labels_load(v->aux, v->source[i / 2], &aux);
    for (int k = 0; k < 2 && st == STATUS_OK; k++) {
        random_stream r = random_begin((uint64_t)t->s->run.seed, RANDOM_AUGMENT, (uint64_t)t->step,
            (uint64_t)(t->first + i + k));
        pair[k] = view_draw(&r, &o, m.rgb.height, m.rgb.width);
        st = view_image(&pair[k], &m.rgb, plan_input(t->plan, i + k));
        view_labels(&pair[k], m.rgb.height, m.rgb.width, &aux, v->h, v->w,
            v->grid + (size_t)(i + k) * pixels);
    }
    samples_release(&m);
    labelmap_destroy(&aux);
    return st == STATUS_OK ? choose_pixels(v, i, pair) : st;
}

/* Rows of the pool in the order of the batch: label, image and partner of each. */
static void list_rows(views *v) {
    size_t pixels = (size_t)v->h * (size_t)v->w;
    v->n = 0;
    for (int i = 0; i < v->t->local; i++) {
        int other = i % 2 ? -v->taken[i] : v->taken[i];
        for (int k = 0; k < v->taken[i]; k++, v->n++) {
            int at = v->pixel[(size_t)i * (size_t)v->wanted + (size_t)k];
            uint16_t label = v->grid[(size_t)i * pixels + (size_t)at];
            v->label[v->n] = label == LABEL_IGNORE ? -1 : label;
            v->image[v->n] = v->source[i / 2];
            v->partner[v->n] = v->positives == POSITIVES_AUXILIARY ? -1 : (int32_t)v->n + other;
        }
    }
}

status views_load(views *v) {
    trainer *t = v->t;
    double now = timer_now();
    status worst = STATUS_OK;
    for (int i = 0; i < t->local; i += 2)
        v->source[i / 2] = order_at(v->sequence, (t->step * t->o.images + t->first + i) / 2);
#pragma omp parallel for schedule(dynamic) num_threads(t->threads)
    for (int i = 0; i < t->local; i += 2) {
        status st = load_pair(v, i);
        if (st != STATUS_OK) {
#pragma omp critical(worst)
            worst = st;
        }
    }
    if (worst == STATUS_OK) list_rows(v);
    timer_lap(&t->time, PHASE_DECODE, now);
    return worst;
}

/* First row of local image i. */
static size_t row_of(const views *v, int i) {
    size_t row = 0;
    for (int j = 0; j < i; j++) row += (size_t)v->taken[j];
    return row;
}

static void embed_image(views *v, int i) {
    size_t row = row_of(v, i), d = (size_t)v->d;
    const float *from = plan_output(v->t->plan, 0, i);
    for (int k = 0; k < v->taken[i]; k++, row++) {
        const float *e = from + (size_t)v->pixel[i * v->wanted + k] * d;
        double sum = 0;
        for (size_t j = 0; j < d; j++) sum += (double)e[j] * e[j];
        /* PyTorch's normalize: a vector of zeros stays one. */
        v->length[row] = (float)fmax(sqrt(sum), 1e-12);
        for (size_t j = 0; j < d; j++) v->z[row * d + j] = e[j] / v->length[row];
    }
}

void views_embed(views *v) {
#pragma omp parallel for schedule(dynamic) num_threads(v->t->threads)
    for (int i = 0; i < v->t->local; i++) embed_image(v, i);
}

/* d/de of z = e / |e|: (g - z (z.g)) / |e|. */
static void scatter_image(views *v, int i) {
    size_t row = row_of(v, i), d = (size_t)v->d;
    float *to = plan_output_gradient(v->t->plan, 0, i);
    memset(to, 0, (size_t)v->h * (size_t)v->w * d * sizeof *to);
    for (int k = 0; k < v->taken[i]; k++, row++) {
        const float *g = v->gradient + row * d, *z = v->z + row * d;
        float *e = to + (size_t)v->pixel[i * v->wanted + k] * d;
        double dot = 0;
        for (size_t j = 0; j < d; j++) dot += (double)g[j] * z[j];
        /* A pixel of the second view may be the partner of several: their gradients add. */
        for (size_t j = 0; j < d; j++) e[j] += (float)((g[j] - z[j] * dot) / v->length[row]);
    }
}

void views_scatter(views *v) {
#pragma omp parallel for schedule(dynamic) num_threads(v->t->threads)
    for (int i = 0; i < v->t->local; i++) scatter_image(v, i);
}
