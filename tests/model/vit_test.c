/* Small vision transformers against tests/fixtures/vit.txt (make_vit.py: plain PyTorch in float64):
 * both rules of positions, registers, layer scale, images that patches do not fit; the same bits
 * for any number of threads. What a file's names and shapes say of its network; layers' names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/base/memory.h"
#include "src/model/network.h"
#include "src/nn/plan/plan.h"
#include "tests/model/hashed.h"

#include <stdio.h>
#include <stdlib.h>

enum { WIDTH = 128, THREADS = 3, IMAGES = 4, CASES = 6 };

typedef struct reference {
    int height, width, rule, registers, scaled, class_position;
    double norm, projection[8];
} reference;

static vit form_of(const reference *r) {
    return (vit){.width = WIDTH,
        .blocks = 2,
        .scaled = r->scaled,
        .embed = {.patch = 4,
            .channels = WIDTH,
            .grid = 5,
            .class_position = r->class_position,
            .registers = r->registers,
            .register_tokens = true,
            .rule = (position_rule)r->rule}};
}

/* As tensor() of make_vit.py. */
static void fill(parameters *p) {
    for (int k = 0; k < p->items; k++) {
        const parameter *item = &p->item[k];
        uint32_t key = hashed_key(item->name, 1);
        double inputs = (double)item->count / (double)item->shape[0];
        bool matrix = item->dims == 2 || item->dims == 4;
        bool one = item->dims == 1 && !hashed_ends(item->name, "bias");
        for (size_t i = 0; i < item->count; i++) {
            double v = 2.0 * hashed_uniform(key, i) - 1.0;
            p->value[item->offset + i] = (float)(matrix ? v * sqrt(3.0 / inputs)
                                                 : one  ? 1.0 + 0.25 * v
                                                        : 0.5 * v);
        }
    }
}

/* `images` images, the last of which is the reference's; its features: out, owned by the caller. */
static float *features(const reference *r, dtype type, int threads, int images, size_t *count) {
    graph *g = NULL;
    plan *p = NULL;
    network_options o = {.vit = form_of(r)};
    assert_int_equal(network_create(&g, &o, NETWORK_FEATURES, "norm,block0.keys"), STATUS_OK);
    parameters *w = parameters_create(g);
    assert_non_null(w);
    fill(w);
    plan_options plan_of = {.height = r->height,
        .width = r->width,
        .type = type,
        .products = type,
        .mode = PLAN_INFER,
        .images = images,
        .threads = threads};
    assert_int_equal(plan_create(&p, g, w, plan_of), STATUS_OK);
    uint32_t key = hashed_key("images", 1);
    size_t n = (size_t)r->height * (size_t)r->width * 3;
    for (int i = 0; i < images; i++)
        for (size_t j = 0; j < n; j++)
            plan_input(p, i)[j] =
                i < images - 1 ? 0.0f : (float)(4.0 * hashed_uniform(key, j) - 2.0);
    assert_int_equal(plan_forward(p, images, NULL), STATUS_OK);
    int h, width, channels;
    plan_output_shape(p, 0, &h, &width, &channels);
    assert_int_equal(h, (r->height + 3) / 4);
    assert_int_equal(width, (r->width + 3) / 4);
    *count = (size_t)(h * width * channels);
    float *out = memory_alloc(*count, sizeof *out, "features");
    memcpy(out, plan_output(p, 0, images - 1), *count * sizeof *out);
    plan_destroy(p);
    parameters_destroy(w);
    graph_destroy(g);
    return out;
}

/* Relative to its length, by the projections. */
static double error_of(const reference *r, const float *x, size_t count) {
    double p[8], sum = 0;
    hashed_project("features", x, count, p);
    for (int k = 0; k < 8; k++) sum += (p[k] - r->projection[k]) * (p[k] - r->projection[k]);
    return sqrt(sum / 8) / r->norm;
}

static int read_references(reference *r) {
    FILE *f = fopen(AUXSEG_TESTS "/fixtures/vit.txt", "r");
    assert_non_null(f);
    int n = 0;
    for (; n < CASES; n++) {
        reference *c = &r[n];
        if (fscanf(f, "%d %d %d %d %d %d %lf", &c->height, &c->width, &c->rule, &c->registers,
                &c->scaled, &c->class_position, &c->norm) < 7)
            break;
        for (int k = 0; k < 8; k++) assert_int_equal(fscanf(f, "%lf", &c->projection[k]), 1);
    }
    fclose(f);
    return n;
}

static void test_features(void **state) {
    (void)state;
    reference r[CASES];
    assert_int_equal(read_references(r), CASES);
    for (int i = 0; i < CASES; i++)
        for (int t = 0; t < (plan_supports(DTYPE_BF16) ? 2 : 1); t++) {
            size_t count;
            float *x = features(&r[i], t ? DTYPE_BF16 : DTYPE_F32, 1, 1, &count);
            double error = error_of(&r[i], x, count), most = t ? 1e-2 : 1e-6;
            if (!(error <= most)) fail_msg("case %d, type %d: error %g", i, t, error);
            memory_free(x);
        }
}

/* Of four images by three threads the last one is computed by a team of all. */
static void test_same_bits(void **state) {
    (void)state;
    reference r[CASES];
    read_references(r);
    for (int t = 0; t < (plan_supports(DTYPE_BF16) ? 2 : 1); t++) {
        size_t count, again;
        float *alone = features(&r[4], t ? DTYPE_BF16 : DTYPE_F32, 1, 1, &count);
        for (int images = 1; images <= IMAGES; images++) {
            float *team = features(&r[4], t ? DTYPE_BF16 : DTYPE_F32, THREADS, images, &again);
            assert_memory_equal(alone, team, count * sizeof *alone);
            memory_free(team);
        }
        memory_free(alone);
    }
}

/* Tokens that are read after the MLP has added to them, and a scale that no linear layer takes in:
 * outputs x, y = x + mlp(norm(x)), y + x, and x gamma. */
static void test_unfused(void **state) {
    (void)state;
    reference r = {.height = 20, .width = 20, .class_position = 1};
    const vit v = form_of(&r);
    graph *g = graph_create();
    plan *p = NULL;
    value image = graph_input(g, 3), x = graph_embed(g, image, "backbone", v.embed);
    value y = graph_mlp(g, x, graph_layer_norm(g, x, "norm"), "backbone", 4 * WIDTH, true);
    value all[] = {x, y, graph_add(g, y, x, false), graph_scale(g, x, "scale")};
    for (int i = 0; i < 4; i++)
        graph_output(g, graph_patches(g, all[i], image, &v.embed, 0, WIDTH));
    parameters *w = parameters_create(g);
    assert_non_null(w);
    fill(w);
    plan_options o = {.height = 20, .width = 20, .mode = PLAN_INFER, .images = 1, .threads = 1};
    assert_int_equal(plan_create(&p, g, w, o), STATUS_OK);
    for (size_t i = 0; i < 1200; i++) plan_input(p, 0)[i] = (float)(i % 17) * 0.1f - 0.8f;
    assert_int_equal(plan_forward(p, 1, NULL), STATUS_OK);
    const float *out[4], *gamma = w->value + w->item[parameters_find(w, "scale.gamma")].offset;
    for (int i = 0; i < 4; i++) out[i] = plan_output(p, i, 0);
    double moved = 0;
    for (size_t i = 0; i < 25 * WIDTH; i++) {
        assert_true(out[2][i] == out[0][i] + out[1][i]);
        assert_true(out[3][i] == out[0][i] * gamma[i % WIDTH]);
        moved += fabs((double)out[1][i] - out[0][i]);
    }
    assert_true(moved > 25 * WIDTH * 0.05);
    plan_destroy(p);
    parameters_destroy(w);
    graph_destroy(g);
}

static void test_forward_only(void **state) {
    (void)state;
    reference r = {.height = 20, .width = 20, .class_position = 1};
    graph *g = NULL;
    plan *p = NULL;
    network_options o = {.vit = form_of(&r)};
    assert_int_equal(network_create(&g, &o, NETWORK_FEATURES, "norm"), STATUS_OK);
    parameters *w = parameters_create(g);
    plan_options train = {.height = 20,
        .width = 20,
        .mode = PLAN_TRAIN,
        .norm = NORM_FROZEN,
        .images = 1,
        .threads = 1};
    assert_int_equal(plan_create(&p, g, w, train), STATUS_FAILED);
    assert_null(p);
    parameters_destroy(w);
    graph_destroy(g);
}

/* ---- the form of a file ---- */

static void look(vit *v, const char *name, int dims, int64_t a, int64_t b, int64_t c, int64_t d) {
    vit_look(v, &(vit_tensor){name, dims, (const int64_t[]){a, b, c, d}});
}

static void test_form(void **state) {
    (void)state;
    char reason[64];
    vit v = {.width = 0};
    assert_false(vit_complete(&v, reason, sizeof reason));
    assert_non_null(strstr(reason, "patch_embed.proj.weight"));
    /* DINOv2's ViT-S/14 with registers, in any order. */
    look(&v, "blocks.11.ls1.gamma", 1, 384, 0, 0, 0);
    look(&v, "register_tokens", 3, 1, 4, 384, 0);
    look(&v, "pos_embed", 3, 1, 1370, 384, 0);
    assert_false(vit_complete(&v, reason, sizeof reason));
    look(&v, "patch_embed.proj.weight", 4, 384, 3, 14, 14);
    look(&v, "mask_token", 2, 1, 384, 0, 0);
    assert_true(vit_complete(&v, reason, sizeof reason));
    assert_int_equal(v.width, 384);
    assert_int_equal(v.blocks, 12);
    assert_true(v.scaled && v.embed.class_position && v.embed.register_tokens);
    assert_int_equal(v.embed.patch, 14);
    assert_int_equal(v.embed.grid, 37);
    assert_int_equal(v.embed.registers, 4);
    assert_int_equal(vit_heads(&v), 6);
    /* MoCo v3's of the same width, and huge ones. */
    look(&v, "module.base_encoder.blocks.0.norm1.weight", 1, 384, 0, 0, 0);
    assert_int_equal(vit_heads(&v), 12);
    look(&v, "patch_embed.proj.weight", 4, 1280, 3, 14, 14);
    assert_int_equal(vit_heads(&v), 16);
    /* timm's, whose class token has no position; names behind a prefix. */
    v = (vit){.width = 0};
    look(&v, "module.backbone.pos_embed", 3, 1, 1369, 768, 0);
    look(&v, "module.backbone.reg_token", 3, 1, 4, 768, 0);
    look(&v, "module.backbone.patch_embed.proj.weight", 4, 768, 3, 14, 14);
    look(&v, "module.backbone.blocks.3.mlp.fc1.weight", 2, 3072, 768, 0, 0);
    assert_true(vit_complete(&v, reason, sizeof reason));
    assert_int_equal(v.blocks, 4);
    assert_false(v.scaled || v.embed.class_position || v.embed.register_tokens);
    assert_int_equal(v.embed.grid, 37);
    /* What no file of such a network has. */
    look(&v, "blocks.x.norm1.weight", 1, 768, 0, 0, 0);
    look(&v, "blocks.-1.norm1.weight", 1, 768, 0, 0, 0);
    look(&v, "blocks.99999999999999999999.norm1.weight", 1, 768, 0, 0, 0);
    assert_int_equal(v.blocks, 4);
    look(&v, "pos_embed", 3, 1, 1371, 768, 0);
    assert_false(vit_complete(&v, reason, sizeof reason));
    look(&v, "pos_embed", 3, 1, INT64_MAX, 768, 0);
    assert_false(vit_complete(&v, reason, sizeof reason));
}

static void test_layers(void **state) {
    (void)state;
    const struct {
        const char *layers;
        status result;
        int channels;
        const char *absent; /* a parameter that these layers do not need */
    } cases[] = {
        {"norm", STATUS_OK, WIDTH, NULL},
        {"block1", STATUS_OK, WIDTH, "backbone.norm.weight"},
        {"block1.keys", STATUS_OK, WIDTH, "backbone.blocks.1.attn.proj.weight"},
        {"block0,block0.values,block1.queries", STATUS_OK, 3 * WIDTH, "backbone.norm.weight"},
        {"block2", STATUS_USAGE, 0, NULL},
        {"block", STATUS_USAGE, 0, NULL},
        {"block0.key", STATUS_USAGE, 0, NULL},
        {"block0,block0", STATUS_USAGE, 0, NULL},
        {"layer4", STATUS_USAGE, 0, NULL},
        {"norm,", STATUS_USAGE, 0, NULL},
        {"", STATUS_USAGE, 0, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        graph *g = NULL;
        reference r = {.class_position = 1};
        network_options o = {.vit = form_of(&r)};
        assert_int_equal(
            network_create(&g, &o, NETWORK_FEATURES, cases[i].layers), cases[i].result);
        if (cases[i].result != STATUS_OK) {
            assert_null(g);
            continue;
        }
        value v = graph_output_value(g, 0);
        assert_int_equal(graph_channels(g, v), cases[i].channels);
        assert_int_equal(graph_stride(g, v), 4);
        parameters *p = parameters_create(g);
        if (cases[i].absent) assert_true(parameters_find(p, cases[i].absent) < 0);
        parameters_destroy(p);
        graph_destroy(g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_features),
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_unfused),
        cmocka_unit_test(test_forward_only),
        cmocka_unit_test(test_form),
        cmocka_unit_test(test_layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
