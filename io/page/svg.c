/* What charts and plots share below their axes: texts, strokes, marks, intervals. Every number goes
 * through html_fixed, as printf's decimal point is the locale's and an SVG with commas is not
 * drawn. A tenth of a unit is finer than a screen shows, and keeps the page short. Colours and
 * widths are the style's: nothing here has any. */
#include "io/page/svg.h"

#include "io/page/number.h"

#include <string.h>

enum { CAP = 4 }; /* half of the stroke at an interval's end */

void svg_begin(html *h, int width, int height, bool fixed) {
    html_put(h, "<svg class=\"chart\"");
    if (fixed) html_print(h, " style=\"width:%dpx\"", width);
    html_print(h, " viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", width, height);
}

void svg_described(html *h) {
    html_put(h, "\">");
}

void svg_end(html *h) {
    html_put(h, "</svg>\n");
}

/* "before x between y". */
static void put_pair(html *h, const char *before, double x, const char *between, double y) {
    html_put(h, before);
    html_fixed(h, x, 1);
    html_put(h, between);
    html_fixed(h, y, 1);
}

void svg_text(html *h, double x, double y, const char *class, const char *text) {
    html_print(h, "<text class=\"%s\"", class);
    put_pair(h, " x=\"", x, "\" y=\"", y);
    html_put(h, "\">");
    html_text(h, text);
    html_put(h, "</text>");
}

/* The cut is before a letter, never within one. A <title> is what browsers show where a pointer
 * rests. */
void svg_name(html *h, double x, double y, const char *class, const char *text, int most) {
    char cut[4 * SVG_NAME + 4];
    size_t bytes = 0;
    if (svg_letters(text) <= most) {
        svg_text(h, x, y, class, text);
        return;
    }
    for (int n = 0; text[bytes] && bytes < 4 * SVG_NAME; bytes++) {
        n += (text[bytes] & 0xC0) != 0x80;
        if (n == most) break;
        cut[bytes] = text[bytes];
    }
    strcpy(cut + bytes, "\xE2\x80\xA6");
    html_put(h, "<g><title>");
    html_text(h, text);
    html_put(h, "</title>");
    svg_text(h, x, y, class, cut);
    html_put(h, "</g>");
}

static void begin_path(html *h, const char *class, double x, double y) {
    html_print(h, "<path class=\"%s\" d=\"", class);
    put_pair(h, "M", x, " ", y);
}

void svg_stroke(html *h, const char *class, double x, double y, double dx, double dy) {
    begin_path(h, class, x, y);
    put_pair(h, "l", dx, " ", dy);
    html_put(h, "\"/>");
}

/* Corners as steps from one to the next, in r. The circle is two arcs. Sizes differ a little, so
 * that the shapes look equally large. */
void svg_mark(html *h, const char *class, svg_shape shape, double x, double y, double r) {
    static const struct {
        double x, y;
        double step[3][2];
        int steps;
    } outline[SVG_SHAPES] = {
        [SVG_SQUARE] = {-0.9, -0.9, {{1.8, 0}, {0, 1.8}, {-1.8, 0}}, 3},
        [SVG_TRIANGLE] = {0, -1.2, {{1.15, 2.1}, {-2.3, 0}}, 2},
        [SVG_DIAMOND] = {0, -1.25, {{1.25, 1.25}, {-1.25, 1.25}, {-1.25, -1.25}}, 3},
    };
    if (shape == SVG_CIRCLE) {
        begin_path(h, class, x - r, y);
        for (int i = 0; i < 2; i++) {
            put_pair(h, "a", r, " ", r);
            put_pair(h, " 0 1 0 ", i == 0 ? 2 * r : -2 * r, " ", 0);
        }
    } else {
        begin_path(h, class, x + r * outline[shape].x, y + r * outline[shape].y);
        for (int i = 0; i < outline[shape].steps; i++)
            put_pair(h, "l", r * outline[shape].step[i][0], " ", r * outline[shape].step[i][1]);
    }
    html_put(h, "z\"/>");
}

/* One path, so that a reader of the page's text finds the interval as one thing. */
void svg_interval(html *h, const char *class, bool upright, double at, double from, double to) {
    double length = to - from;
    if (upright) {
        begin_path(h, class, at, from);
        put_pair(h, "l", 0, " ", length);
        put_pair(h, "m", -CAP, " ", 0);
        put_pair(h, "l", 2 * CAP, " ", 0);
        put_pair(h, "m", -2 * CAP, " ", -length);
        put_pair(h, "l", 2 * CAP, " ", 0);
    } else {
        begin_path(h, class, from, at);
        put_pair(h, "l", length, " ", 0);
        put_pair(h, "m", 0, " ", -CAP);
        put_pair(h, "l", 0, " ", 2 * CAP);
        put_pair(h, "m", -length, " ", -2 * CAP);
        put_pair(h, "l", 0, " ", 2 * CAP);
    }
    html_put(h, "\"/>");
}

int svg_letters(const char *text) {
    int n = 0;
    for (const char *at = text; *at; at++) n += (*at & 0xC0) != 0x80;
    return n;
}
