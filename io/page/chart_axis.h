/* An axis of a chart: where it begins and ends, its ticks and their labels. Not collective. Results
 * depend on the arguments alone. */
#ifndef AUXSEG_IO_PAGE_CHART_AXIS_H
#define AUXSEG_IO_PAGE_CHART_AXIS_H

#include <stdbool.h>

enum { AXIS_TICKS = 16, AXIS_TEXT = 40 };

typedef struct axis_tick {
    double value;
    char text[AXIS_TEXT]; /* UTF-8, to be put as it is: digits, signs, "k", "×10⁻⁵" */
} axis_tick;

typedef struct axis {
    bool log;
    double low, high; /* low < high */
    int ticks;
    axis_tick tick[AXIS_TICKS]; /* rising, within low .. high */
} axis;

/* Over the values low <= high, of at most 10^100, which need not be round: ticks are 1, 2 or 5
 * times a power of ten apart, at most `most` (2 to AXIS_TICKS - 1) of them. Equal values get room
 * around them. whole: ticks are integers. */
axis axis_linear(double low, double high, int most, bool whole);
/* Logarithmic, 0 < low <= high: powers of ten; 1, 2 and 5 times them where there are few. */
axis axis_log(double low, double high, int most);
/* Whether the axis can show the value at all: finite, not too large, above 0 where logarithmic. */
bool axis_shows(bool log, double value);
/* 0 at the axis' begin, 1 at its end. */
double axis_place(const axis *a, double value);

#endif
