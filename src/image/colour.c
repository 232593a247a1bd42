/* Changes of colour, as torchvision makes them, on a line of pixels at a time, channels apart: no
 * byte is shuffled, and every loop is vector code. What needs the whole view, the mean that
 * contrast stretches around, is given: the caller makes one pass before it and one after. */
#include "src/image/colour.h"

#include "src/base/vector.h"

#include <math.h>

typedef struct weights {
    float r, g, b;
} weights;

/* Luminance: ITU-R 601's, with the four digits that torchvision has. */
static weights grey_weights(colour_rule rule) {
    return rule == COLOUR_LUMINANCE ? (weights){.2989f, .587f, .114f}
                                    : (weights){1.f / 3, 1.f / 3, 1.f / 3};
}

colours colours_none(colour_rule rule) {
    return (colours){.rule = rule, .factor = {1, 1, 1, 0}, .order = {0, 1, 2, 3}};
}

/* A factor is exactly 1 where nothing is to change (colours_none), and as good as never where it is
 * drawn: equality is meant. */
int colours_before_contrast(const colours *c) {
    int at = 0;
    if (c->factor[COLOUR_CONTRAST] == 1) return COLOUR_CHANGES;
    while (c->order[at] != COLOUR_CONTRAST) at++;
    return at;
}

/* Two selections, which compilers make two instructions of. */
static inline float clamp(float x) {
    float y = x < 0 ? 0 : x;
    return y > 1 ? 1 : y;
}

/* (x - mean) factor + mean, clamped. Brightness is the same around 0. */
VECTOR_CLONES static void stretch(float factor, float mean, size_t n, float *x) {
    for (size_t i = 0; i < n; i++) x[i] = clamp((x[i] - mean) * factor + mean);
}

/* Towards a pixel's own grey, or away from it. */
VECTOR_CLONES static void saturate(weights w, float factor, size_t n, float *line) {
    float *r = line, *g = line + n, *b = line + 2 * n;
    for (size_t i = 0; i < n; i++) {
        float grey = w.r * r[i] + w.g * g[i] + w.b * b[i];
        r[i] = clamp((r[i] - grey) * factor + grey);
        g[i] = clamp((g[i] - grey) * factor + grey);
        b[i] = clamp((b[i] - grey) * factor + grey);
    }
}

/* A channel of HSV's colour: value - chroma max(0, min(k, 4 - k, 1)) with k = offset + hue mod 6.
 */
static inline float channel(float value, float chroma, float hue, float offset) {
    float k = hue + offset;
    k = k >= 6 ? k - 6 : k;
    float down = 4 - k, slope = k < down ? k : down;
    slope = slope > 1 ? 1 : slope;
    slope = slope < 0 ? 0 : slope;
    return clamp(value - chroma * slope);
}

/* turn: in sixths of the circle, [0, 6). To HSV and back. A grey has no hue: its chroma of 0 is
 * divided by 1, and whatever comes out is multiplied by that 0. Selections in place of branches, as
 * everywhere here: all pixels take the same instructions. */
VECTOR_CLONES static void turn_hue(float turn, size_t n, float *line) {
    float *red = line, *green = line + n, *blue = line + 2 * n;
    for (size_t i = 0; i < n; i++) {
        float r = red[i], g = green[i], b = blue[i];
        float high = r > g ? r : g, low = r < g ? r : g;
        high = high > b ? high : b;
        low = low < b ? low : b;
        float chroma = high - low, unit = chroma > 0 ? chroma : 1;
        float of_red = (g - b) / unit, of_green = 2 + (b - r) / unit, of_blue = 4 + (r - g) / unit;
        float hue = high == r ? of_red : high == g ? of_green : of_blue;
        hue = hue < 0 ? hue + 6 : hue;
        hue += turn;
        hue = hue >= 6 ? hue - 6 : hue;
        red[i] = channel(high, chroma, hue, 5);
        green[i] = channel(high, chroma, hue, 3);
        blue[i] = channel(high, chroma, hue, 1);
    }
}

/* What changes nothing is skipped, not computed with a factor of 1: clamping would still cost a
 * pass. A hue that turns backwards turns forwards by the rest of the circle. */
void colours_change(const colours *c, int first, int last, float mean, size_t n, float *line) {
    for (int k = first; k < last; k++) {
        double factor = c->factor[c->order[k]];
        if (factor == (c->order[k] == COLOUR_HUE ? 0 : 1)) continue;
        switch ((colour_change)c->order[k]) {
        case COLOUR_BRIGHTNESS:
            stretch((float)factor, 0, 3 * n, line);
            break;
        case COLOUR_CONTRAST:
            stretch((float)factor, mean, 3 * n, line);
            break;
        case COLOUR_SATURATION:
            saturate(grey_weights(c->rule), (float)factor, n, line);
            break;
        case COLOUR_HUE:
            turn_hue((float)(6 * (factor - floor(factor))), n, line);
            break;
        case COLOUR_CHANGES: /* how many there are */
            break;
        }
    }
}

VECTOR_CLONES static void to_grey(weights w, size_t n, float *line) {
    float *r = line, *g = line + n, *b = line + 2 * n;
    for (size_t i = 0; i < n; i++) r[i] = g[i] = b[i] = w.r * r[i] + w.g * g[i] + w.b * b[i];
}

void colours_grey(const colours *c, size_t n, float *line) {
    if (c->grey) to_grey(grey_weights(c->rule), n, line);
}

enum { LANES = 16 };

/* In so many partial sums on every machine, whatever its vectors: the same bits everywhere. */
VECTOR_CLONES static double grey_sum(weights w, size_t n, const float *line) {
    const float *r = line, *g = line + n, *b = line + 2 * n;
    float sum[LANES] = {0};
    double total = 0;
    size_t whole = n / LANES * LANES;
    for (size_t i = 0; i < whole; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            sum[k] += w.r * r[i + k] + w.g * g[i + k] + w.b * b[i + k];
    for (size_t i = whole; i < n; i++) sum[i - whole] += w.r * r[i] + w.g * g[i] + w.b * b[i];
    for (size_t k = 0; k < LANES; k++) total += sum[k];
    return total;
}

double colours_grey_sum(const colours *c, size_t n, const float *line) {
    return grey_sum(grey_weights(c->rule), n, line);
}
