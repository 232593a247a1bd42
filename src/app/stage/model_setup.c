/* Settings and file together: what a setting says counts, what it leaves open the file decides, and
 * without a file ImageNet's convention and torchvision's network. Images that are given in another
 * way than the weights want are no error that anything could find later, and cost more accuracy
 * than most mistakes that are found: so the choice is said, with what it rests on, once for each
 * file. */
#include "src/app/stage/model_setup.h"

#include "io/weights/weights_about.h"
#include "src/app/stage/setup.h"
#include "src/base/log.h"

#include <stdio.h>
#include <string.h>

/* -1 where it is left open. Without a default, as in choices.c. */
static int channels_asked(const settings *s) {
    switch (s->model.channels) {
    case MODEL_CHANNELS_AUTO:
        return -1;
    case MODEL_CHANNELS_RGB:
        return 0;
    case MODEL_CHANNELS_BGR:
        break;
    }
    return 1;
}

/* Mean and deviation are in the range that is asked for: one that changes without them brings
 * theirs along, whole colours being the same colours. */
static void set_range(image_input *in, float range) {
    for (int c = 0; c < 3; c++) {
        in->mean[c] *= range / in->range;
        in->deviation[c] *= range / in->range;
    }
    in->range = range;
}

/* Order before numbers, as the numbers are in that order. What is not said moves along. */
static bool set_input(const settings *s, image_input *in) {
    image_input before = *in;
    int bgr = channels_asked(s);
    if (bgr >= 0 && (bool)bgr != in->bgr) {
        for (int c = 0; c < 3; c++) {
            in->mean[c] = before.mean[2 - c];
            in->deviation[c] = before.deviation[2 - c];
        }
        in->bgr = bgr;
    }
    if (s->model.range != MODEL_RANGE_AUTO)
        set_range(in, s->model.range == MODEL_RANGE_BYTES ? 255 : 1);
    if (strcmp(s->model.mean, "auto") != 0) image_input_numbers(s->model.mean, false, in->mean);
    if (strcmp(s->model.std, "auto") != 0) image_input_numbers(s->model.std, true, in->deviation);
    return !image_input_same(&before, in);
}

/* Every stage asks, several of them for one file: what was said last is not said again. */
static void say(const char *weights, const image_input *in, const char *why) {
    static char said[2 * SETTINGS_TEXT];
    char text[IMAGE_INPUT_TEXT], line[2 * SETTINGS_TEXT];
    image_input_text(in, text);
    snprintf(line, sizeof line, "input: %s, %s%s%s", text, why, weights[0] ? " of " : "", weights);
    (strcmp(said, line) == 0 ? log_detail : log_info)("%s", line);
    strcpy(said, line);
}

status model_setup_read(
    const comm *c, const settings *s, const char *weights, int classes, model_setup *out) {
    weights_about a = {.input = image_input_imagenet};
    char why[128] = "the default";
    if (weights[0]) {
        status st = weights_about_read(c, weights, &a);
        if (st != STATUS_OK) return st;
        snprintf(why, sizeof why, a.carried ? "by the metadata" : "by the rule \"%s\" of the names",
            a.rule);
    }
    *out = (model_setup){.network = setup_network(s, classes), .input = a.input};
    bool asked = set_input(s, &out->input);
    if (asked && a.carried && comm_root(c))
        log_warn("%s: its metadata says another input than model.channels, range, mean and std: "
                 "these count",
            weights);
    say(weights, &out->input,
        asked ? "by model.channels, range, mean and std in place of those" : why);
    bool deep = a.deep_stem, first = a.stride_first;
    if (s->model.stem != MODEL_STEM_AUTO) deep = s->model.stem == MODEL_STEM_DEEP;
    if (s->model.stride_in != MODEL_STRIDE_IN_AUTO)
        first = s->model.stride_in == MODEL_STRIDE_IN_1X1;
    out->network.deep_stem = deep;
    out->network.stride_first = first;
    if (first) log_info("blocks stride in their first convolution (model.stride_in)");
    return STATUS_OK;
}

void model_setup_metadata(const model_setup *m, char *text, const char **metadata) {
    image_input_text(&m->input, text);
    metadata[0] = WEIGHTS_INPUT;
    metadata[1] = text;
    metadata[2] = WEIGHTS_STRIDE;
    metadata[3] = m->network.stride_first ? "1x1" : "3x3";
}
