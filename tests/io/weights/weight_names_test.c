#include "io/weights/weight_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* Tensors of one block, as projects publish them, and what they stand for. */
static void published_names_are_known(void **state) {
    (void)state;
    static const struct {
        const char *rule, *name, *want;
    } cases[] = {
        {"torchvision", "layer1.0.downsample.1.running_var", "layer1.0.downsample.1.running_var"},
        {"torchvision", "backbone.conv1.weight", "backbone.conv1.weight"},
        {"parallel", "module.layer4.2.bn3.bias", "layer4.2.bn3.bias"},
        {"parallel", "layer4.2.bn3.bias", NULL},
        {"parallel-backbone", "module.backbone.bn1.weight", "bn1.weight"},
        {"moco", "module.encoder_q.layer3.5.conv2.weight", "layer3.5.conv2.weight"},
        {"moco", "module.encoder_k.layer3.5.conv2.weight", NULL},
        {"moco", "module.queue", NULL},
        {"moco-v3", "module.base_encoder.conv1.weight", "conv1.weight"},
        {"pixpro", "module.encoder.layer2.0.conv1.weight", "layer2.0.conv1.weight"},
        {"densecl", "encoder_q.0.bn1.running_mean", "bn1.running_mean"},
        {"vissl", "trunk._feature_blocks.layer1.0.conv1.weight", "layer1.0.conv1.weight"},
        {"online-numbered", "online_network.encoder.0.weight", "conv1.weight"},
        {"online-numbered", "online_network.encoder.4.1.conv2.weight", "layer1.1.conv2.weight"},
        {"online-numbered", "online_network.encoder.7.0.downsample.0.weight",
            "layer4.0.downsample.0.weight"},
        {"online-numbered", "online_network.projetion.net.0.weight", NULL},
        {"f-numbered", "f.1.weight", "bn1.weight"},
        {"encoder", "encoder.layer1.0.bn2.weight", "layer1.0.bn2.weight"},
        {"numbered", "5.0.conv1.weight", "layer2.0.conv1.weight"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const weight_rule *r = NULL;
        char out[WEIGHT_NAME];
        for (int k = 0; (r = weight_rule_at(k)) && strcmp(r->name, cases[i].rule) != 0;) k++;
        assert_non_null(r);
        bool known = weight_rule_apply(r, cases[i].name, out);
        if (known != (cases[i].want != NULL)) fail_msg("%s: %s", cases[i].rule, cases[i].name);
        if (known) assert_string_equal(out, cases[i].want);
    }
}

/* A network of a stem and one block. */
static bool is_known(void *context, const char *name) {
    static const char *const have[] = {"conv1.weight", "bn1.weight", "layer1.0.conv1.weight"};
    (void)context;
    for (int i = 0; i < 3; i++)
        if (strcmp(name, have[i]) == 0) return true;
    return false;
}

static void the_rule_that_matches_most_is_taken(void **state) {
    (void)state;
    static const struct {
        const char *want;
        int matched, count;
        const char *name[6];
    } cases[] = {
        {"torchvision", 3, 4, {"conv1.weight", "bn1.weight", "layer1.0.conv1.weight", "fc.weight"}},
        {"moco", 2, 5,
            {"module.encoder_q.conv1.weight", "module.encoder_q.bn1.weight",
                "module.encoder_k.conv1.weight", "module.encoder_k.bn1.weight", "module.queue"}},
        {"parallel", 2, 3,
            {"module.conv1.weight", "module.bn1.weight", "module.prototypes.weight"}},
        {"encoder", 1, 2, {"encoder.conv1.weight", "decoder.0.weight"}},
        {"encoder-numbered", 2, 3, {"encoder.0.weight", "encoder.4.0.conv1.weight", "g.0.weight"}},
        {"torchvision", 0, 1, {"blocks.0.attn.qkv.weight"}},
        {"torchvision", 0, 0, {NULL}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int matched;
        const weight_rule *r =
            weight_rule_best(cases[i].name, cases[i].count, is_known, NULL, &matched);
        assert_string_equal(r->name, cases[i].want);
        assert_int_equal(matched, cases[i].matched);
    }
}

static void long_names_are_refused(void **state) {
    (void)state;
    char name[WEIGHT_NAME + 16], out[WEIGHT_NAME];
    memset(name, 'a', sizeof name);
    name[sizeof name - 1] = 0;
    assert_false(weight_rule_apply(weight_rule_at(0), name, out));
    name[WEIGHT_NAME - 1] = 0;
    assert_true(weight_rule_apply(weight_rule_at(0), name, out));
    assert_null(weight_rule_at(-1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_names_are_known),
        cmocka_unit_test(the_rule_that_matches_most_is_taken),
        cmocka_unit_test(long_names_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
