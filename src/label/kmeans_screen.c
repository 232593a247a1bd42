#include "src/label/kmeans_screen.h"

#include "src/base/memory.h"
#include "src/base/vector.h"

#include <math.h>
#include <string.h>

enum { LANES = 16 };

static float float_up(double v) {
    float f = (float)v;
    return (double)f < v ? nextafterf(f, INFINITY) : f;
}

/* |x|^2; the relative error is below (D + 2) 2^-53. */
VECTOR_CLONES
static double square(const float *x, int d) {
    double s[LANES] = {0}, sum = 0;
    int whole = d / LANES * LANES;
    for (int j = 0; j < whole; j += LANES)
        for (int l = 0; l < LANES; l++) s[l] += (double)x[j + l] * (double)x[j + l];
    for (int j = whole; j < d; j++) s[j - whole] += (double)x[j] * (double)x[j];
    for (int l = 0; l < LANES; l++) sum += s[l];
    return sum;
}

/* An upper bound of |x|, given square(x). */
static float length_up(double sum) {
    return float_up(sqrt(sum) * (1 + 0x1p-35));
}

/* The arrays' entry and packed column of centroid a; see the header for the bound. */
static void pack(screen *s, int a, const float *c) {
    const double u = 0x1p-24;
    double sum = square(c, s->d), n = s->d + s->slices;
    s->half[a] = (float)(sum / 2);
    s->slope[a] = float_up((double)length_up(sum) * (n + 8) * u * (1 + 0x1p-6));
    s->offset[a] = float_up(4 * u * sum * (1 + 0x1p-6) * (1 + 0x1p-35) + (n + 8) * 0x1p-148);
    size_t panel = (size_t)a / SCREEN_PANEL, column = (size_t)a % SCREEN_PANEL;
    float *to = s->packed + panel * (size_t)s->d * SCREEN_PANEL + column;
    for (int j = 0; j < s->d; j++) to[(size_t)j * SCREEN_PANEL] = c[j];
}

status screen_create(screen *s, const float *c, int k, int d) {
    int columns = (k + SCREEN_PANEL - 1) / SCREEN_PANEL * SCREEN_PANEL;
    *s = (screen){.k = k, .d = d, .columns = columns};
    s->slices = (d + SCREEN_DEPTH - 1) / SCREEN_DEPTH;
    size_t width = (size_t)columns;
    s->packed = memory_alloc(width * (size_t)d, sizeof *s->packed, "packed centroids");
    s->half = memory_alloc(3 * width, sizeof *s->half, "bounds of centroids");
    if (!s->packed || !s->half) {
        screen_destroy(s);
        return STATUS_FAILED;
    }
    s->slope = s->half + width;
    s->offset = s->slope + width;
    for (int a = 0; a < k; a++) pack(s, a, c + (size_t)a * (size_t)d);
    for (int a = k; a < columns; a++) s->half[a] = INFINITY;
    return STATUS_OK;
}

void screen_destroy(screen *s) {
    memory_free(s->packed);
    memory_free(s->half);
    *s = (screen){0};
}

status screen_tile_create(screen_tile *t, const screen *s) {
    size_t rows = (size_t)s->slices * SCREEN_ROWS * SCREEN_STRIDE, columns = (size_t)s->columns;
    *t = (screen_tile){0};
    t->rows = memory_alloc(rows, sizeof *t->rows, "rows of a tile");
    t->score = memory_alloc(SCREEN_ROWS * columns, sizeof *t->score, "products of a tile");
    t->kept = memory_alloc(columns, sizeof *t->kept, "kept centroids");
    return t->rows && t->score && t->kept ? STATUS_OK : STATUS_FAILED;
}

void screen_tile_destroy(screen_tile *t) {
    memory_free(t->rows);
    memory_free(t->score);
    memory_free(t->kept);
    *t = (screen_tile){0};
}

static int depth_of(const screen *s, int slice) {
    int rest = s->d - slice * SCREEN_DEPTH;
    return rest < SCREEN_DEPTH ? rest : SCREEN_DEPTH;
}

void screen_row(const screen *s, screen_tile *t, int r, const float *x) {
    for (int i = 0; i < s->slices; i++)
        memcpy(t->rows + ((size_t)i * SCREEN_ROWS + (size_t)r) * SCREEN_STRIDE,
            x + (size_t)i * SCREEN_DEPTH, (size_t)depth_of(s, i) * sizeof *x);
    double sum = square(x, s->d);
    t->norm[r] = length_up(sum);
    t->slack[r] = float_up(2.1 * (s->d / 8 + 10) * 0x1p-53 * sum * (1 + 0x1p-35));
}

void screen_product(const screen *s, screen_tile *t) {
    for (int a = 0; a < s->columns; a += SCREEN_PANEL)
        for (int i = 0; i < s->slices; i++)
            screen_multiply(t->rows + (size_t)i * SCREEN_ROWS * SCREEN_STRIDE, depth_of(s, i),
                s->packed + (size_t)a * (size_t)s->d + (size_t)i * SCREEN_DEPTH * SCREEN_PANEL,
                t->score + a, (size_t)s->columns, i > 0);
}

/* min (p + e) over all columns. */
VECTOR_CLONES
static float least_upper(const screen *s, const float *t, float norm) {
    float lane[LANES], least = INFINITY;
    for (int l = 0; l < LANES; l++) lane[l] = INFINITY;
    for (int a = 0; a < s->columns; a += LANES)
        for (int l = 0; l < LANES; l++) {
            float v = (s->half[a + l] - t[a + l]) + (norm * s->slope[a + l] + s->offset[a + l]);
            lane[l] = v < lane[l] ? v : lane[l];
        }
    for (int l = 0; l < LANES; l++) least = lane[l] < least ? lane[l] : least;
    return least;
}

/* Columns with p - e <= limit, ascending. */
VECTOR_CLONES
static int columns_below(const screen *s, const float *t, float norm, float limit, int *kept) {
    int count = 0;
    for (int a = 0; a < s->columns; a += LANES) {
        int below[LANES], any = 0;
        for (int l = 0; l < LANES; l++) {
            float v = (s->half[a + l] - t[a + l]) - (norm * s->slope[a + l] + s->offset[a + l]);
            below[l] = v <= limit;
            any |= below[l];
        }
        if (!any) continue;
        for (int l = 0; l < LANES; l++)
            if (below[l]) kept[count++] = a + l;
    }
    return count;
}

int screen_keep(const screen *s, screen_tile *t, int r) {
    const float *score = t->score + (size_t)r * (size_t)s->columns;
    float limit = least_upper(s, score, t->norm[r]) + t->slack[r];
    return columns_below(s, score, t->norm[r], limit, t->kept);
}
