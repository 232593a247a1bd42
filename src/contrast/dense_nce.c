/* Correspondence and loss of the cells of a map, a tile of them at a time. A view has hundreds of
 * cells, each compared with the whole queue: as many products as the contrast of pixels has, and
 * made by the same kernels, where a single query of a whole image (src/contrast/info_nce.h) goes by
 * the definition. A tile keeps all its products: its softmax is over the whole queue. */
#include "src/contrast/dense_nce.h"

#include "src/base/memory.h"
#include "src/base/unit_length.h"
#include "src/contrast/terms.h"

#include <math.h>
#include <string.h>

status dense_negatives_create(dense_negatives *out, const key_queue *q) {
    dense_negatives x = {.queue = q, .pitch = (q->d + PANEL - 1) / PANEL * PANEL};
    size_t floats = panels_blocks(q->n) * TILE_COLUMNS * (size_t)x.pitch;
    status st = panels_create(&x.right, q->n, q->d);
    if (st == STATUS_OK) {
        x.row = memory_alloc(floats, sizeof *x.row, "queue of keys");
        if (!x.row) st = STATUS_FAILED;
    }
    if (st != STATUS_OK) {
        dense_negatives_destroy(&x);
        return st;
    }
    memset(x.row, 0, floats * sizeof *x.row);
    for (size_t i = 0; i < q->n; i++) dense_negatives_update(&x, i);
    *out = x;
    return STATUS_OK;
}

void dense_negatives_destroy(dense_negatives *x) {
    panels_destroy(&x->right);
    memory_free(x->row);
    *x = (dense_negatives){0};
}

void dense_negatives_update(const dense_negatives *x, size_t i) {
    const float *row = x->queue->key + i * (size_t)x->queue->d;
    panels_put(&x->right, i, row);
    memcpy(x->row + i * (size_t)x->pitch, row, (size_t)x->queue->d * sizeof *row);
}

/* Of the embeddings as they come, not of their directions: as the authors' head has it. */
void dense_pool(const float *embedding, size_t cells, int d, double *sum, float *row) {
    for (int k = 0; k < d; k++) sum[k] = 0;
    for (size_t i = 0; i < cells; i++)
        for (int k = 0; k < d; k++) sum[k] += (double)embedding[i * (size_t)d + (size_t)k];
    for (int k = 0; k < d; k++) row[k] = (float)(sum[k] / (double)cells);
    unit_length_row(row, d, row);
}

status dense_work_create(
    dense_work *out, const dense_negatives *negatives, size_t cells, int channels) {
    size_t n = negatives->queue->n, tile = (size_t)TILE_ROWS * (size_t)negatives->pitch;
    int d = negatives->queue->d;
    dense_work w = {0};
    w.left = memory_alloc(
        panels_left_words(d > channels ? d : channels), sizeof *w.left, "similarities of keys");
    w.dot = memory_alloc(
        panels_dot_floats(n > cells ? n : cells), sizeof *w.dot, "similarities of keys");
    w.part = memory_alloc(tile, sizeof *w.part, "similarities of keys");
    w.sum = memory_alloc(tile, sizeof *w.sum, "similarities of keys");
    if (!w.left || !w.dot || !w.part || !w.sum) {
        dense_work_destroy(&w);
        return STATUS_FAILED;
    }
    *out = w;
    return STATUS_OK;
}

void dense_work_destroy(dense_work *w) {
    memory_free(w->left);
    memory_free(w->dot);
    memory_free(w->part);
    memory_free(w->sum);
    *w = (dense_work){0};
}

/* Where the product of row i on the left with row j on the right lies. */
static float *dot_at(const dense_work *w, int i, size_t j) {
    return w->dot + (j / TILE_COLUMNS * TILE_ROWS + (size_t)i) * TILE_STRIDE + j % TILE_COLUMNS;
}

/* The length of f_i divides all of its products alike and is left out. */
void dense_match(const float *feature, int count, const panels *other, dense_work *w, int *match) {
    panels_left(feature, count, other->d, w->left);
    panels_dots(other, w->left, w->dot);
    for (int i = 0; i < count; i++) {
        match[i] = 0;
        for (size_t j = 1; j < other->n; j++)
            if (*dot_at(w, i, j) > *dot_at(w, i, (size_t)match[i])) match[i] = (int)j;
    }
}

/* Products with all negatives. What is left out, as the rows of zeros at the end are, has the
 * product -inf, whose exponential is next to nothing and finite. */
static void compare(const dense_queries *x, const dense_negatives *negatives, dense_work *w) {
    const key_queue *q = negatives->queue;
    panels_left(x->query, x->count, q->d, w->left);
    panels_dots(&negatives->right, w->left, w->dot);
    for (size_t j = 0; j < panels_blocks(q->n) * TILE_COLUMNS; j++) {
        bool counts = j < q->n && (x->image < 0 || q->image[j] != x->image);
        for (int i = 0; i < x->count && !counts; i++) *dot_at(w, i, j) = -INFINITY;
    }
}

/* One query's softmax. */
typedef struct softmax {
    double loss;
    double total, others; /* of e^{(s - peak) / tau}: with its key, without */
} softmax;

/* Less the largest product, no exponential overflows; those of the negatives stay in place. */
static softmax exponentials(const dense_work *w, int i, size_t blocks, double own, double tau) {
    float peak = (float)own;
    softmax s = {0};
    for (size_t b = 0; b < blocks; b++) {
        float largest = terms_largest(dot_at(w, i, b * TILE_COLUMNS), TILE_COLUMNS);
        if (!(largest <= peak)) peak = largest;
    }
    for (size_t b = 0; b < blocks; b++)
        s.others +=
            terms_negative(dot_at(w, i, b * TILE_COLUMNS), TILE_COLUMNS, peak, (float)(1 / tau));
    s.total = exp((own - (double)peak) / tau) + s.others;
    s.loss = log(s.total) + ((double)peak - own) / tau;
    return s;
}

/* sum [TILE_ROWS, pitch] of exponentials times the queue's rows. */
static void weigh(const dense_negatives *negatives, dense_work *w) {
    size_t pitch = (size_t)negatives->pitch, tile = TILE_ROWS * pitch;
    memset(w->sum, 0, tile * sizeof *w->sum);
    for (size_t b = 0; b < panels_blocks(negatives->queue->n); b++) {
        product_rows(w->dot + b * TILE_ROWS * TILE_STRIDE, TILE_COLUMNS,
            negatives->row + b * TILE_COLUMNS * pitch, pitch, w->part);
        terms_accumulate(w->sum, w->part, tile);
    }
}

static double product(const float *a, const float *b, int d) {
    double sum = 0;
    for (int k = 0; k < d; k++) sum += (double)a[k] * (double)b[k];
    return sum;
}

double dense_nce(const dense_queries *x, const dense_negatives *negatives, double temperature,
    double scale, dense_work *w, float *gradient) {
    int d = negatives->queue->d;
    size_t blocks = panels_blocks(negatives->queue->n);
    double loss = 0;
    softmax s[TILE_ROWS];
    compare(x, negatives, w);
    for (int i = 0; i < x->count; i++) {
        const float *key = x->key + (size_t)x->match[i] * (size_t)d;
        double own = product(x->query + (size_t)i * (size_t)d, key, d);
        s[i] = exponentials(w, i, blocks, own, temperature);
        loss += s[i].loss;
    }
    weigh(negatives, w);
    /* p_k - 1 as minus the others' share: it keeps its digits where p_k is nearly 1. */
    for (int i = 0; i < x->count; i++) {
        const float *key = x->key + (size_t)x->match[i] * (size_t)d;
        const double *sum = w->sum + (size_t)i * (size_t)negatives->pitch;
        double factor = scale / (temperature * s[i].total);
        for (int k = 0; k < d; k++)
            gradient[(size_t)i * (size_t)d + (size_t)k] =
                (float)(factor * (sum[k] - s[i].others * (double)key[k]));
    }
    return loss;
}
