/* Weights, tried on photographs. Names that fit prove little: a network that gets its images in
 * another way than it was trained with, or strides elsewhere, computes without a complaint. Its
 * classes on a photograph show it at once. The network is the one that the file's names are of,
 * whole and with its own classifier; images are resized without a crop. Classes are numbers, as the
 * file has them: ImageNet's, mostly, whose list of words is elsewhere. */
#include "src/app/tools/classify.h"

#include "io/codecs/image_file.h"
#include "io/files/file.h"
#include "io/weights/weight_family.h"
#include "io/weights/weights.h"
#include "io/weights/weights_about.h"
#include "src/base/choice.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/plain.h"
#include "src/base/text.h"
#include "src/model/network.h"
#include "src/nn/plan/plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 224, SIDE_MOST = 2048, SHOWN = 5, IMAGE_LIMIT = 1 << 28 };
static const int64_t most_pixels = 100000000;

typedef struct classifier {
    network_options network;
    image_input input;
    graph *g;
    parameters *p;
    plan *ready;
} classifier;

typedef struct request {
    const char *weights, *backbone, *input;
    char **image;
    int images, side;
} request;

static status usage(const char *why) {
    log_error("classify: %s (auxseg classify WEIGHTS IMAGE... [--size PIXELS] [--backbone NAME] "
              "[--input TEXT])",
        why);
    return STATUS_USAGE;
}

/* Files in argv move to the front, in their order; the first is the weights. */
static status read_arguments(int argc, char **argv, request *out) {
    *out = (request){.side = SIDE};
    int files = 0;
    for (int i = 0; i < argc; i++) {
        const char *given = i + 1 < argc ? argv[i + 1] : NULL;
        if (argv[i][0] != '-') {
            argv[files++] = argv[i];
            continue;
        }
        if (!given) return usage("an option has no value");
        if (strcmp(argv[i], "--size") == 0)
            out->side = atoi(given);
        else if (strcmp(argv[i], "--backbone") == 0)
            out->backbone = given;
        else if (strcmp(argv[i], "--input") == 0)
            out->input = given;
        else
            return usage("an unknown option");
        i++;
    }
    if (files < 2) return usage("weights and an image are needed");
    if (out->side < 32 || out->side > SIDE_MOST) return usage("--size: 32 to 2048");
    out->weights = argv[0];
    out->image = argv + 1;
    out->images = files - 1;
    return STATUS_OK;
}

/* As many classes as the classifier's bias has. */
static int count_classes(const tensor_file *f) {
    for (int i = 0; i < tensor_file_count(f); i++) {
        tensor_info t = tensor_file_get(f, i);
        bool last =
            text_ends_with(t.name, "fc.bias") || text_ends_with(t.name, "classifier.1.bias");
        if (last && t.dims == 1 && t.shape[0] > 0 && t.shape[0] <= 100000) return (int)t.shape[0];
    }
    return 0;
}

/* Which network, by the header alone. */
static status find_network(const request *q, classifier *c) {
    tensor_file *f = NULL;
    weights_about a;
    char family[WEIGHT_FAMILY];
    status st = weights_about_read(NULL, q->weights, &a);
    if (st == STATUS_OK) st = tensor_file_read_header(&f, q->weights);
    if (st != STATUS_OK) return st;
    weight_family_text(f, family);
    const char *name = q->backbone ? q->backbone : weight_family_backbone(f);
    int backbone = name ? choice_find(model_backbone_words, name) : -1;
    c->network = (network_options){.backbone = backbone < 0 ? 0 : (model_backbone)backbone,
        .stages = 4,
        .output_stride = 32,
        .classes = count_classes(f),
        .deep_stem = a.deep_stem,
        .stride_first = a.stride_first};
    c->input = a.input;
    tensor_file_close(f);
    if (backbone >= 0 && c->network.classes > 0) return STATUS_OK;
    log_error("%s: %s%s", q->weights, family,
        backbone < 0 ? "" : "; it has no classifier of whole images (fc, classifier.1)");
    return STATUS_DATA;
}

static status create(const request *q, classifier *c) {
    weights_match match;
    char text[IMAGE_INPUT_TEXT];
    status st = find_network(q, c);
    if (st == STATUS_OK && q->input && !image_input_parse(q->input, &c->input))
        st = usage("--input: as in \"rgb 0..1 mean 0.485 0.456 0.406 std 0.229 0.224 0.225\"");
    if (st == STATUS_OK) st = network_create(&c->g, &c->network, NETWORK_IMAGE, NULL);
    if (st == STATUS_OK && !(c->p = parameters_create(c->g))) st = STATUS_FAILED;
    if (st == STATUS_OK) st = weights_load(NULL, q->weights, NULL, c->p, &match);
    if (st == STATUS_OK && match.missing > 0) {
        log_error("%s lacks %d of the network's tensors", q->weights, match.missing);
        st = STATUS_DATA;
    }
    plan_options o = {.height = q->side,
        .width = q->side,
        .type = DTYPE_F32,
        .mode = PLAN_INFER,
        .images = 1,
        .threads = 1};
    if (st == STATUS_OK) st = plan_create(&c->ready, c->g, c->p, o);
    if (st != STATUS_OK) return st;
    image_input_text(&c->input, text);
    plain_print("%s: %s, %d classes, images of %d x %d, %s\n", q->weights,
        model_backbone_words[c->network.backbone], c->network.classes, q->side, q->side, text);
    return STATUS_OK;
}

/* The most likely first, of equal ones the lower number. */
static void print_classes(const char *path, const float *score, int classes) {
    double sum = 0, most = -INFINITY;
    for (int k = 0; k < classes; k++) most = fmax(most, (double)score[k]);
    for (int k = 0; k < classes; k++) sum += exp((double)score[k] - most);
    plain_print("%s:", path);
    int shown[SHOWN];
    for (int n = 0; n < SHOWN && n < classes; n++) {
        int best = -1;
        for (int k = 0; k < classes; k++) {
            bool before = false;
            for (int j = 0; j < n; j++) before |= shown[j] == k;
            if (!before && (best < 0 || score[k] > score[best])) best = k;
        }
        shown[n] = best;
        plain_print("%s %d (%.3f)", n ? "," : "", best, exp((double)score[best] - most) / sum);
    }
    plain_print("\n");
}

static status classify(const classifier *c, const char *path, int side) {
    void *bytes = NULL;
    size_t size;
    image rgb = {0}, small = {0};
    status st = file_read(path, IMAGE_LIMIT, &bytes, &size);
    if (st == STATUS_OK) st = image_file_decode(bytes, size, path, most_pixels, &rgb);
    if (st == STATUS_OK) st = image_resize(&rgb, side, side, &small);
    if (st == STATUS_OK) {
        image_normalize(&small, &c->input, plan_input(c->ready, 0));
        st = plan_forward(c->ready, 1, &(step_context){0});
    }
    if (st == STATUS_OK) print_classes(path, plan_output(c->ready, 0, 0), c->network.classes);
    image_destroy(&rgb);
    image_destroy(&small);
    memory_free(bytes);
    return st;
}

/* An image that cannot be read does not keep the next one from being looked at. */
status command_classify(int argc, char **argv) {
    classifier c = {.g = NULL};
    request q;
    status st = read_arguments(argc, argv, &q), worst;
    if (st == STATUS_OK) st = create(&q, &c);
    worst = st;
    for (int i = 0; st == STATUS_OK && i < q.images; i++) {
        status one = classify(&c, q.image[i], q.side);
        if (one != STATUS_OK) worst = one;
    }
    plan_destroy(c.ready);
    parameters_destroy(c.p);
    graph_destroy(c.g);
    return worst;
}
