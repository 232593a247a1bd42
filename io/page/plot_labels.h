/* Where names of points stand so that they hide each other as little as may be. Not collective. The
 * result depends on the arguments alone. */
#ifndef AUXSEG_IO_PAGE_PLOT_LABELS_H
#define AUXSEG_IO_PAGE_PLOT_LABELS_H

/* Upright boxes in the SVG's units: x0 <= x1, y0 <= y1. */
typedef struct plot_box {
    double x0, y0, x1, y1;
} plot_box;

typedef struct plot_label {
    double x, y;           /* of the point */
    double width;          /* of the name */
    double text_x, text_y; /* out: where the text is anchored, its baseline */
    const char *anchor;    /* out: class: "", "middle" or "end" */
    plot_box box;          /* out: what it covers */
} plot_label;

/* Of the places around its point each name, in turn, takes the one that covers least of what is
 * drawn [drawn], of names that have their place, and of what is outside of `frame`. */
void plot_labels_place(
    plot_label *label, int labels, const plot_box *drawn, int boxes, plot_box frame);

#endif
