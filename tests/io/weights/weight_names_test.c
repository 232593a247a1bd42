#include "io/weights/weight_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
        {"timm", "conv1.6.weight", "stem.6.weight"},
        {"timm", "bn1.running_var", "stem.7.running_var"},
        {"timm", "layer1.0.bn1.bias", "layer1.0.bn1.bias"},
        {"mmseg", "decode_head.convs.0.bn.bias", "classifier.1.bias"},
        {"detectron2", "stem.conv1.norm.bias", "bn1.bias"},
        {"detectron2-fpn", "backbone.bottom_up.res5.1.conv2.norm.bias", "layer4.1.bn2.bias"},
        {"detectron2-fpn", "backbone.fpn_lateral2.weight", NULL},
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

/* ---- lists of names as projects publish them: tests/fixtures/make_weight_names.py ---- */

enum { NAMES = 512 };

typedef struct name_list {
    char rule[64], project[64];
    char *name[NAMES];
    int count;
} name_list;

static void clear(name_list *l) {
    for (int i = 0; i < l->count; i++) free(l->name[i]);
    *l = (name_list){.count = 0};
}

/* With or without "backbone.", as weights.c has it. */
static int place_of(const name_list *network, const char *name) {
    if (strncmp(name, "backbone.", 9) == 0) name += 9;
    for (int i = 0; i < network->count; i++)
        if (strcmp(network->name[i], name) == 0) return i;
    return -1;
}

static bool network_has(void *context, const char *name) {
    return place_of(context, name) >= 0;
}

/* The rule that is meant is taken, and gives each tensor of the network once; detectron2 has no
 * counts of batches. */
static void check_list(const name_list *l, name_list *network) {
    int matched, wanted = 0, times[NAMES] = {0};
    const weight_rule *r =
        weight_rule_best((const char *const *)l->name, l->count, network_has, network, &matched);
    if (strcmp(r->name, l->rule) != 0) fail_msg("%s: rule %s", l->project, r->name);
    for (int i = 0; i < l->count; i++) {
        char out[WEIGHT_NAME];
        int at = weight_rule_apply(r, l->name[i], out) ? place_of(network, out) : -1;
        if (at >= 0) times[at]++;
    }
    for (int i = 0; i < network->count; i++) {
        bool counts = strstr(network->name[i], "num_batches") != NULL;
        if (r->stride_first && counts) continue;
        wanted++;
        if (times[i] != 1)
            fail_msg("%s: %s is there %d times", l->project, network->name[i], times[i]);
    }
    assert_int_equal(matched, wanted);
}

static void published_lists_are_read_whole(void **state) {
    (void)state;
    FILE *f = fopen(AUXSEG_TESTS "/fixtures/weight_names.txt", "r");
    static name_list network, list;
    char line[WEIGHT_NAME], rule[64], project[64];
    int lists = 0;
    bool is_list = false;
    assert_non_null(f);
    for (bool more = true; more;) {
        more = fgets(line, sizeof line, f) != NULL;
        line[strcspn(line, "\n")] = 0;
        bool head = more && strchr(line, ' ');
        if (head || !more) {
            if (is_list) check_list(&list, &network);
            lists += is_list;
            clear(&list);
            is_list = more && sscanf(line, "list %63s %63s", rule, project) == 2;
            if (!is_list) clear(&network);
            strcpy(list.rule, rule);
            strcpy(list.project, project);
            continue;
        }
        name_list *to = is_list ? &list : &network;
        assert_true(to->count < NAMES);
        to->name[to->count++] = strdup(line);
    }
    fclose(f);
    clear(&network);
    assert_int_equal(lists, 40);
}

/* What goes out by a rule comes back by it. */
static void names_go_out_and_back(void **state) {
    (void)state;
    static const char *const names[] = {"conv1.weight", "layer1.0.bn3.running_var",
        "layer4.1.downsample.0.weight", "layer2.0.downsample.1.bias", "classifier.0.weight",
        "classifier.4.bias", "features.3.squeeze.weight"};
    static const char *const rule[] = {"torchvision", "timm", "mmseg", "detectron2", "moco"};
    for (size_t k = 0; k < sizeof rule / sizeof *rule; k++) {
        const weight_rule *r = NULL;
        for (int i = 0; (r = weight_rule_at(i)) && strcmp(r->name, rule[k]) != 0;) i++;
        assert_non_null(r);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            char out[WEIGHT_NAME], back[WEIGHT_NAME];
            if (strcmp(rule[k], "detectron2") == 0 && names[i][0] != 'l') continue;
            assert_true(weight_rule_revert(r, names[i], out));
            assert_true(weight_rule_apply(r, out, back));
            assert_string_equal(back, names[i]);
        }
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
        cmocka_unit_test(published_lists_are_read_whole),
        cmocka_unit_test(names_go_out_and_back),
        cmocka_unit_test(long_names_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
