/* Names beside points, one after the other, without going back: with the dozen points of a plot the
 * simplest rule leaves few names that touch, and the same data always give the same picture. Places
 * are tried in the order in which readers expect them, and of equal ones the first is taken, so
 * that a plot with much room has all its names at the right. */
#include "io/page/plot_labels.h"

#include <math.h>

enum {
    ASCENT = 9,   /* a letter above its baseline */
    DESCENT = 3,  /* and below */
    BESIDE = 8,   /* from the point to the text */
    OUTSIDE = 100 /* how much worse it is to leave the frame than to cover something */
};

/* dx in BESIDE; dy moves the middle of the text. part: how much of the text stands left of where it
 * is anchored. */
static const struct {
    double dx, dy, part;
    const char *anchor;
} places[] = {
    {1, 0, 0, ""},
    {-1, 0, 1, "end"},
    {0, -12, 0.5, "middle"},
    {0, 13, 0.5, "middle"},
    {0.8, -9, 0, ""},
    {0.8, 9, 0, ""},
    {-0.8, -9, 1, "end"},
    {-0.8, 9, 1, "end"},
    {1, -20, 0, ""},
    {1, 20, 0, ""},
    {-1, -20, 1, "end"},
    {-1, 20, 1, "end"},
};
enum { PLACES = sizeof places / sizeof *places };

static double area(plot_box b) {
    return b.x1 > b.x0 && b.y1 > b.y0 ? (b.x1 - b.x0) * (b.y1 - b.y0) : 0;
}

static plot_box common(plot_box a, plot_box b) {
    return (plot_box){fmax(a.x0, b.x0), fmax(a.y0, b.y0), fmin(a.x1, b.x1), fmin(a.y1, b.y1)};
}

/* Writes the outputs for place number i. */
static void take(plot_label *l, int i) {
    l->text_x = l->x + BESIDE * places[i].dx;
    l->text_y = l->y + places[i].dy + (ASCENT - DESCENT) / 2.0;
    l->anchor = places[i].anchor;
    double left = l->text_x - places[i].part * l->width;
    l->box = (plot_box){left, l->text_y - ASCENT, left + l->width, l->text_y + DESCENT};
}

static double cost(
    const plot_label *label, int which, const plot_box *drawn, int boxes, plot_box frame) {
    plot_box b = label[which].box;
    double sum = OUTSIDE * (area(b) - area(common(b, frame)));
    for (int i = 0; i < boxes; i++) sum += area(common(b, drawn[i]));
    /* Two names on each other cannot be read; a name on a line can. */
    for (int i = 0; i < which; i++) sum += 8 * area(common(b, label[i].box));
    return sum;
}

void plot_labels_place(
    plot_label *label, int labels, const plot_box *drawn, int boxes, plot_box frame) {
    for (int k = 0; k < labels; k++) {
        double least = INFINITY;
        int best = 0;
        for (int i = 0; i < PLACES; i++) {
            take(&label[k], i);
            double c = cost(label, k, drawn, boxes, frame);
            if (c < least) {
                least = c;
                best = i;
            }
        }
        take(&label[k], best);
    }
}
