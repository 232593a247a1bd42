#include "src/base/vector.h"
#include "src/nn/layers.h"
#include "src/nn/rows.h"

/* Between which two positions of the input an output lies, and how near the second one. */
typedef struct tap {
    int first, second;
    float weight; /* of the second */
} tap;

static tap tap_of(int out, int out_size, int in_size) {
    float x = ((float)out + 0.5f) * (float)in_size / (float)out_size - 0.5f;
    if (x < 0) x = 0;
    tap t = {.first = (int)x};
    if (t.first > in_size - 1) t.first = in_size - 1;
    t.second = t.first + 1 < in_size ? t.first + 1 : t.first;
    t.weight = x - (float)t.first;
    return t;
}

static size_t at(const layer_shape *s, int row, int column, int width) {
    return ((size_t)row * (size_t)width + (size_t)column) * (size_t)s->channels;
}

/* The four inputs of an output pixel and their weights. */
static void corners(const layer_shape *s, int i, int j, size_t where[4], float weight[4]) {
    tap r = tap_of(i, s->out_height, s->in_height), c = tap_of(j, s->out_width, s->in_width);
    where[0] = at(s, r.first, c.first, s->in_width);
    where[1] = at(s, r.first, c.second, s->in_width);
    where[2] = at(s, r.second, c.first, s->in_width);
    where[3] = at(s, r.second, c.second, s->in_width);
    weight[0] = (1 - r.weight) * (1 - c.weight);
    weight[1] = (1 - r.weight) * c.weight;
    weight[2] = r.weight * (1 - c.weight);
    weight[3] = r.weight * c.weight;
}

VECTOR_CLONES void layer_resize(const layer_shape *s, const void *x, void *y) {
    float a[ROW], sum[ROW], weight[4];
    size_t where[4];
    for (int i = 0; i < s->out_height; i++)
        for (int j = 0; j < s->out_width; j++) {
            corners(s, i, j, where, weight);
            for (size_t c0 = 0, m, n = (size_t)s->channels; c0 < n; c0 += m) {
                m = n - c0 < ROW ? n - c0 : ROW;
                memset(sum, 0, m * sizeof *sum);
                for (int k = 0; k < 4; k++) {
                    row_load(a, row_at(x, where[k] + c0, s->type), m, s->type);
                    for (size_t c = 0; c < m; c++) sum[c] += weight[k] * a[c];
                }
                row_store(row_at(y, at(s, i, j, s->out_width) + c0, s->type), sum, m, s->type);
            }
        }
}

VECTOR_CLONES void layer_resize_gradient(
    const layer_shape *s, const void *dy, void *dx, bool add, float *work) {
    float g[ROW], weight[4];
    size_t where[4], elements = at(s, s->in_height, 0, s->in_width);
    memset(work, 0, elements * sizeof *work);
    for (int i = 0; i < s->out_height; i++)
        for (int j = 0; j < s->out_width; j++) {
            corners(s, i, j, where, weight);
            for (size_t c0 = 0, m, n = (size_t)s->channels; c0 < n; c0 += m) {
                m = n - c0 < ROW ? n - c0 : ROW;
                row_load(g, row_at(dy, at(s, i, j, s->out_width) + c0, s->type), m, s->type);
                for (int k = 0; k < 4; k++) {
                    float *to = work + where[k] + c0;
                    for (size_t c = 0; c < m; c++) to[c] += weight[k] * g[c];
                }
            }
        }
    for (size_t i = 0, m; i < elements; i += m) {
        m = elements - i < ROW ? elements - i : ROW;
        if (add) {
            row_load(g, row_at(dx, i, s->type), m, s->type);
            for (size_t c = 0; c < m; c++) work[i + c] += g[c];
        }
        row_store(row_at(dx, i, s->type), work + i, m, s->type);
    }
}
