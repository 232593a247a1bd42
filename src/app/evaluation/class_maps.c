/* Classes of pixels from a network's logits. Probabilities are added up at the size that is asked
 * for, pass after pass: the mean over scales and mirror images decides, and logits are enlarged
 * once, not first to the image that the network saw. Passes are in a fixed order (scale by scale,
 * each followed by its mirror image) and an image's sums are one thread's, so that they round alike
 * whatever the threads. Evaluation and prediction both come through here: what is measured is what
 * is written. */
#include "src/app/evaluation/class_maps.h"

#include "src/app/stage/scales.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/image/mirror.h"
#include "src/segment/confusion.h"
#include "src/segment/upsample.h"

#include <stdbool.h>
#include <string.h>

/* A pass over images of one shape: magnified by `scale`, mirrored if `flip`. */
typedef struct pass {
    const stage *t;
    const int *list; /* the images' places in its data set */
    double scale;
    bool flip;
    const image_input *input; /* how the network is given images */
} pass;

/* The image is resized, not its normalised floats: bytes take a quarter of the memory. */
static status pass_input(const image *rgb, const pass *a, int height, int width, float *input) {
    image resized = {0};
    status st = image_resize(rgb, height, width, &resized);
    if (st == STATUS_OK) image_normalize(&resized, a->input, input);
    if (st == STATUS_OK && a->flip) mirror_normalized(input, height, width);
    image_destroy(&resized);
    return st;
}

/* Weights may be finite and what they lead to not: no class would be right. */
static void name_image(const pass *a, int i) {
    log_error("%s: the network's output for image %s is not finite: no class can be told",
        a->t->name, dataset_get(a->t->d, a->list[i]).name);
}

/* Adds a pass's class probabilities at the size wanted: probability [count, H, W, K]. The images
 * have one shape, so that one plan does for all; it is the network's, which keeps it for the next
 * batch. A mirrored pass's map is mirrored back as it is added. On failure what was added is of no
 * use. */
static status add_pass(inference *net, const pass *a, const image *rgb, int count,
    const labelmap *out, float *probability) {
    plan *p = NULL;
    int h, w, classes, threads = inference_threads(net);
    int height, width;
    scales_size(rgb->height, rgb->width, a->scale, &height, &width);
    status worst = STATUS_OK, st = inference_plan(net, height, width, &p);
    if (st != STATUS_OK) return st;
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int i = 0; i < count; i++) {
        status mine = pass_input(&rgb[i], a, height, width, plan_input(p, i));
        if (mine != STATUS_OK) {
#pragma omp critical(worst)
            worst = status_worse(worst, mine);
        }
    }
    if (worst == STATUS_OK) worst = plan_forward(p, count, &(step_context){0});
    if (worst != STATUS_OK) return worst;
    plan_output_shape(p, 0, &h, &w, &classes);
    size_t size = (size_t)out->height * (size_t)out->width * (size_t)classes;
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int i = 0; i < count; i++) {
        const logit_map logits = {plan_output(p, 0, i), h, w, classes};
        status mine = segment_accumulate(
            &logits, a->flip, out->height, out->width, probability + (size_t)i * size);
        if (mine != STATUS_OK) {
            if (mine == STATUS_NONFINITE) name_image(a, i);
#pragma omp critical(worst)
            worst = status_worse(worst, mine);
        }
    }
    return worst;
}

/* out [count], created here at height x width, which need not be the images' own; destroyed by the
 * caller, whatever is returned. All probabilities of these images are in memory until the last
 * pass: class_maps_count bounds how many. */
status class_maps_predict(const stage *t, inference *net, const int *list, const image *rgb,
    int count, int height, int width, labelmap *out) {
    size_t pixels = (size_t)height * (size_t)width;
    int classes = inference_channels(net);
    const char *scales = t->s->evaluate.scales;
    pass a = {.t = t, .list = list, .input = inference_input(net)};
    float *probability = memory_alloc(
        (size_t)count * pixels, sizeof *probability * (size_t)classes, "class probabilities");
    status st = probability ? STATUS_OK : STATUS_FAILED;
    for (int i = 0; st == STATUS_OK && i < count; i++) st = labelmap_create(&out[i], height, width);
    while (st == STATUS_OK && scales_next(&scales, &a.scale)) {
        a.flip = false;
        st = add_pass(net, &a, rgb, count, out, probability);
        a.flip = true;
        if (st == STATUS_OK && t->s->evaluate.flip)
            st = add_pass(net, &a, rgb, count, out, probability);
    }
    for (int i = 0; st == STATUS_OK && i < count; i++)
        segment_predict(
            probability + (size_t)i * pixels * (size_t)classes, classes, pixels, out[i].data);
    memory_free(probability);
    return st;
}

/* Whether two images have the same shape at a scale. */
static bool same_shape(const dataset *d, int i, int j, double scale) {
    int hi, wi, hj, wj;
    dataset_shape(d, i, scale, &hi, &wi);
    dataset_shape(d, j, scale, &hj, &wj);
    return hi == hj && wi == wj;
}

int class_maps_count(
    const stage *t, const inference *net, const int *list, int first, int end, double scale) {
    enum { BYTES = 1 << 30 };
    inference_sizes sizes = {t->s->dataset.scale, t->s->evaluate.scales};
    int height, width, most = inference_run(net, t->d, list, first, end, &sizes);
    int count = 1;
    /* Images that are alike as the network sees them may differ before. */
    while (count < most && same_shape(t->d, list[first], list[first + count], scale)) count++;
    dataset_shape(t->d, list[first], scale, &height, &width);
    int64_t image_bytes =
        (int64_t)height * width * inference_channels(net) * (int64_t)sizeof(float);
    while (count > 1 && count * image_bytes > BYTES) count--;
    return count;
}
