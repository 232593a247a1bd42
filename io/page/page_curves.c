/* The section of curves: what metrics.csv has of each step. Stages that do the same work, the two
 * fine-tunings and the rounds, share a chart, so that they can be compared.
 *
 * The way of a chart: for each group of stages and each measure, collect() takes the rows of each
 * stage and round out of the whole, make_trend smooths what is noisy, and chart.c draws. A measure
 * that no stage of the group has gives no chart, a group without charts no heading. Stages that the
 * table does not know, of a later version say, get charts under their own name, so that nothing of
 * the file is hidden. */
#include "io/files/metrics.h"
#include "io/page/chart.h"
#include "io/page/page_sections.h"
#include "src/base/memory.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    TREND_FROM = 60,     /* points from which a moving mean is worth drawing */
    TREND_POINTS = 1200, /* most points of it: steps beyond are averaged in groups */
    TREND_SHARE = 80,    /* it reaches over a share of the points on either side */
    NAME = 96,
    TOGETHER = 2, /* most stages of a chart */
    ROUNDS = 100  /* last round that is shown */
};

typedef struct rows {
    metrics_row *row;
    int n;
} rows;

/* Stages that share charts, in the order of the method. */
typedef struct group {
    const char *title;
    const char *stage[TOGETHER]; /* NULL: no more */
    const char *name[TOGETHER];  /* of their curves */
} group;

static const group groups[] = {
    {"Clustering", {"cluster"}, {"k-means"}},
    {"Contrastive pretraining", {"pretrain"}, {"pretraining"}},
    {"Fine-tuning", {"baseline", "finetune"},
        {"from plain initial weights", "from contrastive pretraining"}},
};
enum { GROUPS = sizeof groups / sizeof *groups };

typedef struct measure {
    const char *title, *label; /* of the chart; of its axis, with a unit */
    const char *note;          /* what it means, NULL: nothing */
    double (*of)(const metrics_row *);
    chart_scale scale;
    bool noisy; /* from step to step: a moving mean shows where it goes */
} measure;

/* What a row does not have is NAN (metrics.h), and so is a gap or no curve at all. */
static double loss_of(const metrics_row *r) {
    return r->loss;
}
static double gradient_norm_of(const metrics_row *r) {
    return r->gradient_norm;
}
static double miou_of(const metrics_row *r) {
    return r->miou;
}
static double learning_rate_of(const metrics_row *r) {
    return r->learning_rate;
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

/* A measure has a chart where a stage has values of it. Loss and norm may fall by orders of
 * magnitude, or rise when a training diverges. */
static const measure measures[] = {
    {"Loss", "loss", NULL, loss_of, CHART_LOG, true},
    {"Gradient norm", "norm", "over all tensors, before clipping", gradient_norm_of, CHART_LOG,
        true},
    {"Validation mIoU", "mIoU", "of the weights that would be written", miou_of, CHART_FIT, false},
    {"Learning rate", "rate", NULL, learning_rate_of, CHART_LOG, false},
    {"Objective", "squared distance", "of all rows to their centroids, summed", objective_of,
        CHART_FIT, false},
    {"Changed rows", "rows", "that got another label in a step", changed_of, CHART_LOG, false},
    {"Kept centroids", "centroids a row", "on average: those that float64 decided among", kept_of,
        CHART_ZERO, false},
    {"Time of a step", "seconds", "on rank 0", seconds_of, CHART_ZERO, false},
};
enum { MEASURES = sizeof measures / sizeof *measures };

/* Whether the loss of a fine-tuning is a sum of two: another quantity than that of the baseline. */
static bool keeps_contrast(const rows *all, const char *stage) {
    if (strcmp(stage, "finetune") != 0) return false;
    for (int i = 0; i < all->n; i++)
        if (strcmp(all->row[i].stage, stage) == 0 && isfinite(all->row[i].anchors)) return true;
    return false;
}

/* Series of a chart and what they borrow. A curve's values hold x, y and its trend in one block: x
 * [n], y [n], then x and y of the trend and scratch, TREND_POINTS each. */
typedef struct curves {
    chart_series *series;
    struct curve {
        double *values; /* owned */
        char name[NAME];
    } * curve;
    int n;
} curves;

/* Whether a group of the table has the stage. */
static bool in_table(const char *stage) {
    for (int g = 0; g < GROUPS; g++)
        for (int k = 0; k < TOGETHER; k++)
            if (groups[g].stage[k] && strcmp(groups[g].stage[k], stage) == 0) return true;
    return false;
}

static bool belongs(const metrics_row *r, const char *stage, int round) {
    return r->round == round && strcmp(r->stage, stage) == 0;
}

/* Means over groups of steps, then over the neighbours: x, y [TREND_POINTS]; returns how many.
 * Averaging in groups first bounds the text and the time of the second step, whatever the number of
 * steps. Values that are missing are left out of both means; a group without any is a gap. */
static int make_trend(const chart_line *in, double *x, double *y, double *scratch) {
    int size = (in->n + TREND_POINTS - 1) / TREND_POINTS, n = 0;
    for (int begin = 0; begin < in->n; begin += size, n++) {
        double sum = 0;
        int end = begin + size < in->n ? begin + size : in->n, count = 0;
        for (int i = begin; i < end; i++)
            if (isfinite(in->y[i])) sum += in->y[i], count++;
        x[n] = (in->x[begin] + in->x[end - 1]) / 2;
        scratch[n] = count ? sum / count : NAN;
    }
    for (int i = 0; i < n; i++) {
        /* Fewer at the ends, as many on either side: a slope stays where it is. */
        int reach = n / TREND_SHARE + 1, count = 0;
        if (reach > i) reach = i;
        if (reach > n - 1 - i) reach = n - 1 - i;
        double sum = 0;
        for (int j = i - reach; j <= i + reach; j++)
            if (isfinite(scratch[j])) sum += scratch[j], count++;
        y[i] = isfinite(scratch[i]) ? sum / count : NAN;
    }
    return n;
}

/* The line of one stage and round, and its trend. Nothing is added where the measure has no value
 * there; a step without one is a gap. c has room for all curves of a chart; its name is already
 * written there, and is given up where nothing is added. */
static status add_curve(
    curves *c, const rows *all, const char *stage, int round, const measure *m) {
    size_t n = 0, points = 0;
    for (int i = 0; i < all->n; i++) {
        if (!belongs(&all->row[i], stage, round)) continue;
        n++;
        points += isfinite(m->of(&all->row[i])) ? 1 : 0;
    }
    if (points == 0) return STATUS_OK;
    double *x = memory_alloc(2 * n + 3 * (size_t)TREND_POINTS, sizeof *x, "curve");
    if (!x) return STATUS_FAILED;
    double *y = x + n, *trend = y + n;
    n = 0;
    for (int i = 0; i < all->n; i++) {
        if (!belongs(&all->row[i], stage, round)) continue;
        x[n] = (double)all->row[i].step;
        y[n++] = m->of(&all->row[i]);
    }
    chart_series *s = &c->series[c->n];
    c->curve[c->n].values = x;
    *s = (chart_series){.name = c->curve[c->n++].name, .line = {x, y, (int)n}};
    if (!m->noisy || n < TREND_FROM) return STATUS_OK;
    int trends = make_trend(&s->line, trend, trend + TREND_POINTS, trend + 2 * TREND_POINTS);
    s->trend = (chart_line){trend, trend + TREND_POINTS, trends};
    return STATUS_OK;
}

/* All curves of one chart: each stage of the group, each round. On failure c holds what has been
 * made, for curves_destroy. Rounds beyond ROUNDS are not shown: more curves than that cannot be
 * told apart. */
static status collect(curves *c, const rows *all, const group *g, const measure *m) {
    int last = 1;
    for (int i = 0; i < all->n; i++)
        if (all->row[i].round > last && all->row[i].round <= ROUNDS) last = all->row[i].round;
    size_t most = TOGETHER * (size_t)last;
    c->series = memory_alloc(most, sizeof *c->series, "curves");
    c->curve = memory_alloc(most, sizeof *c->curve, "curves");
    status st = c->series && c->curve ? STATUS_OK : STATUS_FAILED;
    for (int k = 0; k < TOGETHER && g->stage[k]; k++)
        for (int round = 1; round <= last && st == STATUS_OK; round++) {
            char *name = c->curve[c->n].name;
            bool sum = m->of == loss_of && keeps_contrast(all, g->stage[k]);
            int n =
                snprintf(name, NAME, "%.60s%s", g->name[k], sum ? ", the contrast included" : "");
            if (last > 1) snprintf(name + n, NAME - (size_t)n, ", round %d", round);
            st = add_curve(c, all, g->stage[k], round, m);
        }
    return st;
}

static void curves_destroy(curves *c) {
    for (int i = 0; i < c->n; i++) memory_free(c->curve[i].values);
    memory_free(c->series);
    memory_free(c->curve);
}

/* One chart; *any: whether the group has had one before, and so its heading. The title of the chart
 * is for readers who do not see it; those who do have heading and caption. */
static status put_measure(html *h, const rows *all, const group *g, const measure *m, bool *any) {
    char title[2 * NAME];
    curves c = {0};
    status st = collect(&c, all, g, m);
    snprintf(title, sizeof title, "%.90s, %s", g->title, m->title);
    chart plot = {title, "step", m->label, m->scale, c.series, c.n, g->stage[1] != NULL};
    if (st == STATUS_OK && chart_has_points(&plot)) {
        if (!*any) {
            html_put(h, "<h3>");
            html_text(h, g->title);
            html_put(h, "</h3>\n<div class=\"charts\">\n");
        }
        *any = true;
        html_print(h, "<figure><figcaption><b>%s</b>%s%s</figcaption>", m->title,
            m->note ? " " : "", m->note ? m->note : "");
        chart_put(h, &plot);
        html_put(h, "</figure>\n");
    }
    curves_destroy(&c);
    return st;
}

/* The charts of a group; one without a chart has no heading. */
static status put_group(html *h, const rows *all, const group *g) {
    bool any = false;
    status st = STATUS_OK;
    for (int m = 0; m < MEASURES && st == STATUS_OK; m++)
        st = put_measure(h, all, g, &measures[m], &any);
    if (any) html_put(h, "</div>\n");
    return st;
}

/* Whether row i is the first of its stage. Rows of one stage follow one another, so that this
 * looks far back only where another stage ends. */
static bool begins_stage(const rows *all, int i) {
    for (int j = i - 1; j >= 0; j--)
        if (strcmp(all->row[j].stage, all->row[i].stage) == 0) return false;
    return true;
}

void page_curves(html *h, const page_data *d) {
    rows all = {0};
    if (!d->metrics) return;
    status st = metrics_read(d->metrics, &all.row, &all.n);
    for (int g = 0; g < GROUPS && st == STATUS_OK; g++) st = put_group(h, &all, &groups[g]);
    for (int i = 0; i < all.n && st == STATUS_OK; i++) {
        const char *stage = all.row[i].stage;
        if (in_table(stage) || !begins_stage(&all, i)) continue;
        st = put_group(h, &all, &(group){stage, {stage}, {stage}});
    }
    html_fail(h, st);
    memory_free(all.row);
}
