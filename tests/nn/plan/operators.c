#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/nn/plan/operators.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void operator_values(const char *key, float *x, size_t count) {
    uint32_t seed = 2166136261u;
    for (const char *c = key; *c; c++) seed = (seed ^ (uint8_t)*c) * 16777619u;
    for (size_t i = 0; i < count; i++) {
        uint32_t h = (uint32_t)i * 2654435761u + seed;
        h = (h ^ h >> 15) * 2246822519u;
        h = (h ^ h >> 13) * 2246822519u;
        h ^= h >> 16;
        x[i] = (float)(h % 129) / 64.0f - 1.0f;
    }
}

/* ---- the graphs ---- */

static value first(graph *g, value x) {
    return graph_conv(g, x, "first", WIDE, (conv){.kernel = 1});
}

static void conv1(graph *g, value x) {
    graph_output(g, graph_linear(g, first(g, x), "c", WIDE));
}

static void conv1_stride2(graph *g, value x) {
    graph_output(g, graph_conv(g, first(g, x), "c", WIDE, (conv){.kernel = 1, .stride = 2}));
}

static void conv3(graph *g, value x) {
    graph_output(g, graph_conv(g, first(g, x), "c", 24, (conv){.kernel = 3, .bias = true}));
}

static void conv3_stride2(graph *g, value x) {
    graph_output(g, graph_conv(g, first(g, x), "c", WIDE, (conv){.kernel = 3, .stride = 2}));
}

static void conv3_dilation2(graph *g, value x) {
    graph_output(g, graph_conv(g, first(g, x), "c", WIDE, (conv){.kernel = 3, .dilation = 2}));
}

static void conv3_dilation12(graph *g, value x) {
    graph_output(g, graph_conv(g, first(g, x), "c", WIDE, (conv){.kernel = 3, .dilation = 12}));
}

static void conv7_stride2(graph *g, value x) {
    graph_output(g, graph_conv(g, x, "c", WIDE, (conv){.kernel = 7, .stride = 2, .bias = true}));
}

static void relu(graph *g, value x) {
    graph_output(g, graph_relu(g, first(g, x)));
}

static void add(graph *g, value x) {
    value a = first(g, x), b = graph_conv(g, x, "c", WIDE, (conv){.kernel = 3});
    graph_output(g, graph_add(g, a, b, false));
}

static void concat(graph *g, value x) {
    value a = first(g, x), b = graph_conv(g, x, "c", 5, (conv){.kernel = 1});
    graph_output(g, graph_concat(g, (value[]){a, b}, 2));
}

static void max_pool(graph *g, value x) {
    graph_output(g, graph_max_pool(g, first(g, x), 3, 2, 1, false));
}

static void max_pool_ceil(graph *g, value x) {
    graph_output(g, graph_max_pool(g, first(g, x), 3, 2, 0, true));
}

static void average_pool(graph *g, value x) {
    graph_output(g, graph_average_pool(g, first(g, x), 3, 2, 1));
}

static void global_pool(graph *g, value x) {
    graph_output(g, graph_global_pool(g, first(g, x)));
}

static void resize_up(graph *g, value x) {
    value y = graph_conv(g, first(g, x), "c", 8, (conv){.kernel = 3, .stride = 2});
    graph_output(g, graph_resize(g, y, x));
}

static void resize_down(graph *g, value x) {
    value like = graph_conv(g, x, "c", 8, (conv){.kernel = 3, .stride = 2});
    graph_output(g, graph_resize(g, first(g, x), like));
}

static void norm_plain(graph *g, value x) {
    graph_output(g, graph_norm(g, first(g, x), "n", false));
}

static void norm_relu(graph *g, value x) {
    graph_output(g, graph_norm(g, first(g, x), "n", true));
}

static void pyramid(graph *g, value x) {
    x = first(g, x);
    value mean = graph_global_pool(g, x);
    mean = graph_conv(g, mean, "mean", 8, (conv){.kernel = 1, .bias = true});
    value a = graph_conv(g, x, "a", 8, (conv){.kernel = 1});
    graph_output(g, graph_concat(g, (value[]){a, graph_resize(g, mean, x), x}, 3));
}

static void fan(graph *g, value x) {
    value y = first(g, x);
    value a = graph_conv(g, y, "a", WIDE, (conv){.kernel = 3});
    value b = graph_conv(g, y, "b", WIDE, (conv){.kernel = 3, .dilation = 2});
    graph_output(g, y);
    graph_output(g, graph_add(g, graph_add(g, a, y, true), b, false));
}

static value block_conv(
    graph *g, value x, const char *const name[2], int kernel, int stride, bool with_relu) {
    x = graph_conv(g, x, name[0], WIDE, (conv){.kernel = kernel, .stride = stride});
    return graph_norm(g, x, name[1], with_relu);
}

static void residual(graph *g, value x) {
    static const char *const name[][2] = {{"conv1", "bn1"}, {"conv2", "bn2"}, {"shortcut", "bn3"},
        {"conv3", "bn4"}, {"conv4", "bn5"}};
    x = first(g, x);
    value y = block_conv(g, x, name[0], 3, 2, true);
    y = block_conv(g, y, name[1], 3, 1, false);
    x = graph_add(g, y, block_conv(g, x, name[2], 1, 2, false), true);
    y = block_conv(g, x, name[3], 3, 1, true);
    graph_output(g, graph_add(g, x, block_conv(g, y, name[4], 3, 1, false), true));
}

const operator_case operator_cases[] = {{"conv1", NORM_FROZEN, CHANNELS, conv1, false},
    {"conv1_stride2", NORM_FROZEN, CHANNELS, conv1_stride2, false},
    {"conv3", NORM_FROZEN, CHANNELS, conv3, false},
    {"conv3_stride2", NORM_FROZEN, CHANNELS, conv3_stride2, false},
    {"conv3_dilation2", NORM_FROZEN, CHANNELS, conv3_dilation2, false},
    {"conv3_dilation12", NORM_FROZEN, CHANNELS, conv3_dilation12, false},
    {"conv7_stride2", NORM_FROZEN, 3, conv7_stride2, false},
    {"relu", NORM_FROZEN, CHANNELS, relu, false}, {"add", NORM_FROZEN, CHANNELS, add, false},
    {"concat", NORM_FROZEN, CHANNELS, concat, false},
    {"max_pool", NORM_FROZEN, CHANNELS, max_pool, false},
    {"max_pool_ceil", NORM_FROZEN, CHANNELS, max_pool_ceil, false},
    {"average_pool", NORM_FROZEN, CHANNELS, average_pool, false},
    {"global_pool", NORM_FROZEN, CHANNELS, global_pool, false},
    {"resize_up", NORM_FROZEN, CHANNELS, resize_up, false},
    {"resize_down", NORM_FROZEN, CHANNELS, resize_down, false},
    {"norm_group", NORM_GROUP, CHANNELS, norm_plain, false},
    {"norm_group_relu", NORM_GROUP, CHANNELS, norm_relu, false},
    {"norm_sync", NORM_SYNC, CHANNELS, norm_relu, false},
    {"norm_frozen", NORM_FROZEN, CHANNELS, norm_relu, false},
    {"pyramid", NORM_FROZEN, CHANNELS, pyramid, false}, {"fan", NORM_FROZEN, CHANNELS, fan, true},
    {"residual_group", NORM_GROUP, CHANNELS, residual, true},
    {"residual_frozen", NORM_FROZEN, CHANNELS, residual, true},
    {NULL, NORM_FROZEN, 0, NULL, false}};

/* ---- running one ---- */

static void set_parameters(parameters *p) {
    for (int i = 0; i < p->items; i++) {
        const parameter *item = &p->item[i];
        float *x = (item->trainable ? p->value : p->buffer) + item->offset;
        operator_values(item->name, x, item->count);
        if (strstr(item->name, ".running_var"))
            for (size_t j = 0; j < item->count; j++) x[j] = fabsf(x[j]) + 0.5f;
        if (strcmp(item->name, "first.weight") == 0)
            for (int64_t o = 0; o < item->shape[0]; o++)
                for (int64_t k = 0; k < item->shape[1]; k++)
                    x[o * item->shape[1] + k] = o % item->shape[1] == k ? 0.5f : 0.0f;
    }
}

operator_run operator_create(const operator_case *c, plan_options o) {
    operator_run r = {.g = graph_create()};
    assert_non_null(r.g);
    c->build(r.g, graph_input(r.g, c->channels));
    assert_int_equal(graph_status(r.g), STATUS_OK);
    r.p = parameters_create(r.g);
    assert_non_null(r.p);
    set_parameters(r.p);
    assert_int_equal(plan_create(&r.plan, r.g, r.p, o), STATUS_OK);
    r.gradient = gradient_create(r.p, GRADIENT_CHUNK);
    assert_non_null(r.gradient);
    r.sum = calloc(r.p->count, sizeof *r.sum);
    assert_non_null(r.sum);
    return r;
}

void operator_destroy(operator_run *r) {
    free(r->sum);
    gradient_destroy(r->gradient);
    plan_destroy(r->plan);
    parameters_destroy(r->p);
    graph_destroy(r->g);
}

static void fill_input(plan *p, const operator_case *c, int first_image, int images) {
    enum { COUNT = IMAGES * HEIGHT * WIDTH * CHANNELS };
    float *all = malloc(COUNT * sizeof *all);
    assert_non_null(all);
    operator_values("input", all, COUNT);
    for (int i = 0; i < images; i++)
        for (int j = 0; j < HEIGHT * WIDTH; j++)
            memcpy(plan_input(p, i) + j * c->channels,
                all + ((first_image + i) * HEIGHT * WIDTH + j) * CHANNELS,
                (size_t)c->channels * sizeof *all);
    free(all);
}

static void fill_gradient(plan *p, int output, int first_image, int images) {
    char key[32];
    int h, w, channels;
    plan_output_shape(p, output, &h, &w, &channels);
    size_t each = (size_t)(h * w * channels);
    float *all = malloc(IMAGES * each * sizeof *all);
    assert_non_null(all);
    snprintf(key, sizeof key, "gradient%d", output);
    operator_values(key, all, IMAGES * each);
    for (int i = 0; i < images; i++)
        memcpy(plan_output_gradient(p, output, i), all + (size_t)(first_image + i) * each,
            each * sizeof *all);
    free(all);
}

void operator_fill(operator_run *r, const operator_case *c, int first_image, int images) {
    fill_input(r->plan, c, first_image, images);
}

void operator_step(operator_run *r, int first_image, int images, const step_context *c) {
    assert_int_equal(plan_forward(r->plan, images, c), STATUS_OK);
    for (int o = 0; o < graph_outputs(r->g); o++) fill_gradient(r->plan, o, first_image, images);
    assert_int_equal(plan_backward(r->plan, images, c, r->gradient), STATUS_OK);
}

void operator_sums(operator_run *r) {
    const gradient_chunks *c = &r->gradient->chunks;
    memset(r->sum, 0, r->p->count * sizeof *r->sum);
    for (int k = 0; k < c->count; k++)
        if (c->at[k].sum)
            memcpy(r->sum + c->at[k].offset, c->at[k].sum, c->at[k].count * sizeof *r->sum);
}

void operator_batch(operator_run *r, const operator_case *c, int deal) {
    int unit = c->norm == NORM_GROUP ? GROUP : 1;
    do {
        gradient_begin(r->gradient, (IMAGES + unit - 1) / unit);
        for (int i = 0; i < IMAGES; i += deal) {
            int n = IMAGES - i < deal ? IMAGES - i : deal;
            step_context x = {.first = i, .exchange.images = IMAGES};
            operator_fill(r, c, i, n);
            operator_step(r, i, n, &x);
        }
        operator_sums(r);
    } while (gradient_rescale(r->gradient));
    assert_int_equal(gradient_finish(r->gradient), STATUS_OK);
}
