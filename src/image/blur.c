/* A Gaussian is a product of one in x and one in y: two passes of 2 r + 1 taps take the place of
 * one of (2 r + 1)^2. Both passes are sums of whole lines, so that one loop of vector code serves
 * them; the second works down the columns without walking down memory. */
#include "src/image/blur.h"

#include "src/base/memory.h"
#include "src/base/vector.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* weight [2 radius + 1], made to add up to 1 after they were cut off: brightness stays. The sum is
 * of doubles, before weights are rounded. */
static void gaussian(double sigma, int radius, float *weight) {
    double sum = 0;
    for (int d = -radius; d <= radius; d++) sum += exp(-0.5 * d * d / (sigma * sigma));
    for (int d = -radius; d <= radius; d++)
        weight[d + radius] = (float)(exp(-0.5 * d * d / (sigma * sigma)) / sum);
}

/* "abc" goes on as "cb": the border pixel is not doubled. The radius is below the size. So one
 * reflection is enough. */
static int reflect(int i, int size) {
    return i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i;
}

/* out [n]: sum over k of weight[k] from[k][.]. Four at a time: out is read and written once for
 * each four. */
VECTOR_CLONES static void add_lines(
    const float *const *from, const float *weight, int count, size_t n, float *restrict out) {
    int k = 0;
    memset(out, 0, n * sizeof *out);
    for (; k + 4 <= count; k += 4) {
        const float *a = from[k], *b = from[k + 1], *c = from[k + 2], *d = from[k + 3];
        float wa = weight[k], wb = weight[k + 1], wc = weight[k + 2], wd = weight[k + 3];
        for (size_t i = 0; i < n; i++) out[i] += wa * a[i] + wb * b[i] + (wc * c[i] + wd * d[i]);
    }
    for (; k < count; k++)
        for (size_t i = 0; i < n; i++) out[i] += weight[k] * from[k][i];
}

typedef struct blur {
    int size, radius;
    float *weight, *wide, *copy; /* [taps]; a line with its mirrored ends; the view, columns done */
    const float **line;          /* [taps] */
} blur;

/* Columns of every row: into b->copy. A line with its mirrored ends is laid out once; shifted by k
 * pixels it is the k-th line of the sum. The borders cost no question in the loop. */
static void blur_columns(const blur *b, const float *x) {
    int r = b->radius, size = b->size;
    size_t row = 3 * (size_t)size;
    for (int k = 0; k <= 2 * r; k++) b->line[k] = b->wide + 3 * k;
    for (int y = 0; y < size; y++) {
        const float *from = x + (size_t)y * row;
        for (int j = -r; j < size + r; j++)
            memcpy(b->wide + 3 * (j + r), from + 3 * reflect(j, size), 3 * sizeof *from);
        add_lines(b->line, b->weight, 2 * r + 1, row, b->copy + (size_t)y * row);
    }
}

/* Rows of b->copy, back into x: lines are pointed at, not moved. */
static void blur_rows(const blur *b, float *x) {
    int r = b->radius, size = b->size;
    size_t row = 3 * (size_t)size;
    for (int y = 0; y < size; y++) {
        for (int k = 0; k <= 2 * r; k++)
            b->line[k] = b->copy + (size_t)reflect(y + k - r, size) * row;
        add_lines(b->line, b->weight, 2 * r + 1, row, x + (size_t)y * row);
    }
}

/* One block holds the three arrays of floats. Columns go to the copy, rows come back from it: the
 * view is never read where it is already blurred. */
status blur_gaussian(double sigma, int size, float *x) {
    blur b = {.size = size, .radius = (int)fmin(ceil(3 * sigma), size - 1)};
    size_t taps = 2 * (size_t)b.radius + 1, n = (size_t)size;
    b.weight = memory_alloc(taps + 3 * (n + taps) + 3 * n * n, sizeof *b.weight, "blur");
    b.line = memory_alloc(taps, sizeof *b.line, "blur");
    bool whole = b.weight && b.line;
    if (whole) {
        b.wide = b.weight + taps;
        b.copy = b.wide + 3 * (n + taps);
        gaussian(sigma, b.radius, b.weight);
        blur_columns(&b, x);
        blur_rows(&b, x);
    }
    memory_free(b.weight);
    memory_free(b.line);
    return whole ? STATUS_OK : STATUS_FAILED;
}
