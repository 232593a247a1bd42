/* Norm layers: from each image's moments to its unit's mean and deviation, from those to a scale
 * and a shift a channel; backward from each image's two sums to the gradient's three factors a
 * channel. What is a loop over pixels is in kernels/norm.c; here are rows of [C] in float64.
 *
 * Forward, with deviation = sqrt(variance + epsilon):
 *   y = (x - mean) / deviation * gamma + beta = scale x + shift
 * Backward, with g the gradient of y behind the ReLU, xhat = (x - mean) / deviation, n pixels of a
 * unit:
 *   dgamma = sum g xhat, dbeta = sum g, dx = scale (g - dbeta / n - xhat dgamma / n)
 * Under NORM_FROZEN mean and deviation are constants, and dx = scale g.
 *
 * Who does what: all threads of a team measure, sum and map an image; between those the main thread
 * alone combines rows, for each image's must be there, and they are few numbers. The combination
 * runs over the images of a unit in their order, whatever thread or rank measured them. A wave is
 * whole units, so that no unit is divided over waves; under NORM_SYNC the unit is the global batch,
 * whose sums are those of integers (plan_sync.h). */
#include "src/nn/plan/plan_norm.h"

#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/rows.h"
#include "src/nn/kernels/lanes32.h"
#include "src/nn/plan/plan_sync.h"

#include <math.h>
#include <string.h>

int norm_units(const plan *p, int images) {
    bool grouped = plan_batch_statistics(p) && p->o.norm == NORM_GROUP;
    return grouped ? (images + p->o.group - 1) / p->o.group : 1;
}

/* A wave begins with a unit. */
static size_t unit_of(const plan *p, int image) {
    return plan_batch_statistics(p) && p->o.norm == NORM_GROUP ? (size_t)(image / p->o.group) : 0;
}

bool plan_is_norm(const plan *p, value v) {
    bool apart = p->o.mode == PLAN_TRAIN || p->layer[v].writer == v;
    return plan_has_role(p, v, OPERATOR_STATISTICS) && apart;
}

bool norm_takes_gradient(const plan *p, value v) {
    const layer *l = &p->layer[v];
    return l->summed >= 0 && l->summed == v - 1 && l->n->relu && l->gradient >= 0 &&
           p->layer[l->summed].gradient == l->gradient;
}

/* Images of the smallest unit that a step may have. */
static int smallest_unit(const plan *p) {
    int all = p->o.batch > 0 ? p->o.batch : p->o.images;
    if (p->o.norm == NORM_SYNC) return all;
    int rest = all % p->o.group;
    return rest > 0 ? rest : p->o.group;
}

/* Of a single value mean and value are the same: the normalised map is zero whatever the image
 * shows, and nothing behind it learns. Nothing fails, so that it would go unnoticed. */
status plan_check_norms(const plan *p) {
    if (!plan_batch_statistics(p)) return STATUS_OK;
    int unit = smallest_unit(p);
    for (value v = 0; v < p->nodes; v++) {
        const layer *l = &p->layer[v];
        if (!plan_has_role(p, v, OPERATOR_STATISTICS)) continue;
        if ((int64_t)unit * l->height * l->width > 1) continue;
        log_error(
            "a norm has one value a channel to take statistics of (%s of %d image on a map of "
            "1 x 1): model.norm = \"frozen\", %s needed",
            p->o.norm == NORM_SYNC ? "the batch" : "a group", unit,
            p->o.norm == NORM_SYNC ? "a batch of 2 images or a larger crop is"
                                   : "groups of 2 images or a larger crop are");
        return STATUS_USAGE;
    }
    return STATUS_OK;
}

/* Groups need statistics for as many units as fit in a wave, the other modes for one. mean,
 * deviation and unbiased are one allocation, scale and shift another; `mean` and `scale` own them.
 * PLAN_INFER runs norms that could not be folded by running statistics: no rows of images. */
static status create_norm(plan *p, layer *l) {
    norm_state *m = &l->norm;
    size_t c = (size_t)l->n->channels, images = (size_t)p->o.images;
    size_t units = (size_t)norm_units(p, p->o.images);
    m->pixels = (size_t)l->height * (size_t)l->width;
    m->mean = plan_alloc(p, 3 * units * c, sizeof(double), "norm statistics");
    m->scale = plan_alloc(p, 2 * units * c, sizeof(float), "norm statistics");
    if (!m->mean || !m->scale) return STATUS_FAILED;
    m->deviation = m->mean + units * c;
    m->unbiased = m->deviation + units * c;
    m->shift = m->scale + units * c;
    if (p->o.mode == PLAN_INFER) return STATUS_OK;
    m->moments = plan_alloc(p, images * 2 * c, sizeof(double), "norm statistics");
    m->sums = plan_alloc(p, images * 2 * c, sizeof(double), "norm statistics");
    m->factors = plan_alloc(p, units * 3 * c, sizeof(float), "norm statistics");
    m->gradient = plan_alloc(p, c, sizeof(float), "norm statistics");
    m->total = plan_alloc(p, 2 * c, sizeof(double), "norm statistics");
    bool ok = m->moments && m->sums && m->factors && m->gradient && m->total;
    return ok ? STATUS_OK : STATUS_FAILED;
}

status plan_create_norms(plan *p) {
    status st = STATUS_OK;
    size_t widest = 0;
    for (value v = 0; v < p->nodes && st == STATUS_OK; v++) {
        layer *l = &p->layer[v];
        if (!plan_is_norm(p, v)) continue;
        if ((size_t)l->n->channels > widest) widest = (size_t)l->n->channels;
        st = create_norm(p, l);
    }
    return st == STATUS_OK ? plan_create_sync(p, widest) : st;
}

void plan_destroy_norm(layer *l) {
    memory_free(l->norm.mean);
    memory_free(l->norm.scale);
    memory_free(l->norm.moments);
    memory_free(l->norm.sums);
    memory_free(l->norm.factors);
    memory_free(l->norm.gradient);
    memory_free(l->norm.total);
}

/* 4 float64 rows of [C] an image (moments, sums); a unit has 3 of float64 and 5 of fp32, which are
 * counted for each image as if it were a unit. */
size_t plan_norm_bytes(const plan *p) {
    size_t channels = 0, each = 4 * sizeof(double);
    if (p->o.norm == NORM_GROUP) each += 3 * sizeof(double) + 5 * sizeof(float);
    for (value v = 0; v < p->nodes; v++)
        if (plan_is_norm(p, v)) channels += (size_t)p->layer[v].n->channels;
    return channels * each;
}

/* This thread's channels, in whole vectors as layer_part asks for. */
static layer_part channels_of(const team *t, int channels) {
    size_t begin, end;
    team_share(t, (size_t)channels, LANES32, &begin, &end);
    return (layer_part){(int)begin, (int)end};
}

void norm_measure(plan *p, value v, int image, const team *t) {
    const layer *l = &p->layer[v];
    size_t c = (size_t)l->n->channels;
    double *row = l->norm.moments + (size_t)image * 2 * c;
    layer_moments(plan_data(p, l->n->input[0], image, 0), l->norm.pixels, l->n->channels,
        channels_of(t, l->n->channels), p->o.type, row, row + c);
}

/* Chan, Golub, LeVeque 1983: means and sums of squared deviations of `images` rows, each of
 * `pixels`, one after another. m2 [C] is left in `m2`. The first row is taken with weight 1, since
 * nothing comes before it. */
static void combine_moments(
    const double *rows, int images, size_t pixels, size_t c, double *mean, double *m2) {
    memset(mean, 0, c * sizeof *mean);
    memset(m2, 0, c * sizeof *m2);
    double n = (double)pixels;
    for (int i = 0; i < images; i++) {
        const double *row = rows + (size_t)i * 2 * c;
        double before = n * i, share = n / (before + n);
        for (size_t j = 0; j < c; j++) {
            double delta = row[j] - mean[j];
            mean[j] += delta * share;
            m2[j] += row[c + j] + delta * delta * before * share;
        }
    }
}

/* y = scale x + shift. In float64 until the end: shift is a difference of numbers that may be large
 * beside it. */
static void set_affine(const plan *p, layer *l, size_t unit) {
    size_t c = (size_t)l->n->channels, at = unit * c;
    const float *gamma = plan_parameter(p, l->n->weight), *beta = plan_parameter(p, l->n->bias);
    for (size_t j = 0; j < c; j++) {
        double scale = gamma[j] / l->norm.deviation[at + j];
        l->norm.scale[at + j] = (float)scale;
        l->norm.shift[at + j] = (float)(beta[j] - l->norm.mean[at + j] * scale);
    }
}

/* m2 is in `unbiased` before. The biased variance normalises, the unbiased one goes to the running
 * statistics, as PyTorch does; of one value there is no unbiased one, and it is 0. */
static void finish_unit(const plan *p, layer *l, size_t unit, int images) {
    norm_state *m = &l->norm;
    size_t c = (size_t)l->n->channels, at = unit * c;
    double n = (double)m->pixels * images;
    for (size_t j = at; j < at + c; j++) {
        double m2 = m->unbiased[j];
        m->deviation[j] = sqrt(m2 / n + NORM_EPSILON);
        m->unbiased[j] = n > 1 ? m2 / (n - 1) : 0;
    }
    set_affine(p, l, unit);
}

/* Its images one after another: they are all of this rank. */
static void combine_group(const plan *p, layer *l, int first, int images) {
    norm_state *m = &l->norm;
    size_t c = (size_t)l->n->channels, unit = unit_of(p, first), at = unit * c;
    const double *rows = m->moments + (size_t)first * 2 * c;
    combine_moments(rows, images, m->pixels, c, m->mean + at, m->unbiased + at);
    finish_unit(p, l, unit, images);
}

/* Of the one unit that all images belong to. */
static void use_running(const plan *p, layer *l) {
    const float *mean = plan_parameter(p, l->n->mean);
    const float *variance = plan_parameter(p, l->n->variance);
    for (int j = 0; j < l->n->channels; j++) {
        l->norm.mean[j] = mean[j];
        l->norm.deviation[j] = sqrt((double)variance[j] + NORM_EPSILON);
    }
    set_affine(p, l, 0);
}

/* A last group may be smaller. A rank without images has no units under NORM_GROUP, but exchanges
 * under NORM_SYNC. */
void norm_combine(plan *p, value v, int images, const step_context *c) {
    layer *l = &p->layer[v];
    if (!plan_batch_statistics(p)) {
        use_running(p, l);
    } else if (p->o.norm == NORM_SYNC) {
        int all = sync_moments(p, l, images, c);
        if (all > 0) finish_unit(p, l, 0, all);
    } else {
        for (int first = 0; first < images; first += p->o.group)
            combine_group(p, l, first, images - first < p->o.group ? images - first : p->o.group);
    }
}

/* With the statistics of the image's unit; borrowed. */
static layer_norm norm_of(const plan *p, const layer *l, int image) {
    size_t at = unit_of(p, image) * (size_t)l->n->channels;
    return (layer_norm){.channels = l->n->channels,
        .relu = l->n->relu,
        .scale = l->norm.scale + at,
        .shift = l->norm.shift + at,
        .mean = l->norm.mean + at,
        .deviation = l->norm.deviation + at};
}

/* A map from this thread's share of the pixels on. */
static void *share_of(const plan *p, const layer *l, const team *t, const void *x, size_t *pixels) {
    size_t begin, end;
    team_share(t, l->norm.pixels, 1, &begin, &end);
    *pixels = end - begin;
    return row_at(x, begin * (size_t)l->n->channels, p->o.type);
}

status norm_forward(plan *p, value v, const turn *r) {
    const layer *l = &p->layer[v];
    layer_norm n = norm_of(p, l, r->image);
    size_t pixels;
    const void *x = plan_place(p, l->n->input[0], r->image, r->t->leader, r->again);
    void *y = plan_place(p, v, r->image, r->t->leader, r->again);
    x = share_of(p, l, r->t, x, &pixels);
    layer_affine(&n, x, NULL, share_of(p, l, r->t, y, &pixels), pixels, p->o.type);
    return STATUS_OK;
}

/* The ReLU is the sum's; the norm has none of its own where it is fused (plan_fuse.c). */
void norm_apply_sum(plan *p, value v, const turn *r) {
    int image = r->image;
    const team *t = r->t;
    const node *sum = p->layer[v].n;
    const layer *l = &p->layer[p->layer[v].summed];
    value other = sum->input[0] == p->layer[v].summed ? sum->input[1] : sum->input[0];
    layer_norm n = norm_of(p, l, image);
    n.relu = sum->relu;
    size_t pixels;
    const void *x = share_of(p, l, t, plan_data(p, l->n->input[0], image, t->leader), &pixels);
    const void *residual = share_of(p, l, t, plan_data(p, other, image, t->leader), &pixels);
    void *y = share_of(p, l, t, plan_data(p, v, image, t->leader), &pixels);
    layer_affine(&n, x, residual, y, pixels, p->o.type);
}

static void sum_image(plan *p, value v, const void *y, int image, const team *t) {
    const layer *l = &p->layer[v];
    layer_norm n = norm_of(p, l, image);
    layer_norm_sums(&n, channels_of(t, n.channels), plan_saved(p, l->n->input[0], image, 0), y,
        plan_gradient(p, v, image), l->norm.pixels, p->o.type,
        l->norm.sums + (size_t)image * 2 * (size_t)n.channels);
}

void norm_sum_image(plan *p, value v, int image, const team *t) {
    sum_image(p, v, NULL, image, t);
}

void norm_sum_summed(plan *p, value v, int image, const team *t) {
    sum_image(p, p->layer[v].summed, plan_saved(p, v, image, 0), image, t);
}

/* Sums over the images of a unit, in their order; sums [2, C]. */
static void add_rows(const double *rows, int images, size_t width, double *sums) {
    memset(sums, 0, width * sizeof *sums);
    for (int i = 0; i < images; i++)
        for (size_t j = 0; j < width; j++) sums[j] += rows[(size_t)i * width + j];
}

/* dx = scale (g - mean(g) - xhat mean(g xhat)) as f0 g + f1 x + f2. sums [2, C]: sum g, sum g xhat,
 * over the n pixels of the unit. n = 0: statistics are constants (NORM_FROZEN). */
static void set_factors(layer *l, size_t unit, const double *sums, double n) {
    size_t c = (size_t)l->n->channels, at = unit * c;
    float *f = l->norm.factors + 3 * at;
    for (size_t j = 0; j < c; j++) {
        double scale = l->norm.scale[at + j], mean = l->norm.mean[at + j];
        double slope = n > 0 ? -scale * sums[c + j] / (n * l->norm.deviation[at + j]) : 0;
        double level = n > 0 ? -scale * sums[j] / n : 0;
        f[j] = (float)scale;
        f[c + j] = (float)slope;
        f[2 * c + j] = (float)(level - slope * mean);
    }
}

/* The gradient of weight and bias of one unit, from its sums. bias: sum g, weight: sum g xhat; by
 * way of `gradient` [C], for the exact sum takes floats. */
static void add_gradient(plan *p, const layer *l, const double *sums, gradient *total) {
    size_t c = (size_t)l->n->channels;
    for (size_t j = 0; j < c; j++) l->norm.gradient[j] = (float)sums[j];
    gradient_add(total, p->item[l->n->bias], l->norm.gradient, 0, c);
    for (size_t j = 0; j < c; j++) l->norm.gradient[j] = (float)sums[c + j];
    gradient_add(total, p->item[l->n->weight], l->norm.gradient, 0, c);
}

/* The unit of the statistics is also that of the exact sum: it is rounded once. */
static void combine_groups(plan *p, layer *l, int images, gradient *total) {
    size_t width = 2 * (size_t)l->n->channels;
    double *sums = l->norm.total;
    for (int first = 0; first < images; first += p->o.group) {
        int n = images - first < p->o.group ? images - first : p->o.group;
        add_rows(l->norm.sums + (size_t)first * width, n, width, sums);
        set_factors(l, (size_t)(first / p->o.group), sums, (double)l->norm.pixels * n);
        add_gradient(p, l, sums, total);
    }
}

/* Under NORM_SYNC the gradient of the map needs the sums of all ranks, those of weight and bias
 * none: each image is rounded by itself, and the exact sum does the rest. */
void norm_combine_sums(plan *p, value v, int images, const step_context *c, gradient *total) {
    layer *l = &p->layer[v];
    size_t width = 2 * (size_t)l->n->channels;
    if (p->o.norm == NORM_GROUP) {
        combine_groups(p, l, images, total);
        return;
    }
    /* Each image is a unit. */
    for (int i = 0; i < images; i++) add_gradient(p, l, l->norm.sums + (size_t)i * width, total);
    int all = p->o.norm == NORM_SYNC ? sync_sums(p, l, images, c) : 0;
    if (images > 0) set_factors(l, 0, l->norm.total, (double)l->norm.pixels * all);
}

status norm_backward(plan *p, value v, const turn *r) {
    int image = r->image;
    const team *t = r->t;
    const layer *l = &p->layer[v];
    layer_norm n = norm_of(p, l, image);
    const float *factors = l->norm.factors + 3 * unit_of(p, image) * (size_t)n.channels;
    size_t pixels;
    const void *x = share_of(p, l, t, plan_saved(p, l->n->input[0], image, 0), &pixels);
    const void *dy = share_of(p, l, t, plan_gradient(p, v, image), &pixels);
    void *dx = share_of(p, l, t, plan_gradient(p, l->n->input[0], image), &pixels);
    layer_norm_gradient(&n, x, dy, dx, pixels, factors, l->accumulates[0], p->o.type);
    return STATUS_OK;
}
