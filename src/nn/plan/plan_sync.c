/* Sums over ranks in integers (src/base/fixed_sum.h). The squared deviations of a batch are those
 * within its images, and those of the images' means from the batch's. For the second the mean must
 * be known, which would take one more exchange; instead the means are integers q of at most
 * MEAN_BITS, and
 *
 *   sum (q - mean q)^2 = (n sum q^2 - (sum q)^2) / n
 *
 * is exact in 128 bits: nothing cancels that was rounded before. A mean is off by 2^-51 of the
 * largest of its channel, by more only in batches of over 2^11 images; the activations that it is
 * of are rounded to 2^-24 or worse. */
#include "src/nn/plan/plan_sync.h"

#include "src/base/fixed_sum.h"
#include "src/base/memory.h"
#include "src/base/sum128.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum {
    MEAN_BITS = 50,
    /* Of a channel: sums of means, of squared deviations, and the pieces of the sum of squares. */
    PIECES = 4,
    SUMS = 2 + PIECES,
};

status plan_create_sync(plan *p, size_t widest) {
    if (p->o.mode != PLAN_TRAIN || p->o.norm != NORM_SYNC) return STATUS_OK;
    p->sync_exponent = plan_alloc(p, 2 * widest, sizeof *p->sync_exponent, "norm statistics");
    p->sync_sum = plan_alloc(p, SUMS * widest, sizeof *p->sync_sum, "norm statistics");
    return p->sync_exponent && p->sync_sum ? STATUS_OK : STATUS_FAILED;
}

void plan_destroy_sync(plan *p) {
    memory_free(p->sync_exponent);
    memory_free(p->sync_sum);
}

/* Of the global batch. */
static int all_images(const step_context *c, int images) {
    return c->exchange.sum ? c->exchange.images : images;
}

/* Exponents of rows [images, width] over all ranks; sums [sums] are zero. */
static void begin(
    plan *p, const double *rows, int images, size_t width, size_t sums, const step_context *c) {
    for (size_t j = 0; j < width; j++) p->sync_exponent[j] = FIXED_ZERO;
    for (int i = 0; i < images; i++)
        fixed_exponents(rows + (size_t)i * width, width, p->sync_exponent);
    if (c->exchange.max) c->exchange.max(c->exchange.context, p->sync_exponent, width);
    memset(p->sync_sum, 0, sums * sizeof *p->sync_sum);
}

/* An image's mean [C] as an integer, and its square. */
static void add_means(plan *p, const double *mean, size_t c, int bits) {
    for (size_t j = 0; j < c; j++) {
        int64_t q = fixed_from(mean[j], p->sync_exponent[j], bits);
        sum128 square = {0};
        sum128_add(&square, (int128)q * q);
        p->sync_sum[j] += q;
        for (size_t k = 0; k < PIECES; k++) p->sync_sum[(2 + k) * c + j] += square.part[k];
    }
}

/* Channel j of C. */
static void finish_channel(const plan *p, layer *l, size_t j, int images, int bits) {
    size_t c = (size_t)l->n->channels;
    int32_t exponent = p->sync_exponent[j];
    int64_t sum = p->sync_sum[j];
    sum128 squares;
    for (size_t k = 0; k < PIECES; k++) squares.part[k] = p->sync_sum[(2 + k) * c + j];
    double spread = (double)(sum128_value(&squares) * images - (int128)sum * sum) / images;
    double within = fixed_value(
        p->sync_sum[c + j], p->sync_exponent[c + j], fixed_bits(images, FIXED_SUM_BITS));
    l->norm.mean[j] = fixed_value(sum, exponent, bits) / images;
    /* Of means that are all zero or not finite no integer is other than zero. */
    double between = spread > 0 ? ldexp(spread, 2 * (exponent - bits)) : 0;
    l->norm.unbiased[j] = within + (double)l->norm.pixels * between;
}

int sync_moments(plan *p, layer *l, int images, const step_context *c) {
    size_t channels = (size_t)l->n->channels, width = 2 * channels;
    int all = all_images(c, images), bits = fixed_bits(all, MEAN_BITS);
    int m2_bits = fixed_bits(all, FIXED_SUM_BITS);
    begin(p, l->norm.moments, images, width, SUMS * channels, c);
    for (int i = 0; i < images; i++) {
        const double *row = l->norm.moments + (size_t)i * width;
        add_means(p, row, channels, bits);
        fixed_add(
            row + channels, channels, p->sync_exponent + channels, m2_bits, p->sync_sum + channels);
    }
    if (c->exchange.sum) c->exchange.sum(c->exchange.context, p->sync_sum, SUMS * channels);
    for (size_t j = 0; j < channels && all > 0; j++) finish_channel(p, l, j, all, bits);
    return all;
}

int sync_sums(plan *p, layer *l, int images, const step_context *c) {
    size_t width = 2 * (size_t)l->n->channels;
    int all = all_images(c, images), bits = fixed_bits(all, FIXED_SUM_BITS);
    begin(p, l->norm.sums, images, width, width, c);
    for (int i = 0; i < images; i++)
        fixed_add(l->norm.sums + (size_t)i * width, width, p->sync_exponent, bits, p->sync_sum);
    if (c->exchange.sum) c->exchange.sum(c->exchange.context, p->sync_sum, width);
    for (size_t j = 0; j < width; j++)
        l->norm.total[j] = fixed_value(p->sync_sum[j], p->sync_exponent[j], bits);
    return all;
}
