/* Curves of metrics.csv: one plot a stage and measure, one curve a round. */
#include "io/files/metrics.h"
#include "io/page/page_sections.h"
#include "io/page/plot.h"
#include "src/base/memory.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum {
    POINTS = 600,    /* most points of a curve: steps beyond are averaged in groups */
    TREND_FROM = 60, /* points from which a moving mean is worth drawing */
    LINES = 12,      /* lines of the table that stands in for a plot */
    ROUNDS = 32      /* most curves of a plot */
};

typedef struct rows {
    metrics_row *row;
    int n;
} rows;

typedef struct measure {
    const char *label;
    const char *note; /* what it means, NULL: nothing */
    double (*of)(const metrics_row *);
    plot_axis axis;
} measure;

static double loss_of(const metrics_row *r) {
    return r->loss;
}
static double objective_of(const metrics_row *r) {
    return r->objective;
}

static double changed_of(const metrics_row *r) {
    return r->changed;
}
static double kept_of(const metrics_row *r) {
    return r->kept;
}

/* Of k-means: its steps get faster as rows settle. */
static double seconds_of(const metrics_row *r) {
    return isfinite(r->objective) ? r->seconds : NAN;
}

static bool belongs(const metrics_row *r, const char *stage, int round, const measure *m) {
    return strcmp(r->stage, stage) == 0 && r->round == round && isfinite(m->of(r));
}

/* Mean over `width` points on either side, fewer at the ends. */
static void smooth(const double *y, int n, int width, double *out) {
    for (int i = 0; i < n; i++) {
        int reach = width < i ? width : i;
        if (reach > n - 1 - i) reach = n - 1 - i;
        double sum = 0;
        for (int j = i - reach; j <= i + reach; j++) sum += y[j];
        out[i] = sum / (2 * reach + 1);
    }
}

static void curve_destroy(curve *c) {
    memory_free(c->x);
}

static status curve_create(
    curve *out, const rows *all, const char *stage, int round, const measure *m) {
    int n = 0, taken = 0;
    for (int i = 0; i < all->n; i++) n += belongs(&all->row[i], stage, round, m);
    int group = (n + POINTS - 1) / POINTS, points = group ? (n + group - 1) / group : 0;
    double *x = memory_alloc(3 * (size_t)points, sizeof *x, "curve");
    if (!x) return STATUS_FAILED;
    curve c = {.n = points, .x = x, .y = x + points, .round = round};
    for (int i = 0; i < all->n; i++) {
        const metrics_row *r = &all->row[i];
        if (!belongs(r, stage, round, m)) continue;
        int at = taken / group, first = at * group, size = n - first < group ? n - first : group;
        c.x[at] += (double)r->step / size;
        c.y[at] += m->of(r) / size;
        taken++;
    }
    if (points >= TREND_FROM) {
        c.trend = x + 2 * points;
        smooth(c.y, points, points / 40 + 1, c.trend);
    }
    *out = c;
    return STATUS_OK;
}

static void table_of_curve(html *h, const curve *c, const char *label) {
    html_print(h, "<table class=\"narrow\"><tr><th class=\"n\">step<th class=\"n\">%s", label);
    int step = c->n > LINES ? (c->n + LINES - 1) / LINES : 1;
    for (int i = 0; i < c->n; i += step) {
        html_print(h, "<tr><td class=\"n\">%.0f<td class=\"n\">%.5g", c->x[i], c->y[i]);
        if (i + step >= c->n && i < c->n - 1)
            html_print(
                h, "<tr><td class=\"n\">%.0f<td class=\"n\">%.5g", c->x[c->n - 1], c->y[c->n - 1]);
    }
    html_put(h, "</table>");
}

static status plot_measure(
    html *h, const rows *all, const char *stage, const measure *m, bool *plotted) {
    curve c[ROUNDS];
    int curves = 0, last = 0;
    status s = STATUS_OK;
    for (int i = 0; i < all->n; i++)
        if (all->row[i].round > last) last = all->row[i].round;
    for (int round = 0; round <= last && curves < ROUNDS && !s; round++) {
        s = curve_create(&c[curves], all, stage, round, m);
        if (s) break;
        if (c[curves].n > 0)
            curves++;
        else
            curve_destroy(&c[curves]);
    }
    if (curves && !s) {
        html_put(h, "<figure class=\"plot\"><figcaption>");
        html_text(h, stage);
        html_print(
            h, ": %s%s%s</figcaption>", m->label, m->note ? ", " : "", m->note ? m->note : "");
        if (!plot_curves(h, c, curves, m->label, m->axis)) {
            *plotted = false;
            for (int i = 0; i < curves; i++) table_of_curve(h, &c[i], m->label);
        }
        html_put(h, "</figure>\n");
    }
    while (curves > 0) curve_destroy(&c[--curves]);
    return s;
}

static bool seen_before(const rows *all, int i) {
    for (int j = i - 1; j >= 0; j--)
        if (strcmp(all->row[j].stage, all->row[i].stage) == 0) return true;
    return false;
}

status page_curves(html *h, const page_data *d) {
    static const measure measures[] = {{"loss", NULL, loss_of, AXIS_FIT},
        {"objective", "sum of the squared distances to the centroids", objective_of, AXIS_FIT},
        {"changed rows", "those that got another label in a step; logarithmic", changed_of,
            AXIS_LOG},
        {"kept centroids", "of a row, on average: those that float64 decided among", kept_of,
            AXIS_ZERO},
        {"seconds", "of a step on rank 0", seconds_of, AXIS_ZERO}};
    rows all = {0};
    bool plotted = true;
    if (!d->metrics) return STATUS_OK;
    status s = metrics_read(d->metrics, &all.row, &all.n);
    if (!s && all.n) {
        page_section(h, "curves", "Curves", NULL);
        html_put(h, "<div class=\"grid\">");
        for (int i = 0; i < all.n && !s; i++) {
            if (seen_before(&all, i)) continue;
            for (size_t m = 0; m < sizeof measures / sizeof *measures && !s; m++)
                s = plot_measure(h, &all, all.row[i].stage, &measures[m], &plotted);
        }
        html_put(h, "</div>");
        if (!plotted)
            html_put(h, "<p class=\"note\">gnuplot is missing or failed: the curves are shown as "
                        "tables.</p>");
        html_put(h, "</section>\n");
    }
    memory_free(all.row);
    return s;
}
