/* The mean over views, before rows get length 1. Images are decoded once for all views, and resized
 * as images: bytes take a quarter of the memory of what the network is given. A view's map lies
 * over the same image as the grid of the image itself, so that a place of one is a place of the
 * other, in shares of height and width. */
#include "src/app/features/extract_views.h"

#include "src/app/stage/scales.h"
#include "src/app/stage/setup.h"
#include "src/base/memory.h"
#include "src/image/mirror.h"

#include <math.h>
#include <string.h>

/* One view of some images. */
typedef struct sight {
    double scale;
    bool flip;
} sight;

bool extract_views_plain(const settings *s) {
    double largest;
    bool one = scales_count(s->extract.scales, &largest) == 1 && fabs(largest - 1) <= 0;
    return one && !s->extract.flip;
}

/* Where the centre of cell i of n lies among `size` cells: between low and low + 1, by `weight`
 * nearer to the second; the outermost cells have no neighbour beyond. */
typedef struct between {
    int low, high;
    float weight;
} between;

static between between_cells(int i, int n, int size) {
    double at = ((double)i + 0.5) * size / n - 0.5;
    if (at < 0) at = 0;
    int low = (int)at;
    if (low > size - 1) low = size - 1;
    int high = low + 1 < size ? low + 1 : low;
    return (between){low, high, (float)(at - low)};
}

static void add_row(const float *row, int d, float *sum) {
    for (int j = 0; j < d; j++) sum[j] += row[j];
}

/* The four neighbours' mean; rows a and b of the map lie above and below. */
static void add_mixed(const float *const corner[4], float y, float x, int d, float *sum) {
    for (int j = 0; j < d; j++) {
        float above = corner[0][j] + x * (corner[1][j] - corner[0][j]);
        float below = corner[2][j] + x * (corner[3][j] - corner[2][j]);
        sum[j] += above + y * (below - above);
    }
}

void extract_views_add(
    const float *map, int h, int w, bool flip, const view_grid *grid, float *sum) {
    size_t d = (size_t)grid->d, line = (size_t)w * d;
    bool same = h == grid->height && w == grid->width;
    for (int i = 0; i < grid->height; i++) {
        between y = between_cells(i, grid->height, h);
        for (int j = 0; j < grid->width; j++, sum += d) {
            int column = flip ? grid->width - 1 - j : j;
            if (same) {
                add_row(map + (size_t)i * line + (size_t)column * d, grid->d, sum);
                continue;
            }
            between x = between_cells(column, grid->width, w);
            const float *low = map + (size_t)y.low * line, *high = map + (size_t)y.high * line;
            const float *const corner[] = {low + (size_t)x.low * d, low + (size_t)x.high * d,
                high + (size_t)x.low * d, high + (size_t)x.high * d};
            add_mixed(corner, y.weight, x.weight, grid->d, sum);
        }
    }
}

/* The view of one image as the network's input. */
static status give_view(
    const image *rgb, const sight *v, const image_input *form, int height, int width, float *to) {
    image resized = {0};
    status st = image_resize(rgb, height, width, &resized);
    if (st == STATUS_OK) image_normalize(&resized, form, to);
    if (st == STATUS_OK && v->flip) mirror_normalized(to, height, width);
    image_destroy(&resized);
    return st;
}

/* One view of all images, added to their sums. */
static status add_view(inference *net, const sight *v, const image *rgb, int count,
    const view_grid *grid, float *sum) {
    plan *p = NULL;
    int h, w, threads = inference_threads(net);
    int height, width;
    scales_size(rgb->height, rgb->width, v->scale, &height, &width);
    status worst = STATUS_OK, st = inference_plan(net, height, width, &p);
    if (st != STATUS_OK) return st;
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int i = 0; i < count; i++) {
        status mine = give_view(&rgb[i], v, inference_input(net), height, width, plan_input(p, i));
        if (mine != STATUS_OK) {
#pragma omp critical(worst)
            worst = status_worse(worst, mine);
        }
    }
    if (worst == STATUS_OK) worst = plan_forward(p, count, &(step_context){0});
    if (worst != STATUS_OK) return worst;
    plan_output_shape(p, 0, &h, &w, &(int){0});
    size_t size = (size_t)grid->height * (size_t)grid->width * (size_t)grid->d;
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int i = 0; i < count; i++)
        extract_views_add(plan_output(p, 0, i), h, w, v->flip, grid, sum + (size_t)i * size);
    return STATUS_OK;
}

/* Images first .. first + count - 1, decoded: rgb [count]. */
static status load_images(const stage *t, int first, int count, image *rgb) {
    status worst = STATUS_OK;
#pragma omp parallel for schedule(dynamic) num_threads(setup_threads(t->s))
    for (int i = 0; i < count; i++) {
        status st = dataset_load(t->d, first + i, t->s->dataset.scale, &rgb[i], NULL);
        if (st != STATUS_OK) {
#pragma omp critical(worst)
            worst = status_worse(worst, st);
        }
    }
    return worst;
}

status extract_views_mean(
    const stage *t, inference *net, int first, int count, const view_grid *grid, float *mean) {
    const char *list = t->s->extract.scales;
    size_t size = (size_t)count * (size_t)grid->height * (size_t)grid->width * (size_t)grid->d;
    int views = 0;
    image *rgb = memory_alloc((size_t)count, sizeof *rgb, "images");
    status st = rgb ? load_images(t, first, count, rgb) : STATUS_FAILED;
    memset(mean, 0, size * sizeof *mean);
    for (sight v = {0}; st == STATUS_OK && scales_next(&list, &v.scale);) {
        for (int flip = 0; st == STATUS_OK && flip <= t->s->extract.flip; flip++, views++) {
            v.flip = flip;
            st = add_view(net, &v, rgb, count, grid, mean);
        }
    }
    for (size_t i = 0; st == STATUS_OK && i < size; i++) mean[i] /= (float)views;
    for (int i = 0; rgb && i < count; i++) image_destroy(&rgb[i]);
    memory_free(rgb);
    return st;
}
