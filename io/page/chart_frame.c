/* Axes as they are drawn. Rules are as a rule horizontal only: of a curve heights are compared,
 * steps are not. Where both values of a point are read, there are vertical ones too. */
#include "io/page/chart_frame.h"

#include "io/page/svg.h"

enum {
    TICK = 4, /* length of a tick */
    GAP = 10  /* between labels of the vertical axis and the SVG's edge, and the frame */
};

chart_frame frame_create(axis x, axis y, int width, int height) {
    chart_frame f = {.x = x, .y = y, .top = FRAME_TOP, .height = height - FRAME_TOP - FRAME_BOTTOM};
    int letters = 0; /* of the longest label */
    for (int i = 0; i < y.ticks; i++) {
        int n = svg_letters(y.tick[i].text);
        if (n > letters) letters = n;
    }
    f.left = SVG_LETTER * letters + GAP;
    f.width = width - FRAME_RIGHT - f.left;
    return f;
}

double frame_x(const chart_frame *f, double value) {
    return f->left + f->width * axis_place(&f->x, value);
}

/* Upwards: an SVG counts from its top. */
double frame_y(const chart_frame *f, double value) {
    return f->top + f->height * (1 - axis_place(&f->y, value));
}

void frame_put(
    html *h, const chart_frame *f, const char *x_label, const char *y_label, bool upright) {
    double bottom = f->top + f->height, right = f->left + f->width;
    for (int i = 0; i < f->y.ticks; i++) {
        double y = frame_y(f, f->y.tick[i].value);
        svg_stroke(h, "rule", f->left, y, f->width, 0);
        svg_text(h, f->left - 6, y + 4, "end", f->y.tick[i].text);
    }
    for (int i = 0; i < f->x.ticks; i++) {
        double x = frame_x(f, f->x.tick[i].value);
        if (upright) svg_stroke(h, "rule", x, f->top, 0, f->height);
        svg_stroke(h, "axis", x, bottom, 0, TICK);
        svg_text(h, x, bottom + 16, "middle", f->x.tick[i].text);
    }
    svg_stroke(h, "axis", f->left, bottom, f->width, 0);
    svg_text(h, 0, 11, "label", y_label);
    svg_text(h, right, bottom + 30, "label end", x_label);
}
