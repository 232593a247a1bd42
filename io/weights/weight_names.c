/* The rules of names. A project that names a network in a way of its own is one row more: what
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

/* timm's deep stem is a Sequential called conv1 whose last norm stands outside of it. The empty
 * text fits everything: all else keeps its name. */
static const weight_change deep[] = {{"conv1.0.", "stem.0."}, {"conv1.1.", "stem.1."},
    {"conv1.3.", "stem.3."}, {"conv1.4.", "stem.4."}, {"conv1.6.", "stem.6."}, {"bn1.", "stem.7."},
    {"", ""}, {NULL, NULL}};

/* mmsegmentation's FCN head of one convolution, without the image beside it, is torchvision's. */
static const weight_change mmseg[] = {{"backbone.", ""},
    {"decode_head.convs.0.conv.", "classifier.0."}, {"decode_head.convs.0.bn.", "classifier.1."},
    {"decode_head.conv_seg.", "classifier.4."}, {NULL, NULL}};

/* Detectron2 counts stages as Caffe does and keeps a norm inside of its convolution. */
static const weight_change detectron[] = {{"stem.conv1.norm.", "bn1."}, {"stem.conv1.", "conv1."},
    {"res2.", "layer1."}, {"res3.", "layer2."}, {"res4.", "layer3."}, {"res5.", "layer4."},
    {NULL, NULL}};
static const weight_change detectron_block[] = {{".conv1.norm.", ".bn1."},
    {".conv2.norm.", ".bn2."}, {".conv3.norm.", ".bn3."}, {".shortcut.norm.", ".downsample.1."},
    {".shortcut.", ".downsample.0."}, {NULL, NULL}};

/* Caffe's: whole numbers, blue first, the mean alone taken off. Detectron2's models begin with
 * weights of that kind, whose bottlenecks stride in the first convolution (its STRIDE_IN_1X1, true
 * by default). */
static const image_input caffe = {
    .bgr = true, .range = 255, .mean = {103.53f, 116.28f, 123.675f}, .deviation = {1, 1, 1}};
/* Those that were trained on torchvision's ToTensor alone. */
static const image_input plain = {.range = 1, .deviation = {1, 1, 1}};

#define NAMES(name_, prefix_, change_, origin_)                                                    \
    { .name = name_, .prefix = prefix_, .change = change_, .origin = origin_ }
#define DETECTRON(name_, prefix_, origin_)                                                         \
    {                                                                                              \
        .name = name_, .prefix = prefix_, .change = detectron, .within = detectron_block,          \
        .input = &caffe, .stride_first = true, .origin = origin_                                   \
    }

static const weight_rule rules[] = {
    NAMES("torchvision", "", NULL,
        "torchvision (also DeepLab, FCN), timm, SimCLR converted; the published backbones of DINO, "
        "DenseCL, VISSL, LightlyTrain; mmpretrain, solo-learn, DINO's teacher (backbone.)"),
    NAMES("parallel", "module.", NULL, "SwAV; whatever was trained in DataParallel"),
    NAMES("parallel-backbone", "module.backbone.", NULL, "DINO's student"),
    NAMES("moco", "module.encoder_q.", NULL, "MoCo v1 and v2"),
    NAMES("moco-single", "encoder_q.", NULL, "MoCo saved without DataParallel"),
    NAMES("moco-v3", "module.base_encoder.", NULL, "MoCo v3"),
    NAMES("pixpro", "module.encoder.", NULL, "PixPro, SimSiam"),
    NAMES("densecl", "encoder_q.0.", NULL, "DenseCL and MoCo in OpenSelfSup"),
    NAMES("online", "online_encoder.", NULL, "BYOL"),
    NAMES("online-net", "online_encoder.net.", NULL, "BYOL (byol-pytorch)"),
    NAMES("online-mm", "online_net.0.", NULL, "BYOL in OpenSelfSup and MMSelfSup"),
    {.name = "online-numbered",
        .prefix = "online_network.encoder.",
        .change = numbered,
        .input = &plain,
        .origin = "BYOL (PyTorch-BYOL)"},
    {.name = "online-state",
        .prefix = "online_network_state_dict.encoder.",
        .change = numbered,
        .input = &plain,
        .origin = "BYOL (PyTorch-BYOL's file)"},
    NAMES("detcon", "module.online_network.encoder.", numbered, "BYOL and DetCon in PyTorch"),
    NAMES("vissl", "trunk._feature_blocks.", NULL, "VISSL"),
    NAMES("vissl-blocks", "_feature_blocks.", NULL, "VISSL's trunk by itself"),
    NAMES("encoder", "encoder.", NULL,
        "segmentation_models_pytorch, SimCLR converted, older solo-learn"),
    NAMES("encoder-numbered", "encoder.", numbered, "encoders made a Sequential"),
    NAMES("backbone-numbered", "backbone.", numbered, "lightly's own models"),
    NAMES("model", "model.", NULL, "PyTorch Lightning"),
    NAMES("model-backbone", "model.backbone.", NULL, "PyTorch Lightning"),
    NAMES("lightly", "embedding_model.wrapped_model._model.", NULL, "LightlyTrain's checkpoints"),
    NAMES("lightly-teacher", "teacher_embedding_model.wrapped_model._model.", NULL,
        "LightlyTrain's checkpoints, DINO and DINOv2"),
    NAMES("lightly-numbered", "embedding_model.wrapped_model._features.", numbered,
        "LightlyTrain's checkpoints of torchvision's networks"),
    NAMES("lightly-teacher-numbered", "teacher_embedding_model.wrapped_model._features.", numbered,
        "the same, DINO"),
    NAMES("net", "net.", NULL, "SimCLR converted"),
    NAMES("numbered", "", numbered, "a ResNet's children in a Sequential"),
    NAMES("timm", "", deep, "timm's deep stems (gluon_resnet50_v1c), where they are not averaged"),
    NAMES("mmseg", "", mmseg, "mmsegmentation with its FCN head"),
    DETECTRON("detectron2", "", "detectron2's backbones (BGR, 0..255, stride in the 1x1)"),
    DETECTRON("detectron2-backbone", "backbone.", "detectron2's models (C4, DC5, DeepLab)"),
    DETECTRON("detectron2-fpn", "backbone.bottom_up.", "detectron2's models with FPN"),
};
enum { RULES = sizeof rules / sizeof *rules };

const weight_rule *weight_rule_at(int i) {
    return i >= 0 && i < RULES ? &rules[i] : NULL;
}

/* out [WEIGHT_NAME]: the text with every change that is in it, each once. False: too long. */
static bool change_within(const weight_change *c, const char *text, char *out) {
    int n = snprintf(out, WEIGHT_NAME, "%s", text);
    if (n < 0 || n >= WEIGHT_NAME) return false;
    for (; c && c->from; c++) {
        char before[WEIGHT_NAME];
        const char *at = strstr(out, c->from);
        if (!at) continue;
        memcpy(before, out, sizeof before);
        int head = (int)(at - out);
        n = snprintf(
            out, WEIGHT_NAME, "%.*s%s%s", head, before, c->to, before + head + strlen(c->from));
        if (n < 0 || n >= WEIGHT_NAME) return false;
    }
    return true;
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
    char whole[2 * WEIGHT_NAME];
    int length = snprintf(whole, sizeof whole, "%s%s", begin, rest);
    if (length < 0 || length >= WEIGHT_NAME) return false;
    return change_within(r->within, whole, out);
}

/* Changes are read from right to left; the empty text is left for the last, as it fits everything.
 * Within a name the changed texts are found again as they stand apart: no two rows of a list have
 * one result. */
bool weight_rule_revert(const weight_rule *r, const char *name, char *out) {
    const char *rest = name, *begin = "";
    for (const weight_change *c = r->change; c && c->from; c++) {
        if (!c->to[0] || strncmp(rest, c->to, strlen(c->to)) != 0) continue;
        begin = c->from;
        rest += strlen(c->to);
        break;
    }
    /* A row that takes a text away puts it back in front of what no other row has changed. */
    for (const weight_change *c = r->change; rest == name && c && c->from; c++)
        if (!c->to[0]) begin = c->from;
    weight_change back[16] = {{NULL, NULL}};
    int n = 0;
    for (const weight_change *c = r->within; c && c->from && n < 15; c++)
        back[n++] = (weight_change){c->to, c->from};
    char changed[WEIGHT_NAME];
    if (!change_within(back, rest, changed)) return false;
    int length = snprintf(out, WEIGHT_NAME, "%s%s%s", r->prefix, begin, changed);
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
