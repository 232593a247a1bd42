/* Round ticks. A reader should be able to name any point of a curve by counting from a tick, so
 * they stand at 1, 2 or 5 times a power of ten, and their labels have as many decimals as the step
 * between them needs, no more. An axis knows its range and its ticks with their texts; where a
 * value lies on it is a share of its length, 0 at the low end. Ticks may be fewer than asked for,
 * never more than AXIS_TICKS. */
#include "io/page/chart_axis.h"

#include "io/page/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double largest = 1e100; /* beyond, differences and steps could overflow */
static const double epsilon = 1e-9;  /* of a step: what rounding may move a tick by */

bool axis_shows(bool log, double value) {
    return isfinite(value) && fabs(value) < largest && (!log || value > 1 / largest);
}

double axis_place(const axis *a, double value) {
    if (!a->log) return (value - a->low) / (a->high - a->low);
    return (log10(value) - log10(a->low)) / (log10(a->high) - log10(a->low));
}

/* m * 10^exponent, as exact as a double is: dividing by a power of ten rounds once. */
static double decimal(double m, int exponent) {
    return exponent < 0 ? m / pow(10, -exponent) : m * pow(10, exponent);
}

/* 10^exponent in superscript digits, after a sign of multiplication unless it stands alone. */
static void append_power(char *text, int exponent, bool alone) {
    static const char *const digit[] = {"\xE2\x81\xB0", "\xC2\xB9", "\xC2\xB2", "\xC2\xB3",
        "\xE2\x81\xB4", "\xE2\x81\xB5", "\xE2\x81\xB6", "\xE2\x81\xB7", "\xE2\x81\xB8",
        "\xE2\x81\xB9"};
    char printed[16];
    snprintf(printed, sizeof printed, "%d", exponent);
    strcat(text, alone ? "10"
                       : "\xC3\x97"
                         "10");
    for (const char *at = printed; *at; at++)
        strcat(text, *at == '-' ? "\xE2\x81\xBB" : digit[*at - '0']);
}

/* A step m * 10^exponent. */
typedef struct step {
    int m, exponent;
} step;

/* value with the decimals that tell it from its neighbours a step away. scale: the largest value of
 * the axis, which decides how all of them are written. From ten thousand on a letter stands for the
 * thousands, from 1e15 on or below 1e-4 a power of ten; in between plain digits. All labels of an
 * axis are written alike, as scale is the same for them. */
static void write_label(char *text, double value, step s, double scale) {
    static const char *const suffix[] = {"", "k", "M", "G", "T"};
    char digits[NUMBER_TEXT];
    int exponent = (int)floor(log10(scale) + epsilon), unit = 0;
    const char *after = "";
    if (exponent >= 4 && exponent < 15) { /* thousands are still short */
        unit = exponent / 3 * 3;
        after = suffix[exponent / 3];
    } else if (exponent >= 15 || exponent < -4) {
        unit = exponent;
    }
    int decimals = unit - s.exponent;
    number_fixed(digits, decimal(value, -unit), decimals > 0 ? decimals : 0);
    bool negative = digits[0] == '-';
    snprintf(
        text, AXIS_TEXT, "%s%.20s%s", negative ? "\xE2\x88\x92" : "", digits + negative, after);
    if (value == 0)
        strcpy(text, "0");
    else if (exponent >= 15 || exponent < -4)
        append_power(text, unit, false);
}

/* The smallest round step of which at most `most` fit. whole: steps of at least 1, for axes that
 * count. The loop ends, as steps grow without limit. */
static step round_step(double range, int most, bool whole) {
    int exponent = (int)floor(log10(range / most));
    for (;; exponent++)
        for (int m = 1; m <= 5; m += m == 1 ? 1 : 3)
            if (range / decimal(m, exponent) < most - epsilon && (!whole || exponent >= 0))
                return (step){m, exponent};
}

/* Multiples of a round step, counted in integers: adding the step again and again would drift. */
static void put_ticks(axis *a, int most, bool whole) {
    step s = round_step(a->high - a->low, most, whole);
    double size = decimal(s.m, s.exponent), scale = fmax(fabs(a->low), fabs(a->high));
    double first = ceil(a->low / size - epsilon), last = floor(a->high / size + epsilon);
    for (double i = first; i <= last && a->ticks < AXIS_TICKS; i++) {
        axis_tick *t = &a->tick[a->ticks++];
        t->value = decimal(i * s.m, s.exponent);
        write_label(t->text, t->value, s, scale);
    }
}

/* Values that differ by no more than rounding, or not at all, get room around them. */
static void make_room(axis *a) {
    double size = fmax(fabs(a->low), fabs(a->high));
    if (a->high - a->low > size * epsilon && size > 0) return;
    double room = size > 0 ? size / 10 : 1;
    a->low = a->log ? a->low / 1.1 : a->low - room;
    a->high += room;
}

axis axis_linear(double low, double high, int most, bool whole) {
    axis a = {.low = low, .high = high};
    make_room(&a);
    put_ticks(&a, most, whole);
    return a;
}

/* m * 10^e of every `stride`-th power of ten in low .. high, for as many of `m` as are not 0. */
static void put_powers(axis *a, const int *m, int stride) {
    int first = (int)floor(log10(a->low)) - 1, last = (int)ceil(log10(a->high)) + 1;
    if (stride > 1) first -= ((first % stride) + stride) % stride;
    for (int e = first; e <= last; e += stride)
        for (int i = 0; m[i] && a->ticks < AXIS_TICKS; i++) {
            double value = decimal(m[i], e);
            if (value < a->low * (1 - epsilon) || value > a->high * (1 + epsilon)) continue;
            axis_tick *t = &a->tick[a->ticks++];
            t->value = value;
            t->text[0] = '\0';
            /* Near 1 plain digits are easier to read than powers. */
            if (e >= -4 && e <= 3)
                write_label(t->text, value, (step){m[i], e}, value);
            else if (m[i] > 1)
                snprintf(t->text, AXIS_TEXT, "%d", m[i]);
            if (e < -4 || e > 3) append_power(t->text, e, m[i] == 1);
        }
}

axis axis_log(double low, double high, int most) {
    static const int powers[] = {1, 0}, some[] = {1, 2, 5, 0};
    axis a = {.log = true, .low = low, .high = high};
    make_room(&a);
    double decades = log10(a.high) - log10(a.low);
    if (decades < 1) /* too few powers of ten to read a value from */
        put_ticks(&a, most, false);
    else if (decades < 2.5)
        put_powers(&a, some, 1);
    else
        put_powers(&a, powers, 1 + (int)floor(decades / most));
    return a;
}
