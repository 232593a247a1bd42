/* Conventions of input as numbers and as text. The text is what files of weights and logs hold: one
 * form, which people can read and this program reads back to the same floats, so that a network
 * that has gone through a file sees the very same pixels. */
#include "src/image/input.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const image_input image_input_imagenet = {
    .range = 1, .mean = {.485f, .456f, .406f}, .deviation = {.229f, .224f, .225f}};

/* The fewest digits that read back to the same float: 0.485, not 0.485000014. */
static int print_float(char *text, size_t size, float x) {
    for (int digits = 1; digits < 9; digits++) {
        int n = snprintf(text, size, " %.*g", digits, (double)x);
        if (strtof(text, NULL) == x) return n;
    }
    return snprintf(text, size, " %.9g", (double)x);
}

void image_input_text(const image_input *in, char *text) {
    const float *const part[2] = {in->mean, in->deviation};
    size_t n = (size_t)snprintf(
        text, IMAGE_INPUT_TEXT, "%s 0..%g", in->bgr ? "bgr" : "rgb", (double)in->range);
    for (int p = 0; p < 2; p++) {
        n += (size_t)snprintf(text + n, IMAGE_INPUT_TEXT - n, "%s", p ? " std" : " mean");
        for (int c = 0; c < 3; c++)
            n += (size_t)print_float(text + n, IMAGE_INPUT_TEXT - n, part[p][c]);
    }
}

/* Three numbers from *text on, which moves behind them. */
static bool take_numbers(const char **text, bool positive, float out[3]) {
    const char *at = *text;
    for (int c = 0; c < 3; c++) {
        char *end;
        out[c] = strtof(at, &end);
        if (end == at || !isfinite(out[c]) || (positive && !(out[c] > 0))) return false;
        at = end + strspn(end, c < 2 ? " ," : " ");
    }
    *text = at;
    return true;
}

bool image_input_numbers(const char *text, bool positive, float out[3]) {
    float x[3];
    if (!take_numbers(&text, positive, x) || *text) return false;
    memcpy(out, x, sizeof x);
    return true;
}

static bool take_word(const char **text, const char *word) {
    size_t n = strlen(word);
    if (strncmp(*text, word, n) != 0) return false;
    *text += n;
    return true;
}

bool image_input_parse(const char *text, image_input *out) {
    image_input in = {.range = 1};
    in.bgr = take_word(&text, "bgr ");
    if (!in.bgr && !take_word(&text, "rgb ")) return false;
    if (take_word(&text, "0..255 "))
        in.range = 255;
    else if (!take_word(&text, "0..1 "))
        return false;
    if (!take_word(&text, "mean ") || !take_numbers(&text, false, in.mean)) return false;
    if (!take_word(&text, "std ") || !take_numbers(&text, true, in.deviation) || *text)
        return false;
    *out = in;
    return true;
}

bool image_input_same(const image_input *a, const image_input *b) {
    bool same = a->bgr == b->bgr && a->range == b->range;
    for (int c = 0; c < 3; c++)
        same = same && a->mean[c] == b->mean[c] && a->deviation[c] == b->deviation[c];
    return same;
}
