/* logits WEIGHTS OUT BACKBONE STAGES STRIDE HEAD HEAD_CHANNELS CLASSES HEIGHT WIDTH STEM STRIDE_IN:
 * the program's logits (fp32, raw floats [h, w, classes]) of a picture that a formula makes, for
 * compare_logits.py. WEIGHTS is made first, from a seed, if it does not exist. */
#include "io/files/file.h"
#include "io/weights/weights.h"
#include "src/base/log.h"
#include "src/model/network.h"
#include "src/nn/plan/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void fill(float *x, int height, int width) {
    for (int i = 0; i < height; i++)
        for (int j = 0; j < width; j++)
            for (int c = 0; c < 3; c++)
                *x++ = (float)sin(0.1 * (7 * i + 3 * j + 11 * c) + 0.001 * i * j);
}

/* Weights of a trained network are not at hand everywhere: random ones. Norms with a scale and
 * shift that differ from channel to channel, and statistics that keep the signal alive. */
static status make_weights(const char *path, parameters *p) {
    parameters_initialize(p, 7);
    for (int i = 0; i < p->items; i++) {
        const parameter *x = &p->item[i];
        float *to = (x->trainable ? p->value : p->buffer) + x->offset;
        for (size_t k = 0; x->dims == 1 && k < x->count; k++) {
            float step = 0.1f * (float)(k % 7) - 0.3f;
            to[k] = x->init == INIT_ONE ? 0.9f + 0.5f * step : 0.5f * step;
        }
    }
    const char *metadata[] = {"format", "pt"};
    return weights_save(NULL, path, p, metadata, 1);
}

static status run(plan *p, const char *out, int height, int width) {
    int h, w, channels;
    fill(plan_input(p, 0), height, width);
    status st = plan_forward(p, 1, &(step_context){0});
    if (st != STATUS_OK) return st;
    plan_output_shape(p, 0, &h, &w, &channels);
    return file_write(out, plan_output(p, 0, 0), sizeof(float) * (size_t)(h * w * channels));
}

int main(int argc, char **argv) {
    graph *g = NULL;
    parameters *p = NULL;
    plan *ready = NULL;
    weights_match match;
    if (argc != 13) return STATUS_USAGE;
    network_options o = {.backbone = (model_backbone)choice_find(model_backbone_words, argv[3]),
        .stages = atoi(argv[4]),
        .output_stride = atoi(argv[5]),
        .head = (model_head)choice_find(model_head_words, argv[6]),
        .head_channels = atoi(argv[7]),
        .classes = atoi(argv[8]),
        .deep_stem = strcmp(argv[11], "deep") == 0,
        .stride_first = strcmp(argv[12], "1x1") == 0};
    plan_options how = {.height = atoi(argv[9]),
        .width = atoi(argv[10]),
        .type = DTYPE_F32,
        .mode = PLAN_INFER,
        .images = 1,
        .threads = 1};
    status st = network_create(&g, &o, NETWORK_CLASSIFIER, NULL);
    if (st == STATUS_OK && !(p = parameters_create(g))) st = STATUS_FAILED;
    if (st == STATUS_OK && !file_exists(argv[1])) st = make_weights(argv[1], p);
    if (st == STATUS_OK) st = weights_load(NULL, argv[1], NULL, p, &match);
    if (st == STATUS_OK) st = plan_create(&ready, g, p, how);
    if (st == STATUS_OK) st = run(ready, argv[2], how.height, how.width);
    plan_destroy(ready);
    parameters_destroy(p);
    graph_destroy(g);
    return (int)st;
}
