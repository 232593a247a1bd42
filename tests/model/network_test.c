/* Names and shapes of the networks' parameters against tests/fixtures/names.txt, made from a plain
 * PyTorch description with torchvision's names; layers, groups and settings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/model/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 256 };

static network_options small(void) {
    return (network_options){.backbone = MODEL_BACKBONE_RESNET18,
        .stages = 3,
        .output_stride = 8,
        .head = MODEL_HEAD_DEEPLABV3,
        .head_channels = 32,
        .classes = 5,
        .projection = 16};
}

static parameters *create(const network_options *o, network_end end) {
    graph *g = NULL;
    assert_int_equal(network_create(&g, o, end, "head"), STATUS_OK);
    parameters *p = parameters_create(g);
    assert_non_null(p);
    graph_destroy(g);
    return p;
}

/* "backbone.conv1.weight 64 3 7 7" */
static void check_tensor(const parameters *p, char *line) {
    char *rest = NULL, *name = strtok_r(line, " \n", &rest), *number;
    int i = parameters_find(p, name), dims = 0;
    if (i < 0) print_error("%s is missing\n", name);
    assert_true(i >= 0);
    for (; (number = strtok_r(NULL, " \n", &rest)); dims++)
        assert_int_equal(p->item[i].shape[dims], atoi(number));
    assert_int_equal(p->item[i].dims, dims);
}

static void test_names_and_shapes(void **state) {
    (void)state;
    FILE *f = fopen(AUXSEG_TESTS "/fixtures/names.txt", "r");
    assert_non_null(f);
    char line[LINE], backbone[32], head[32];
    parameters *p = NULL;
    int networks = 0, tensors = 0;
    while (fgets(line, sizeof line, f)) {
        network_options o = {0};
        int items;
        size_t elements;
        if (sscanf(line, "network %31s %d %d %31s %d %d %d %zu", backbone, &o.stages,
                &o.output_stride, head, &o.classes, &o.projection, &items, &elements) < 8) {
            check_tensor(p, line);
            tensors++;
            continue;
        }
        parameters_destroy(p);
        o.backbone = (model_backbone)choice_find(model_backbone_words, backbone);
        o.head = (model_head)choice_find(model_head_words, head);
        p = create(&o, o.projection ? NETWORK_PROJECTION : NETWORK_CLASSIFIER);
        assert_int_equal(p->items, items);
        assert_int_equal(p->count, elements);
        networks++;
    }
    fclose(f);
    parameters_destroy(p);
    assert_int_equal(networks, 8);
    assert_true(tensors > 500);
}

static bool starts(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

static void test_groups_and_decay(void **state) {
    (void)state;
    network_options o = small();
    parameters *p = create(&o, NETWORK_PROJECTION);
    for (int i = 0; i < p->items; i++) {
        const parameter *item = &p->item[i];
        bool encoder = starts(item->name, "backbone.");
        assert_int_equal(item->group, encoder ? GROUP_BACKBONE : GROUP_HEAD);
        assert_int_equal(item->decay, item->dims == 4);
        if (item->dims == 4) assert_int_equal(item->init, encoder ? INIT_KAIMING : INIT_UNIFORM);
    }
    parameters_destroy(p);
}

/* A dense network is one of whole images, a projection head more, and the encoder is theirs. */
static void test_dense_has_three_outputs(void **state) {
    (void)state;
    graph *g = NULL;
    network_options o = small();
    parameters *whole = create(&o, NETWORK_EMBEDDING), *dense = create(&o, NETWORK_DENSE);
    assert_int_equal(dense->items, whole->items + 4);
    assert_int_equal(parameters_copy(dense, whole), whole->items);
    assert_int_equal(network_create(&g, &o, NETWORK_DENSE, NULL), STATUS_OK);
    assert_int_equal(graph_outputs(g), 3);
    graph_destroy(g);
    parameters_destroy(whole);
    parameters_destroy(dense);
}

/* Pretraining and fine-tuning share all but what stands on the head body. */
static void test_ends_share_the_body(void **state) {
    (void)state;
    for (int h = 0; model_head_words[h]; h++) {
        network_options o = small();
        o.head = (model_head)h;
        parameters *classifier = create(&o, NETWORK_CLASSIFIER);
        parameters *projection = create(&o, NETWORK_PROJECTION);
        parameters *features = create(&o, NETWORK_FEATURES);
        o.contrast = true;
        parameters *both = create(&o, NETWORK_CLASSIFIER);
        assert_int_equal(both->items, classifier->items + 4);
        assert_int_equal(parameters_copy(both, projection), projection->items);
        assert_int_equal(parameters_copy(both, classifier), classifier->items);
        parameters_initialize(projection, 1);
        assert_int_equal(parameters_copy(classifier, projection), classifier->items - 2);
        assert_int_equal(projection->items, classifier->items + 2);
        assert_int_equal(features->items, classifier->items - 2);
        assert_int_equal(parameters_copy(features, projection), features->items);
        parameters_destroy(classifier);
        parameters_destroy(projection);
        parameters_destroy(features);
        parameters_destroy(both);
    }
}

static void test_layers(void **state) {
    (void)state;
    const struct {
        const char *layers;
        status result;
        int channels, stride; /* of what the layers are joined to */
        const char *absent;   /* a parameter that these layers do not need */
    } cases[] = {
        {"layer3", STATUS_OK, 256, 8, "classifier.1.weight"},
        {"layer2,layer1", STATUS_OK, 192, 4, "backbone.layer3.0.conv1.weight"},
        {"head,layer3,layer1", STATUS_OK, 352, 4, "classifier.4.weight"},
        {"layer4", STATUS_USAGE, 0, 0, NULL}, /* cut after layer3 */
        {"layer3,", STATUS_USAGE, 0, 0, NULL},
        {"", STATUS_USAGE, 0, 0, NULL},
        {"layer33", STATUS_USAGE, 0, 0, NULL},
        {"head,head", STATUS_USAGE, 0, 0, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        graph *g = NULL;
        network_options o = small();
        assert_int_equal(
            network_create(&g, &o, NETWORK_FEATURES, cases[i].layers), cases[i].result);
        if (cases[i].result != STATUS_OK) {
            assert_null(g);
            continue;
        }
        assert_int_equal(graph_outputs(g), 1);
        assert_int_equal(graph_channels(g, graph_output_value(g, 0)), cases[i].channels);
        assert_int_equal(graph_stride(g, graph_output_value(g, 0)), cases[i].stride);
        parameters *p = parameters_create(g);
        assert_int_equal(parameters_find(p, cases[i].absent), -1);
        parameters_destroy(p);
        graph_destroy(g);
    }
}

static int features_stride(const network_options *o, const char *layers, int channels) {
    graph *g = NULL;
    assert_int_equal(network_create(&g, o, NETWORK_FEATURES, layers), STATUS_OK);
    assert_int_equal(graph_outputs(g), 1);
    assert_int_equal(graph_channels(g, graph_output_value(g, 0)), channels);
    int stride = graph_stride(g, graph_output_value(g, 0));
    graph_destroy(g);
    return stride;
}

static void test_strides(void **state) {
    (void)state;
    const char *const layer[4] = {"layer1", "layer2", "layer3", "layer4"};
    const int expected[3][4] = {{4, 8, 8, 8}, {4, 8, 16, 16}, {4, 8, 16, 32}};
    for (int i = 0; i < 3; i++) {
        network_options o = small();
        o.stages = 4;
        o.output_stride = 8 << i;
        for (int s = 0; s < 4; s++)
            assert_int_equal(features_stride(&o, layer[s], 64 << s), expected[i][s]);
        assert_int_equal(features_stride(&o, "layer4,layer1,layer3", 512 + 64 + 256), 4);
    }
}

/* Three stages, however many are asked for, on the grid that all encoders have. */
static void test_squeezenet(void **state) {
    (void)state;
    const model_backbone versions[] = {MODEL_BACKBONE_SQUEEZENET1_0, MODEL_BACKBONE_SQUEEZENET1_1};
    for (int i = 0; i < 2; i++) {
        network_options o = small();
        o.backbone = versions[i];
        o.stages = 4;
        o.output_stride = 32;
        assert_int_equal(network_stages(&o), 3);
        assert_int_equal(features_stride(&o, "layer1", i == 0 ? 256 : 128), 4);
        assert_int_equal(features_stride(&o, "layer2", i == 0 ? 512 : 256), 8);
        assert_int_equal(features_stride(&o, "layer3", 512), 16);
        o.output_stride = 8;
        assert_int_equal(features_stride(&o, "layer3,layer1", i == 0 ? 768 : 640), 4);
        graph *g = NULL;
        assert_int_equal(network_create(&g, &o, NETWORK_FEATURES, "layer4"), STATUS_USAGE);
        parameters *p = create(&o, NETWORK_CLASSIFIER);
        int at = parameters_find(p, "backbone.features.12.expand3x3.weight");
        assert_true(at >= 0 && p->item[at].shape[0] == 256 && p->item[at].shape[1] == 64);
        assert_true(parameters_find(p, "backbone.features.0.bias") >= 0);
        parameters_destroy(p);
    }
}

/* The other stem is other names; another place of the stride is none. */
static void test_kinds_of_resnet(void **state) {
    (void)state;
    network_options o = small();
    o.deep_stem = true;
    parameters *p = create(&o, NETWORK_CLASSIFIER);
    int at = parameters_find(p, "backbone.stem.6.weight");
    assert_true(at >= 0 && p->item[at].shape[0] == 64 && p->item[at].shape[1] == 32);
    assert_true(parameters_find(p, "backbone.stem.7.running_var") >= 0);
    assert_int_equal(parameters_find(p, "backbone.conv1.weight"), -1);
    parameters_destroy(p);
    o.stages = 4;
    p = create(&o, NETWORK_IMAGE);
    at = parameters_find(p, "fc.weight");
    assert_true(at >= 0 && p->item[at].dims == 2 && p->item[at].group == GROUP_HEAD);
    parameters_destroy(p);
}

/* The first of two is the network that stands alone, value for value; the second has its tensors
 * under other names, with other initial values. */
static void test_twins(void **state) {
    (void)state;
    network_options o = small();
    parameters *alone = create(&o, NETWORK_CLASSIFIER), *part = NULL;
    o.twin = true;
    parameters *both = create(&o, NETWORK_CLASSIFIER);
    parameters_initialize(alone, 1);
    parameters_initialize(both, 1);
    assert_int_equal(both->items, 2 * alone->items);
    for (int within = 0; within < 2; within++) {
        assert_int_equal(parameters_part(&part, both, NETWORK_TWIN, within), STATUS_OK);
        assert_int_equal(part->items, alone->items);
        for (int i = 0; i < part->items; i++) {
            assert_string_equal(part->item[i].name, alone->item[i].name);
            assert_int_equal(part->item[i].group, alone->item[i].group);
        }
        assert_int_equal(
            memcmp(part->value, alone->value, alone->count * sizeof(float)) != 0, within);
        parameters_part_destroy(part);
    }
    parameters_destroy(alone);
    parameters_destroy(both);
}

static void test_wrong_options(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) {
        network_options o = small();
        graph *g = NULL;
        if (i == 0) o.stages = 0;
        if (i == 1) o.stages = 5;
        if (i == 2) o.output_stride = 12;
        assert_int_equal(network_create(&g, &o, NETWORK_CLASSIFIER, NULL), STATUS_USAGE);
        assert_null(g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_shapes),
        cmocka_unit_test(test_groups_and_decay),
        cmocka_unit_test(test_dense_has_three_outputs),
        cmocka_unit_test(test_ends_share_the_body),
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_strides),
        cmocka_unit_test(test_squeezenet),
        cmocka_unit_test(test_kinds_of_resnet),
        cmocka_unit_test(test_twins),
        cmocka_unit_test(test_wrong_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
