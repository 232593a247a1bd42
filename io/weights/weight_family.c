/* Networks told by the names of their tensors. No tensor is read and no network is made: names are
 * there before it is known which network to make. A family that this program does not have is
 * named, too, where it is a common one, for a user who brings its weights wants to hear more than
 * that nothing fits. */
#include "io/weights/weight_family.h"

#include "src/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BACKBONE "backbone."
enum { STAGES = 4 };

bool weight_family_begins(const char *name, const char *with) {
    size_t n = sizeof BACKBONE - 1;
    if (strncmp(name, BACKBONE, n) == 0) name += n;
    return strncmp(name, with, strlen(with)) == 0;
}

/* What an encoder's or a head's tensor may be called here, whichever network it is of. */
static bool is_known(void *context, const char *name) {
    static const char *const first[] = {"conv1.weight", "bn1.", "stem.0.", "stem.1.", "stem.3.",
        "stem.4.", "stem.6.", "stem.7.", "layer1.", "layer2.", "layer3.", "layer4.", "features.",
        "classifier.", "cls_token", "pos_embed", "patch_embed.", "blocks."};
    (void)context;
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        if (weight_family_begins(name, first[i])) return true;
    return false;
}

const weight_rule *weight_family_rule(const tensor_file *f) {
    int count = tensor_file_count(f), matched;
    const char **name = memory_alloc((size_t)count, sizeof *name, "names");
    if (!name) return weight_rule_at(0);
    for (int i = 0; i < count; i++) name[i] = tensor_file_get(f, i).name;
    const weight_rule *rule = weight_rule_best(name, count, is_known, NULL, &matched);
    memory_free(name);
    return rule;
}

/* What of the names tells networks apart. */
typedef struct traits {
    int blocks[STAGES]; /* of layer1 .. layer4 */
    bool bottleneck, averaged, squeeze[2], transformer, convnext, vgg;
} traits;

static void look_at(traits *t, const char *name) {
    if (strncmp(name, BACKBONE, sizeof BACKBONE - 1) == 0) name += sizeof BACKBONE - 1;
    if (strncmp(name, "layer", 5) == 0 && name[5] >= '1' && name[5] < '1' + STAGES &&
        name[6] == '.') {
        int *most = &t->blocks[name[5] - '1'], block = atoi(name + 7) + 1;
        if (block > *most && block < 1000) *most = block;
        t->bottleneck |= strstr(name, ".conv3.") != NULL;
        t->averaged |= strstr(name, ".downsample.2.") != NULL;
    }
    /* Version 1.0 has a module where 1.1 pools, and the other way around. */
    t->squeeze[0] |= strncmp(name, "features.7.squeeze.", 19) == 0;
    t->squeeze[1] |= strncmp(name, "features.6.squeeze.", 19) == 0;
    t->transformer |= strncmp(name, "patch_embed.", 12) == 0;
    t->convnext |= strncmp(name, "downsample_layers.", 18) == 0;
    t->vgg |= strcmp(name, "features.28.weight") == 0;
}

/* By the paper's table 1; a file that is cut after a stage has zeros, which fit all. */
static const char *resnet_name(const traits *t) {
    static const struct {
        const char *name;
        bool bottleneck;
        int blocks[STAGES];
    } known[] = {{"resnet18", false, {2, 2, 2, 2}}, {"resnet34", false, {3, 4, 6, 3}},
        {"resnet50", true, {3, 4, 6, 3}}, {"resnet101", true, {3, 4, 23, 3}},
        {"resnet152", true, {3, 8, 36, 3}}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        bool same = t->bottleneck == known[i].bottleneck;
        for (int s = 0; s < STAGES; s++)
            same = same && (t->blocks[s] == 0 || t->blocks[s] == known[i].blocks[s]);
        if (same) return known[i].name;
    }
    return NULL;
}

static traits traits_of(const tensor_file *f) {
    const weight_rule *rule = weight_family_rule(f);
    traits t = {.blocks = {0}};
    for (int i = 0; i < tensor_file_count(f); i++) {
        char name[WEIGHT_NAME];
        if (weight_rule_apply(rule, tensor_file_get(f, i).name, name)) look_at(&t, name);
    }
    return t;
}

/* SqueezeNet 1.1 has modules at both numbers, 1.0 at one of them alone. */
static const char *backbone_of(const traits *t) {
    if (t->averaged) return NULL;
    if (t->blocks[0]) return resnet_name(t);
    return t->squeeze[1] ? "squeezenet1_1" : t->squeeze[0] ? "squeezenet1_0" : NULL;
}

const char *weight_family_backbone(const tensor_file *f) {
    traits t = traits_of(f);
    return backbone_of(&t);
}

void weight_family_text(const tensor_file *f, char *text) {
    traits t = traits_of(f);
    const char *known = backbone_of(&t);
    if (t.averaged)
        snprintf(text, WEIGHT_FAMILY,
            "it is a ResNet whose shortcuts average (ResNet-D), which this program has not");
    else if (known)
        snprintf(text, WEIGHT_FAMILY, "its names are those of %s: model.backbone = \"%s\"", known,
            known);
    else
        snprintf(text, WEIGHT_FAMILY, "its names are those of %s",
            t.transformer ? "a vision transformer: extract.backbone = \"vit\""
            : t.convnext  ? "a ConvNeXt, which this program has not"
            : t.vgg       ? "a VGG, which this program has not"
            : t.blocks[0] ? "a ResNet of another depth or kind than this program has"
                          : "no network that this program knows");
}
