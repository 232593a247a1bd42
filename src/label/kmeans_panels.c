/* Centroids as products take them, and what that loses. Letters, as in kmeans_screen.h: g: a
 * centroid less the shift; f: g less its rounded form; phi, reach, noise: a panel's part of the
 * bound E, the largest of its centroids. Here a: a column of the panel.
 *
 * All of it is computed in float64 from the centroids themselves and rounded upward. It is done
 * once an iteration for K centroids, and the bound of every row rests on it. */
#include "src/base/bf16.h"
#include "src/base/memory.h"
#include "src/label/kmeans_screen.h"

#include <math.h>
#include <string.h>

/* Panels are even in number, as products take two at a time. What is beyond K has an infinite half
 * square, and so never the least p. */
status screen_panels_create(
    screen_panels *p, product_type type, int k, int d, int threads, const int *order) {
    int panels = (k + PRODUCT_PANEL - 1) / PRODUCT_PANEL, elements = product_elements(type);
    panels = (panels + PRODUCT_PANELS - 1) / PRODUCT_PANELS * PRODUCT_PANELS;
    *p = (screen_panels){.type = type, .k = k, .d = d, .panels = panels};
    p->steps = ((size_t)d + (size_t)elements - 1) / (size_t)elements;
    size_t columns = (size_t)panels * PRODUCT_PANEL;
    p->centroid = memory_alloc(columns, sizeof *p->centroid, "order of centroids");
    p->column = memory_alloc((size_t)k, sizeof *p->column, "order of centroids");
    p->data = memory_alloc(columns * p->steps, sizeof *p->data, "packed centroids");
    p->half = memory_alloc(columns, sizeof *p->half, "norms of centroids");
    p->scale = memory_alloc(4 * (size_t)panels, sizeof *p->scale, "bounds of centroids");
    p->scratch_threads = threads < panels ? threads : panels;
    p->scratch = memory_alloc((size_t)p->scratch_threads * PRODUCT_PANEL * (size_t)d,
        sizeof *p->scratch, "centroids of a panel");
    if (!p->centroid || !p->column || !p->data || !p->half || !p->scale || !p->scratch) {
        screen_panels_destroy(p);
        return STATUS_FAILED;
    }
    p->phi = p->scale + panels;
    p->reach = p->phi + panels;
    p->noise = p->reach + panels;
    for (size_t a = 0; a < columns; a++) {
        p->centroid[a] = a < (size_t)k ? order[a] : -1;
        p->half[a] = INFINITY;
        if (a < (size_t)k) p->column[order[a]] = (int)a;
    }
    return STATUS_OK;
}

void screen_panels_destroy(screen_panels *p) {
    memory_free(p->centroid);
    memory_free(p->column);
    memory_free(p->data);
    memory_free(p->half);
    memory_free(p->scale);
    memory_free(p->scratch);
    *p = (screen_panels){0};
}

/* Element j of a packed centroid as the arithmetic holds it; *held: its value. */
static void place(product_type t, uint32_t *panel, size_t column, size_t j, double g, double scale,
    double *held) {
    size_t elements = (size_t)product_elements(t);
    uint32_t *word = panel + j / elements * PRODUCT_PANEL + column;
    if (t == PRODUCT_F32) {
        float f = (float)g;
        memcpy(word, &f, sizeof f);
        *held = (double)f;
    } else if (t == PRODUCT_BF16) {
        uint16_t b = bf16_from_float((float)g);
        if ((b & 0x7F80) == 0) b = 0; /* the instruction takes subnormal numbers for zero */
        ((uint16_t *)word)[j % elements] = b;
        *held = (double)bf16_to_float(b);
    } else {
        double q = rint(g / scale);
        ((uint8_t *)word)[j % elements] = (uint8_t)(q + 128);
        *held = q * scale;
    }
}

/* g [PANEL, D]: the panel's shifted (and rotated) centroids; zeros where there are none. */
static void shift_panel(
    const screen_panels *p, size_t first, const float *c, const float *shift, double *g) {
    size_t d = (size_t)p->d;
    memset(g, 0, PRODUCT_PANEL * d * sizeof *g);
    for (size_t a = first; a < first + PRODUCT_PANEL && a < (size_t)p->k; a++) {
        const float *row = c + (size_t)p->centroid[a] * d;
        double *to = g + (a - first) * d;
        for (size_t j = 0; j < d; j++) to[j] = (double)row[j] - (double)shift[j];
        if (p->type == PRODUCT_INT8) screen_rotate_double(to, p->d);
    }
}

/* The unit of a panel's integers. */
static double unit_of(const double *g, size_t count) {
    double most = 0;
    for (size_t j = 0; j < count; j++) most = fmax(most, fabs(g[j]));
    return most < 0x1p-100 ? 1 : (double)float_up(most / 127);
}

/* One panel; see the header for its bounds. float64 sums of D squares, and rotations, are off by
 * less than 2^-36 of |g|; the factors 1 + 2^-16 and 2^-36 |g| cover that. g [PANEL, D]: scratch. */
static void pack(screen_panels *p, int panel, const float *c, const float *shift, double *g) {
    size_t first = (size_t)panel * PRODUCT_PANEL, d = (size_t)p->d;
    uint32_t *to = p->data + first * p->steps;
    double scale = 1, rest = 0, reach = 0, half = 0;
    shift_panel(p, first, c, shift, g);
    if (p->type == PRODUCT_INT8) {
        scale = unit_of(g, PRODUCT_PANEL * d);
        memset(to, 128, p->steps * PRODUCT_PANEL * sizeof *to);
    }
    for (size_t a = 0; a < PRODUCT_PANEL && first + a < (size_t)p->k; a++, g += d) {
        double sum = 0, residue = 0, held_sum = 0;
        for (size_t j = 0; j < d; j++) {
            double held;
            place(p->type, to, a, j, g[j], scale, &held);
            sum += g[j] * g[j];
            held_sum += held * held;
            residue += (g[j] - held) * (g[j] - held);
        }
        p->half[first + a] = (float)(sum / 2);
        double left = sqrt(residue) + 0x1p-36 * sqrt(sum);
        rest = fmax(rest, left);
        reach = fmax(reach, sqrt(held_sum) + left);
        half = fmax(half, sum / 2);
    }
    double n = (double)p->d + (double)(p->steps / PRODUCT_DEPTH) + 1;
    double roundings = p->type == PRODUCT_INT8 ? 12 : 1.01 * n + 12;
    p->scale[panel] = (float)scale;
    p->phi[panel] = float_up((rest + roundings * 0x1p-24 * reach) * (1 + 0x1p-16));
    p->reach[panel] = float_up(reach * (1 + 0x1p-16));
    p->noise[panel] = float_up((6 * 0x1p-24 * half + n * 0x1p-110) * (1 + 0x1p-16));
}

/* Threads take panels, each with memory for one: packed centroids in float64 would be twice the
 * centroids. */
void screen_panels_pack(screen_panels *p, const float *c, const float *shift, int threads) {
    size_t words = PRODUCT_PANEL * (size_t)p->d;
    int team = threads < p->scratch_threads ? threads : p->scratch_threads;
#pragma omp parallel for num_threads(team) schedule(static, 1)
    for (int t = 0; t < team; t++)
        for (int a = t; a < p->panels; a += team)
            pack(p, a, c, shift, p->scratch + (size_t)t * words);
    for (int i = 0; i < 3; i++) p->most[i] = 0;
    for (int a = 0; a < p->panels; a++) {
        p->most[0] = fmaxf(p->most[0], p->phi[a]);
        p->most[1] = fmaxf(p->most[1], p->reach[a]);
        p->most[2] = fmaxf(p->most[2], p->noise[a]);
    }
}
