/* Rows of dots: what is compared stands one below the other, and all share one axis on which zero
 * is the reference. A row has three parts: the name, the marks, the figures. Names stand in the SVG
 * as text of one line, since a row has one height; the axis is below the last row. */
#include "io/page/chart_axis.h"
#include "io/page/number.h"
#include "io/page/plot.h"
#include "io/page/plot_range.h"
#include "io/page/svg.h"

enum {
    WIDTH = 860,
    ROW = 30,
    TOP = 6,
    BOTTOM = 40,
    NAME = 40,     /* most letters of a name that are shown */
    FIGURES = 140, /* width of the figures at the right */
    BELOW = 8,     /* of the row's middle, where single points stand: the interval hides none */
    GAP = 14,
    TICKS = 9
};

typedef struct layout {
    axis x;
    double left, width, bottom; /* of the part with marks */
    int height;
} layout;

/* Zero always belongs to the range: it is what rows are compared with. */
static bool make_layout(const plot_rows *p, layout *out) {
    plot_range r = plot_range_none;
    int letters = 0;
    for (int i = 0; i < p->rows; i++) {
        int n = svg_letters(p->row[i].name);
        if (n > letters) letters = n;
        plot_range_add_value(&r, p->row[i].value);
        for (int k = 0; k < p->row[i].points; k++) plot_range_add(&r, p->row[i].point[k]);
    }
    if (r.low > r.high) return false;
    plot_range_add(&r, 0);
    r = plot_range_wider(r);
    out->x = axis_linear(r.low, r.high, TICKS, false);
    out->left = SVG_LETTER * (letters < NAME ? letters : NAME) + GAP;
    out->width = WIDTH - FIGURES - out->left;
    out->bottom = TOP + ROW * p->rows;
    out->height = TOP + ROW * p->rows + BOTTOM;
    return true;
}

static double place(const layout *l, double value) {
    return l->left + l->width * axis_place(&l->x, value);
}

/* Rules are vertical: rows are compared along them. */
static void put_axis(html *h, const plot_rows *p, const layout *l) {
    for (int i = 0; i < l->x.ticks; i++) {
        double x = place(l, l->x.tick[i].value);
        svg_stroke(h, "rule", x, TOP, 0, l->bottom - TOP);
        svg_stroke(h, "axis", x, l->bottom, 0, 4);
        svg_text(h, x, l->bottom + 16, "middle", l->x.tick[i].text);
    }
    svg_stroke(h, "axis", l->left, l->bottom, l->width, 0);
    svg_stroke(h, "zero", place(l, 0), TOP, 0, l->bottom - TOP + 4);
    svg_text(h, l->left + l->width, l->bottom + 32, "label end", p->label);
}

/* Filled: the interval leaves out zero; told by form, as colours are not seen by all. */
static void put_marks(html *h, const plot_row *r, const layout *l, double y) {
    plot_value v = r->value;
    for (int k = 0; k < r->points; k++)
        if (axis_shows(false, r->point[k]))
            svg_mark(h, "seed", SVG_CIRCLE, place(l, r->point[k]), y + BELOW, 2.4);
    if (!plot_value_shown(v)) return;
    bool interval = plot_interval_shown(v);
    if (interval) svg_interval(h, "whisker c0", false, y, place(l, v.low), place(l, v.high));
    bool clear = interval && (v.low > 0 || v.high < 0);
    svg_mark(h, clear ? "mark solid c0" : "mark c0", SVG_DIAMOND, place(l, v.mean), y, 4.6);
}

static void put_row(html *h, const plot_rows *p, const layout *l, int i) {
    const plot_row *r = &p->row[i];
    double y = TOP + ROW * (i + 0.5);
    svg_name(h, 0, y + 4, "name", r->name, NAME);
    put_marks(h, r, l, y);
    html_print(h, "<text class=\"end%s\" x=\"%d\" y=\"", r->note ? "" : " name", (int)WIDTH);
    html_fixed(h, y + 4, 1);
    html_put(h, "\">");
    if (r->note)
        html_text(h, r->note);
    else
        plot_value_put(h, r->value, p->decimals, true);
    html_put(h, "</text>");
}

/* "Gain: k-means, +2.1 (+0.4 to +3.8); ..." */
static void put_description(html *h, const plot_rows *p) {
    html_text(h, p->title);
    for (int i = 0; i < p->rows; i++) {
        html_put(h, i > 0 ? "; " : ": ");
        html_text(h, p->row[i].name);
        html_put(h, ", ");
        if (p->row[i].note)
            html_text(h, p->row[i].note);
        else
            plot_value_put(h, p->row[i].value, p->decimals, true);
    }
}

void plot_rows_put(html *h, const plot_rows *p) {
    layout l;
    if (!make_layout(p, &l)) return;
    svg_begin(h, WIDTH, l.height, true);
    put_description(h, p);
    svg_described(h);
    put_axis(h, p, &l);
    for (int i = 0; i < p->rows; i++) put_row(h, p, &l, i);
    svg_end(h);
}
