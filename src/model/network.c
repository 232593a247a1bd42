/* A whole network from its options: the encoder, as far as it is needed, the head's body, and one
 * of several ends. Features, classifier and projection share everything below their end, and their
 * parameters' names, so that the weights of one fit the others.
 *
 * The encoder's parameters are of GROUP_BACKBONE, all that follow of GROUP_HEAD: they may have
 * learning rates of their own. A network of features is cut as early as its layers allow, so that
 * labels are made without computing what is not read. */
#include "src/model/network.h"

#include "src/base/log.h"
#include "src/model/deeplab.h"
#include "src/model/fcn.h"
#include "src/model/projection.h"
#include "src/model/resnet.h"
#include "src/model/squeezenet.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Of a head the body takes the stages that it wants: the last one, and V3+ the first one too. */
typedef struct head {
    const char *classifier; /* its last layer's name */
    value (*body)(graph *g, const value *stage, int last, int channels);
} head;

static value fcn(graph *g, const value *stage, int last, int channels) {
    return fcn_body(g, stage[last], channels);
}

static value deeplabv3(graph *g, const value *stage, int last, int channels) {
    return deeplab_body(g, stage[last], channels);
}

static value deeplabv3plus(graph *g, const value *stage, int last, int channels) {
    return deeplab_plus_body(g, stage[last], stage[0], channels);
}

/* What published weights are found by: of the first two heads, the index in torchvision's
 * nn.Sequential; the third has none in torchvision. */
static head head_of(model_head h) {
    switch (h) {
    case MODEL_HEAD_FCN:
        return (head){"classifier.4", fcn};
    case MODEL_HEAD_DEEPLABV3:
        return (head){"classifier.4", deeplabv3};
    case MODEL_HEAD_DEEPLABV3PLUS:
        break;
    }
    return (head){"classifier.classifier.3", deeplabv3plus};
}

/* The layers of NETWORK_FEATURES, each once: 0 .. 3 a stage, LAYER_HEAD. */
enum { NETWORK_STAGES = RESNET_STAGES, LAYER_HEAD = NETWORK_STAGES, LAYERS };

typedef struct layer_list {
    int layer[LAYERS], count, deepest;
} layer_list;

/* -1: unknown, or a stage that this encoder does not have. name is not terminated: it is a piece of
 * a list. */
static int find_layer(const char *name, size_t length, int stages) {
    static const char *const names[LAYERS] = {"layer1", "layer2", "layer3", "layer4", "head"};
    for (int i = 0; i < LAYERS; i++)
        if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0)
            return i < stages || i == LAYER_HEAD ? i : -1;
    return -1;
}

/* Each layer once, and none that the encoder is cut before: the message names the one that is
 * wrong. */
static status read_layers(layer_list *out, const char *text, int stages) {
    layer_list l = {.count = 0};
    bool taken[LAYERS] = {false};
    for (const char *at = text; at;) {
        const char *comma = strchr(at, ',');
        size_t length = comma ? (size_t)(comma - at) : strlen(at);
        int layer = find_layer(at, length, stages);
        if (layer < 0 || taken[layer]) {
            log_error("layers = \"%s\": \"%.*s\" is %s; known are layer1 .. layer%d and head", text,
                (int)length, at, layer < 0 ? "unknown" : "named twice", stages);
            return STATUS_USAGE;
        }
        taken[layer] = true;
        l.layer[l.count++] = layer;
        if (layer > l.deepest) l.deepest = layer;
        at = comma ? comma + 1 : NULL;
    }
    *out = l;
    return STATUS_OK;
}

static status check_options(const network_options *o) {
    if (o->stages < 1 || o->stages > NETWORK_STAGES)
        log_error("stages = %d: 1 to %d", o->stages, NETWORK_STAGES);
    else if (o->output_stride != 8 && o->output_stride != 16 && o->output_stride != 32)
        log_error("output_stride = %d: 8, 16 or 32", o->output_stride);
    else
        return STATUS_OK;
    return STATUS_USAGE;
}

/* The layers side by side, brought to the finest one's size. Resized are the coarse ones,
 * bilinearly: the finest keeps its detail. Order is that of the list, and with it the order of
 * channels. */
static value build_features(graph *g, const value *stage, value body, const layer_list *wanted) {
    value layer[LAYERS], finest;
    for (int i = 0; i < wanted->count; i++)
        layer[i] = wanted->layer[i] == LAYER_HEAD ? body : stage[wanted->layer[i]];
    finest = layer[0];
    for (int i = 1; i < wanted->count; i++)
        if (graph_stride(g, layer[i]) < graph_stride(g, finest)) finest = layer[i];
    for (int i = 0; i < wanted->count; i++)
        if (graph_stride(g, layer[i]) != graph_stride(g, finest))
            layer[i] = graph_resize(g, layer[i], finest);
    return wanted->count > 1 ? graph_concat(g, layer, wanted->count) : finest;
}

/* What stands on the encoder, down to the network's output. Without need the body is not built: its
 * parameters would be declared, too. */
static void build_end(graph *g, const network_options *o, const value *stage, network_end end,
    const layer_list *wanted) {
    head h = head_of(o->head);
    graph_group(g, GROUP_HEAD);
    value body = -1;
    if (end == NETWORK_EMBEDDING || end == NETWORK_DENSE) {
        value last = stage[network_stages(o) - 1];
        value pooled = graph_global_pool(g, last);
        graph_output(g, projection_build(g, pooled, NETWORK_EMBED, o->projection));
        if (end == NETWORK_EMBEDDING) return;
        graph_output(g, projection_build(g, last, "dense_projection", o->projection));
        graph_output(g, last);
        return;
    }
    if (end != NETWORK_FEATURES || wanted->deepest == LAYER_HEAD)
        body = h.body(g, stage, network_stages(o) - 1, o->head_channels);
    if (end == NETWORK_CLASSIFIER) {
        conv pointwise = {.kernel = 1, .bias = true, .init = INIT_UNIFORM};
        graph_output(g, graph_conv(g, body, h.classifier, o->classes, pointwise));
        if (o->contrast) graph_output(g, projection_build(g, body, NETWORK_EMBED, o->projection));
    } else if (end == NETWORK_PROJECTION) {
        graph_output(g, projection_build(g, body, NETWORK_EMBED, o->projection));
    } else {
        graph_output(g, build_features(g, stage, body, wanted));
    }
}

int network_stages(const network_options *o) {
    int most = squeezenet_is(o->backbone) ? SQUEEZENET_STAGES : RESNET_STAGES;
    return o->stages < most ? o->stages : most;
}

static resnet resnet_with(const network_options *o) {
    resnet kind = resnet_of(o->backbone);
    kind.deep_stem = o->deep_stem;
    kind.stride_first = o->stride_first;
    return kind;
}

static void build_encoder(
    graph *g, value image, const network_options *o, int stages, value *stage) {
    if (squeezenet_is(o->backbone)) {
        squeezenet_build(g, image, o->backbone, stages, o->output_stride, stage);
        return;
    }
    resnet kind = resnet_with(o);
    resnet_build(g, image, &kind, stages, o->output_stride, stage);
}

/* As published, for whole images: 32 pixels between two of the last map, none of them dilated. */
static value build_image(graph *g, value image, const network_options *o) {
    enum { WHOLE = 32 };
    value stage[RESNET_STAGES];
    if (squeezenet_is(o->backbone)) return squeezenet_image(g, image, o->backbone, o->classes);
    resnet kind = resnet_with(o);
    resnet_build(g, image, &kind, RESNET_STAGES, WHOLE, stage);
    graph_group(g, GROUP_HEAD);
    return graph_linear(g, graph_global_pool(g, stage[RESNET_STAGES - 1]), "fc", o->classes);
}

/* A whole network of its own, with layers of other names. */
static status create_transformer(graph **out, const vit *v, const char *layers) {
    value features = -1;
    graph *g = graph_create();
    if (!g) return STATUS_FAILED;
    status st = vit_build(g, graph_input(g, 3), v, layers, &features);
    if (st == STATUS_OK) {
        graph_output(g, features);
        st = graph_status(g);
    }
    if (st != STATUS_OK) {
        graph_destroy(g);
        return st;
    }
    *out = g;
    return STATUS_OK;
}

/* Options are checked before anything is built; the message names the setting. */
status network_create(graph **out, const network_options *o, network_end end, const char *layers) {
    if (o->vit.width > 0) {
        assert(end == NETWORK_FEATURES);
        return create_transformer(out, &o->vit, layers);
    }
    layer_list wanted = {.count = 0};
    status st = check_options(o);
    int stages = network_stages(o);
    if (st == STATUS_OK && end == NETWORK_FEATURES) st = read_layers(&wanted, layers, stages);
    if (st != STATUS_OK) return st;

    graph *g = graph_create();
    if (!g) return STATUS_FAILED;
    /* Features of early stages need no later ones. */
    bool cut = end == NETWORK_FEATURES && wanted.deepest != LAYER_HEAD;
    value stage[NETWORK_STAGES];
    value image = graph_input(g, 3);
    if (end == NETWORK_IMAGE) {
        graph_output(g, build_image(g, image, o));
    } else {
        build_encoder(g, image, o, cut ? wanted.deepest + 1 : stages, stage);
        build_end(g, o, stage, end, &wanted);
    }
    if (o->twin) {
        assert(end == NETWORK_CLASSIFIER && !o->contrast);
        graph_prefix(g, NETWORK_TWIN);
        graph_group(g, GROUP_BACKBONE);
        build_encoder(g, image, o, stages, stage);
        build_end(g, o, stage, end, &wanted);
    }
    st = graph_status(g);
    if (st != STATUS_OK) {
        graph_destroy(g);
        return st;
    }
    *out = g;
    return STATUS_OK;
}

const char *network_classifier(const network_options *o) {
    return head_of(o->head).classifier;
}
