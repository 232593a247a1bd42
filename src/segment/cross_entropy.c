/* Softmax and cross-entropy at the labels' resolution, in one sweep over the output's rows: a row
 * is upsampled, its loss and gradient computed, and the gradient added to the two input rows that
 * the row was made of, before the next one takes its place. Memory is a few rows, whatever the
 * image's size, and each logit is read while it is in the cache.
 *
 * The gradient of a pixel is softmax minus one-hot. Its label's part, p - 1, is kept as e^(x -
 * largest) minus the sum, and divided by the sum in the end, as all parts are. */
#include "src/segment/cross_entropy.h"

#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/vector.h"
#include "src/image/image.h"

#include <math.h>
#include <string.h>

/* A sum of exponentials is from 1 to the number of classes, below 2^17: so many of them have a
 * product that is a finite double, and one logarithm serves for all. */
enum { FACTORS = 32 };

typedef struct rows {
    float *logits;        /* [K, W], then exponentials, then gradients */
    float *largest, *sum; /* [W] */
    float *factor;        /* [W] */
    float *low, *high;    /* [K, W]: gradient of the input rows above and below */
    int row;              /* the input row of `low` */
    double loss, product; /* loss without the logarithm of product */
    int factors;          /* in product */
} rows;

int64_t cross_entropy_pixels(const uint16_t *labels, size_t n) {
    int64_t pixels = 0;
    for (size_t i = 0; i < n; i++) pixels += labels[i] != LABEL_IGNORE;
    return pixels;
}

/* Before anything is computed: a label that is no class would index beyond a row. */
static status check_labels(const uint16_t *labels, size_t n, int classes) {
    for (size_t i = 0; i < n; i++) {
        if (labels[i] < classes || labels[i] == LABEL_IGNORE) continue;
        log_error(
            "cross-entropy: label %d of pixel %zu is not one of %d classes", labels[i], i, classes);
        return STATUS_DATA;
    }
    return STATUS_OK;
}

/* -log softmax of each pixel that counts: largest + log(sum) - logit, one logarithm for several
 * sums. Call before the logits become exponentials; add_sums after. */
static void add_logits(rows *r, const uint16_t *labels, int width) {
    for (int x = 0; x < width; x++) {
        if (labels[x] == LABEL_IGNORE) continue;
        float logit = r->logits[(size_t)labels[x] * (size_t)width + (size_t)x];
        r->loss += (double)r->largest[x] - (double)logit;
    }
}

/* The logarithm of the sums so far. A sum that is NaN stays one, and so does the loss. */
static void close_product(rows *r) {
    r->loss += log(r->product);
    r->product = 1;
    r->factors = 0;
}

/* The label's exponential becomes itself less the sum. Where the network is sure and right, few
 * digits are left of it, as in PyTorch. */
static void add_sums(rows *r, const uint16_t *labels, int width, float scale) {
    for (int x = 0; x < width; x++) {
        r->factor[x] = 0;
        if (labels[x] == LABEL_IGNORE) continue;
        r->factor[x] = scale / r->sum[x];
        r->logits[(size_t)labels[x] * (size_t)width + (size_t)x] -= r->sum[x];
        r->product *= (double)r->sum[x];
        if (++r->factors == FACTORS) close_product(r);
    }
}

/* low and high += the gradient of an output row, split by the vertical weight. */
VECTOR_CLONES static void add_gradient(rows *r, int classes, int width, float weight) {
    float rest = 1 - weight;
    for (int k = 0; k < classes; k++) {
        size_t at = (size_t)k * (size_t)width;
        const float *g = r->logits + at, *factor = r->factor;
        float *low = r->low + at, *high = r->high + at;
        for (int x = 0; x < width; x++) {
            float v = g[x] * factor[x];
            low[x] += rest * v;
            high[x] += weight * v;
        }
    }
}

/* Hands the finished input row to the gradient; the row below becomes the row above. next: the
 * input row that the coming output rows begin with, -1 after the last one. If it is the row below,
 * the two change places and nothing of it is lost; else both are handed over. */
static void finish_row(const upsample *u, rows *r, int next, float *gradient) {
    size_t n = (size_t)u->in.classes * (size_t)u->width;
    size_t pitch = (size_t)u->in.classes * (size_t)u->in.w;
    int below = r->row + 1 < u->in.h ? r->row + 1 : r->row;
    upsample_narrow(u, r->low, gradient + (size_t)r->row * pitch);
    if (next == below) {
        float *swap = r->low;
        r->low = r->high;
        r->high = swap;
    } else {
        upsample_narrow(u, r->high, gradient + (size_t)below * pitch);
        memset(r->low, 0, n * sizeof *r->low);
    }
    memset(r->high, 0, n * sizeof *r->high);
    r->row = next;
}

/* Everything that one row of labels has to say. Pixels in order: the loss is one sequence of
 * additions, whoever computes it. */
static void output_row(upsample *u, rows *r, int y, const uint16_t *labels, float scale) {
    int width = u->width;
    upsample_row(u, y, r->logits);
    pixels_largest(r->logits, u->in.classes, width, r->largest);
    add_logits(r, labels, width);
    pixels_exponentials(r->logits, u->in.classes, width, r->largest, r->sum);
    add_sums(r, labels, width, scale);
    add_gradient(r, u->in.classes, width, u->y.weight[y]);
}

status cross_entropy(const logit_map *logits, const uint16_t *labels, int height, int width,
    double scale, double *loss, float *gradient) {
    upsample u;
    status st = check_labels(labels, (size_t)height * (size_t)width, logits->classes);
    if (st == STATUS_OK) st = upsample_create(&u, logits, height, width);
    if (st != STATUS_OK) return st;
    size_t line = (size_t)width, n = (size_t)logits->classes * line;
    size_t inputs = (size_t)logits->h * (size_t)logits->w * (size_t)logits->classes;
    float *memory = memory_alloc(3 * n + 3 * line, sizeof *memory, "rows of the cross-entropy");
    if (!memory) {
        st = STATUS_FAILED;
        goto done;
    }
    rows r = {.logits = memory, .low = memory + n, .high = memory + 2 * n, .product = 1};
    r.largest = memory + 3 * n;
    r.sum = r.largest + line;
    r.factor = r.sum + line;
    memset(gradient, 0, inputs * sizeof *gradient);
    for (int y = 0; y < height; y++) {
        if (u.y.low[y] != r.row) finish_row(&u, &r, u.y.low[y], gradient);
        output_row(&u, &r, y, labels + (size_t)y * line, (float)scale);
    }
    finish_row(&u, &r, -1, gradient);
    close_product(&r);
    *loss = r.loss;
done:
    memory_free(memory);
    upsample_destroy(&u);
    return st;
}
