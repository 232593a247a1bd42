/* Bicubic interpolation of position embeddings, by rows and then by columns, once when weights are
 * packed. The weights along an axis are the same for all lines, so they are made once for each.
 *
 * The two ways differ in more than their constant. With antialias (torch's
 * _upsample_bicubic2d_aa) a sample outside of the grid is left out and the rest weigh 1 together;
 * without it (upsample_bicubic2d) it counts as the nearest one inside. And 0.1 is added to the size
 * before the factor is taken, which DINO once needed against rounding down and which moves every
 * coordinate a little: a network was trained, or is compared, with the one or the other. */
#include "src/nn/kernels/positions.h"

#include "src/base/memory.h"

#include <math.h>
#include <string.h>

/* What one output is made of: `count` inputs from `first` on, with their weights. */
typedef struct mix {
    int first, count;
    double *weight;
} mix;

/* Keys' cubic convolution (1981). */
static double cubic(double x, double a) {
    x = fabs(x);
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

static int clamp(int i, int size) {
    return i < 0 ? 0 : i >= size ? size - 1 : i;
}

/* Output i of `out`, from `in` inputs; samples outside are the border's. */
static mix mix_scaled(int i, int in, int out, double *weight) {
    double at = (i + 0.5) * in / (out + 0.1) - 0.5, floored = floor(at);
    int low = clamp((int)floored - 1, in), high = clamp((int)floored + 2, in);
    mix m = {.first = low, .count = high - low + 1, .weight = weight};
    for (int k = -1; k <= 2; k++)
        m.weight[clamp((int)floored + k, in) - low] += cubic(at - floored - k, -0.75);
    return m;
}

/* The same with antialias: the kernel is as wide as an output is, in inputs. */
static mix mix_sized(int i, int in, int out, double *weight) {
    double scale = (double)in / out, wide = scale > 1 ? scale : 1;
    double centre = scale * (i + 0.5), sum = 0;
    int low = (int)(centre - 2 * wide + 0.5), high = (int)(centre + 2 * wide + 0.5);
    if (low < 0 || centre - 2 * wide + 0.5 < 0) low = 0;
    if (high > in) high = in;
    mix m = {.first = low, .count = high - low, .weight = weight};
    for (int k = 0; k < m.count; k++) {
        m.weight[k] = cubic((low + k - centre + 0.5) / wide, -0.5);
        sum += m.weight[k];
    }
    for (int k = 0; k < m.count; k++) m.weight[k] /= sum;
    return m;
}

/* How each of `out` outputs is made of `in` inputs; weight [out, taps]. */
static void mix_axis(mix *m, int in, int out, bool antialias, double *weight, size_t taps) {
    memset(weight, 0, (size_t)out * taps * sizeof *weight);
    for (int i = 0; i < out; i++, weight += taps)
        m[i] = antialias ? mix_sized(i, in, out, weight) : mix_scaled(i, in, out, weight);
}

/* Lines of an image: `out` vectors of `channels` floats, `step` apart, of vectors `step` apart. */
static void mix_line(const mix *m, int out, const float *x, float *y, size_t step, int channels) {
    for (int i = 0; i < out; i++)
        for (int c = 0; c < channels; c++) {
            double sum = 0;
            for (int k = 0; k < m[i].count; k++)
                sum += m[i].weight[k] * x[(size_t)(m[i].first + k) * step + (size_t)c];
            y[(size_t)i * step + (size_t)c] = (float)sum;
        }
}

status positions_resize(
    const float *x, int grid, float *y, int height, int width, int channels, bool antialias) {
    size_t c = (size_t)channels, g = (size_t)grid, w = (size_t)width;
    if (height == grid && width == grid) {
        memcpy(y, x, g * g * c * sizeof *y);
        return STATUS_OK;
    }
    int longest = height > width ? height : width;
    /* The four that bicubic takes, or, shrunk with antialias, all of the grid at most. */
    size_t taps = g < 4 ? 4 : g;
    mix *m = memory_alloc((size_t)longest, sizeof *m, "positions");
    double *weight = memory_alloc((size_t)longest, taps * sizeof *weight, "positions");
    float *half = memory_alloc(g * w * c, sizeof *half, "positions"); /* [grid, width, C] */
    if (m && weight && half) {
        mix_axis(m, grid, width, antialias, weight, taps);
        for (size_t r = 0; r < g; r++)
            mix_line(m, width, x + r * g * c, half + r * w * c, c, channels);
        mix_axis(m, grid, height, antialias, weight, taps);
        for (size_t i = 0; i < w; i++)
            mix_line(m, height, half + i * c, y + i * c, w * c, channels);
    }
    status st = m && weight && half ? STATUS_OK : STATUS_FAILED;
    memory_free(m);
    memory_free(weight);
    memory_free(half);
    return st;
}
