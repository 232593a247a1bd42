/* The rules of names. A project that names a ResNet in a way of its own is one row more: what
 * stands in front of its tensors, and what else is called differently. The rule is chosen by
 * counting, so rows may overlap; where two match alike, the upper one is taken. Their order is
 * therefore part of the result: a new row goes below those that it overlaps. "backbone." needs no
 * row: weights.c adds or leaves it by itself. */
#include "io/weights/weight_names.h"

#include <stdio.h>
#include <string.h>

/* Children of a torchvision ResNet in a Sequential, by their number. Numbers 2 and 3, the
 * activation and the pooling, have no weights, and 8 and 9 are no part of an encoder. */
static const weight_change numbered[] = {{"0.", "conv1."}, {"1.", "bn1."}, {"4.", "layer1."},
    {"5.", "layer2."}, {"6.", "layer3."}, {"7.", "layer4."}, {NULL, NULL}};

static const weight_rule rules[] = {
    {"torchvision", "", NULL,
        "torchvision, timm; the published backbones of DINO and DenseCL; mmpretrain, solo-learn, "
        "DINO's teacher (backbone.)"},
    {"parallel", "module.", NULL, "SwAV; whatever was trained in DataParallel"},
    {"parallel-backbone", "module.backbone.", NULL, "DINO's student"},
    {"moco", "module.encoder_q.", NULL, "MoCo v1 and v2"},
    {"moco-v3", "module.base_encoder.", NULL, "MoCo v3"},
    {"pixpro", "module.encoder.", NULL, "PixPro"},
    {"densecl", "encoder_q.0.", NULL, "DenseCL and MoCo in OpenSelfSup"},
    {"online", "online_encoder.", NULL, "BYOL"},
    {"online-net", "online_encoder.net.", NULL, "BYOL (byol-pytorch)"},
    {"online-numbered", "online_network.encoder.", numbered, "BYOL (PyTorch-BYOL)"},
    {"vissl", "trunk._feature_blocks.", NULL, "VISSL"},
    {"encoder", "encoder.", NULL, "segmentation_models_pytorch, SimCLR converted"},
    {"encoder-numbered", "encoder.", numbered, "encoders made a Sequential"},
    {"f-numbered", "f.", numbered, "SimCLR (leftthomas)"},
    {"model", "model.", NULL, "PyTorch Lightning"},
    {"model-backbone", "model.backbone.", NULL, "PyTorch Lightning"},
    {"net", "net.", NULL, "SimCLR converted"},
    {"numbered", "", numbered, "a ResNet's children in a Sequential"},
};
enum { RULES = sizeof rules / sizeof *rules };

const weight_rule *weight_rule_at(int i) {
    return i >= 0 && i < RULES ? &rules[i] : NULL;
}

bool weight_rule_apply(const weight_rule *r, const char *name, char *out) {
    size_t n = strlen(r->prefix);
    if (strncmp(name, r->prefix, n) != 0) return false;
    const char *rest = name + n, *begin = "";
    if (r->change) {
        const weight_change *c = r->change;
        while (c->from && strncmp(rest, c->from, strlen(c->from)) != 0) c++;
        if (!c->from) return false;
        begin = c->to;
        rest += strlen(c->from);
    }
    int length = snprintf(out, WEIGHT_NAME, "%s%s", begin, rest);
    return length >= 0 && length < WEIGHT_NAME;
}

/* Counting what the network knows after the change, not what the rule could change: a prefix alone
 * fits many a file. Files have some hundred names and there are few rows: every pair is tried. */
const weight_rule *weight_rule_best(
    const char *const *name, int count, weight_is_known *known, void *context, int *matched) {
    const weight_rule *best = &rules[0];
    *matched = -1;
    for (int k = 0; k < RULES; k++) {
        char changed[WEIGHT_NAME];
        int n = 0;
        for (int i = 0; i < count; i++)
            n += weight_rule_apply(&rules[k], name[i], changed) && known(context, changed);
        if (n <= *matched) continue;
        best = &rules[k];
        *matched = n;
    }
    return best;
}
