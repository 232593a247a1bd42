/* The page of a study: for each stage how much faster it becomes and how well it uses its cores,
 * beside the ideal and beside what the cores themselves can do together; where the time goes; all
 * figures as tables. A bar's parts carry their names where they have room, and the table has every
 * one: no figure is told by its colour alone. The page depends on the rows alone. */
#include "src/app/study/study_page.h"

#include "io/page/page_shell.h"
#include "io/page/page_table.h"
#include "io/page/plot.h"
#include "io/page/svg.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the bars, in the SVG's units. LETTERS_FROM: what a part must be wider than its name to carry
 * it. Beyond COLOURS phases colours come again, fainter. */
enum { WIDTH = 720, NAMES = 150, ROW = 26, THICK = 17, COLOURS = 6, LETTERS_FROM = 10 };

/* Lines of one plot: series of so many threads a rank, the ideal, the roof. */
enum { MOST_LINES = STUDY_POINTS + 2 };
typedef struct lines {
    char name[MOST_LINES][32];
    double x[MOST_LINES][STUDY_POINTS];
    plot_value value[MOST_LINES][STUDY_POINTS];
    plot_series series[MOST_LINES];
    int count;
} lines;

/* A point's value in its series, which stays in the order of cores; of two at the same place the
 * first stays. */
static void add_value(plot_series *s, double *x, plot_value *value, double at, plot_value v) {
    int i = s->n;
    while (i > 0 && x[i - 1] > at) i--;
    if (i > 0 && x[i - 1] == at) return;
    memmove(x + i + 1, x + i, (size_t)(s->n - i) * sizeof *x);
    memmove(value + i + 1, value + i, (size_t)(s->n - i) * sizeof *value);
    x[i] = at;
    value[i] = v;
    s->n++;
}

/* Names are copied: that of a row is gone before the plot is drawn. */
static int begin_series(lines *l, const char *name) {
    int i = l->count++;
    snprintf(l->name[i], sizeof l->name[i], "%s", name);
    l->series[i] = (plot_series){l->name[i], l->x[i], l->value[i], 0};
    return i;
}

static int series_of(lines *l, const char *name) {
    for (int i = 0; i < l->count; i++)
        if (strcmp(l->name[i], name) == 0) return i;
    return begin_series(l, name);
}

static void add(lines *l, const char *name, double x, plot_value v) {
    int i = series_of(l, name);
    add_value(&l->series[i], l->x[i], l->value[i], x, v);
}

/* The interval is that of the repetitions' medians. efficiency: per core, in per cent. A point that
 * is oversubscribed has its place by what it asks for: the ideal is then flat, as there is nothing
 * more to compute on. */
static void add_row(lines *l, const study_row *r, const study_row *first, bool efficiency) {
    char name[32];
    double asked = study_point_cores(r->at), ratio = (double)r->cores / first->cores;
    double scale = efficiency ? 100 / ratio : 1, roof = r->roof_efficiency * ratio * scale;
    snprintf(name, sizeof name, "%d thread%s a rank", r->at.threads, r->at.threads == 1 ? "" : "s");
    add(l, name, asked,
        (plot_value){r->speedup * scale, r->speedup * scale * r->median / r->slowest,
            r->speedup * scale * r->median / r->fastest});
    add(l, "ideal", asked, (plot_value){ratio * scale, NAN, NAN});
    add(l, "the cores' own roof", asked, (plot_value){roof, NAN, NAN});
}

/* rows [points] of one stage. */
static status put_plot(html *h, const study_plan *p, const study_row *rows, bool efficiency) {
    lines *l = memory_alloc(1, sizeof *l, "lines of a plot");
    if (!l) return STATUS_FAILED;
    for (int i = 0; i < p->points; i++)
        if (rows[i].repeats > 0 && rows[0].repeats > 0) add_row(l, &rows[i], &rows[0], efficiency);
    const plot_lines plot = {efficiency ? "Efficiency over cores" : "Speed-up over cores",
        "ranks × threads",
        efficiency ? "efficiency, %"
        : p->weak  ? "scaled speed-up"
                   : "speed-up",
        l->series, l->count};
    html_put(h, "<figure class=\"plot\"><figcaption><b>");
    html_put(h, efficiency ? "Efficiency" : "Speed-up");
    html_put(h, "</b> against the first point</figcaption>");
    plot_lines_put(h, &plot);
    html_put(h, "</figure>\n");
    memory_free(l);
    return STATUS_OK;
}

/* Seconds of a rank, on average, that are in a phase. */
static double all_phases(const study_row *r) {
    double sum = 0;
    for (int i = 0; i < PHASE_COUNT; i++) sum += r->m.spread.phase[i].mean;
    return sum;
}

/* "2 × 1", for the narrow first column of a table. */
static void short_name(study_point at, char *text) {
    snprintf(text, STUDY_NAME, "%d × %d", at.ranks, at.threads);
}

/* One part of a bar, as a wide stroke: the style has colours of strokes. Its name where it fits,
 * and in any case where a pointer rests. place: among the phases that take time. */
static void put_part(html *h, double x, double y, double width, int place, const char *name) {
    html_print(h, "<path class=\"c%d\" style=\"stroke-width:%d;stroke-linecap:butt%s\" d=\"M",
        place % COLOURS, (int)THICK, place / COLOURS % 2 ? ";opacity:.55" : "");
    html_fixed(h, x, 1);
    html_put(h, " ");
    html_fixed(h, y, 1);
    html_put(h, "h");
    html_fixed(h, width, 1);
    html_print(h, "\"><title>%s</title></path>", name);
    if (width < SVG_LETTER * svg_letters(name) + LETTERS_FROM) return;
    html_put(h, "<text class=\"middle\" style=\"fill:#fff\" x=\"");
    html_fixed(h, x + width / 2, 1);
    html_put(h, "\" y=\"");
    html_fixed(h, y + 4, 1);
    html_print(h, "\">%s</text>", name);
}

/* A phase's place among the colours: the same at all points of a stage, and another for each phase
 * that one stage has. */
static int place_of(stage_id stage, int i) {
    return stage == STAGE_CLUSTER ? (i + PHASE_COUNT - PHASE_EXCHANGE) % PHASE_COUNT
           : i > PHASE_UPDATE     ? i - 2
                                  : i;
}

/* As wide as the others whatever it took: shares are compared, not times. */
static void put_bar(html *h, const study_row *r, double y) {
    char name[STUDY_NAME];
    double x = NAMES, sum = all_phases(r);
    study_point_name(r->at, name);
    svg_name(h, NAMES - 8, y + 4, "end", name, 24);
    for (int i = 0; i < PHASE_COUNT && sum > 0; i++) {
        double width = (WIDTH - NAMES) * r->m.spread.phase[i].mean / sum;
        if (width > 0) put_part(h, x, y, width, place_of(r->stage, i), phase_name((phase)i));
        x += width;
    }
}

/* For the parts that have no room for their names. */
static void put_legend(html *h, const study_plan *p, const study_row *rows) {
    html_put(h, "<p class=\"legend\">");
    for (int k = 0; k < PHASE_COUNT; k++) {
        double most = 0;
        int place = place_of(rows[0].stage, k);
        for (int i = 0; i < p->points; i++) most = fmax(most, rows[i].m.spread.phase[k].max);
        if (!(most > 0)) continue;
        html_print(h,
            "<span><svg class=\"chart key\" viewBox=\"0 0 22 10\" aria-hidden=\"true\"><path "
            "class=\"c%d\" style=\"stroke-width:9;stroke-linecap:butt%s\" d=\"M1 5h20\"/></svg>%s"
            "</span> ",
            place % COLOURS, place / COLOURS % 2 ? ";opacity:.55" : "", phase_name((phase)k));
    }
    html_put(h, "</p>");
}

/* Shares of the phases, means over ranks: a bar a point. */
static void put_shares(html *h, const study_plan *p, const study_row *rows) {
    int n = 0;
    for (int i = 0; i < p->points; i++) n += rows[i].repeats > 0;
    if (n == 0) return;
    html_put(h, "<figure class=\"plot\"><figcaption><b>Shares of the phases</b> "
                "means over ranks; waiting for others is a part of the exchange"
                "</figcaption><div class=\"scroll\">");
    svg_begin(h, WIDTH, n * ROW, true);
    html_put(h, "Shares of the phases, a bar a point; the table below has them");
    svg_described(h);
    double y = ROW / 2.0;
    for (int i = 0; i < p->points; i++) {
        if (rows[i].repeats == 0) continue;
        put_bar(h, &rows[i], y);
        y += ROW;
    }
    svg_end(h);
    html_put(h, "</div>");
    put_legend(h, p, rows);
    html_put(h, "</figure>\n");
}

/* One row of the table; what the repetitions spread over is between min and max. */
static void put_figures(html *h, const study_row *r) {
    char name[STUDY_NAME];
    short_name(r->at, name);
    table_row(h, name);
    table_number(h, NUMBER_PLAIN, r->median);
    table_number(h, NUMBER_PLAIN, r->least);
    table_number(h, NUMBER_PLAIN, r->most);
    table_number(h, NUMBER_PLAIN, r->fom);
    table_number(h, NUMBER_PLAIN, r->speedup);
    table_number(h, NUMBER_SHARE, r->efficiency);
    table_number(h, NUMBER_SHARE, r->roof_efficiency);
    table_number(h, NUMBER_SHARE, r->of_roof);
    table_number(h, NUMBER_SHARE, r->read_efficiency);
    table_number(h, NUMBER_PLAIN, r->imbalance);
    table_number(h, NUMBER_COUNT, r->m.sent);
    table_number(h, NUMBER_COUNT, r->peak);
    table_row_end(h);
}

/* One column more than fits a narrow window: the names stay while the rest scrolls. */
static void put_table(html *h, const study_plan *p, const study_row *rows) {
    char unit[64];
    snprintf(unit, sizeof unit, "%s", study_measure_fom_unit(rows[0].stage));
    unit[0] = (char)(unit[0] - 'a' + 'A');
    table_begin(h, TABLE_WIDE);
    table_column(h, "Ranks × threads");
    table_number_column(h, "Median, s", NUMBER_PLAIN);
    table_number_column(h, "Min, s", NUMBER_PLAIN);
    table_number_column(h, "Max, s", NUMBER_PLAIN);
    table_number_column(h, unit, NUMBER_PLAIN);
    table_number_column(h, "Speed-up", NUMBER_PLAIN);
    table_number_column(h, "Efficiency", NUMBER_SHARE);
    table_number_column(h, "The roof's", NUMBER_SHARE);
    table_number_column(h, "Of the roof's", NUMBER_SHARE);
    table_number_column(h, "Memory's", NUMBER_SHARE);
    table_number_column(h, "Imbalance", NUMBER_PLAIN);
    table_number_column(h, "Bytes sent", NUMBER_COUNT);
    table_number_column(h, "Peak, MiB", NUMBER_COUNT);
    table_body(h);
    for (int i = 0; i < p->points; i++)
        if (rows[i].repeats > 0) put_figures(h, &rows[i]);
    table_end(h);
}

/* Folded away: for who looks for what to make faster. */
static void put_phases(html *h, const study_plan *p, const study_row *rows) {
    char name[STUDY_NAME];
    html_put(h, "<details><summary>Phases over ranks</summary>\n");
    table_begin(h, TABLE_PLAIN);
    table_column(h, "Ranks × threads");
    table_column(h, "Phase");
    table_number_column(h, "Share", NUMBER_SHARE);
    table_number_column(h, "Min, s", NUMBER_PLAIN);
    table_number_column(h, "Mean, s", NUMBER_PLAIN);
    table_number_column(h, "Max, s", NUMBER_PLAIN);
    table_number_column(h, "Slowest rank", NUMBER_COUNT);
    table_body(h);
    for (int i = 0; i < p->points; i++)
        for (int k = 0; k < PHASE_COUNT; k++) {
            const phase_spread *s = &rows[i].m.spread.phase[k];
            if (!(s->max > 0)) continue;
            short_name(rows[i].at, name);
            table_row(h, name);
            table_text(h, phase_name((phase)k));
            table_number(h, NUMBER_SHARE, s->mean / all_phases(&rows[i]));
            table_number(h, NUMBER_PLAIN, s->min);
            table_number(h, NUMBER_PLAIN, s->mean);
            table_number(h, NUMBER_PLAIN, s->max);
            table_number(h, NUMBER_COUNT, s->slowest);
            table_row_end(h);
        }
    table_end(h);
    html_put(h, "</details>\n");
}

/* One section. Whether results differ is said above its plots: a reader must not take them for
 * speed. rows [points] of one stage. */
static status put_stage(html *h, const study_plan *p, const study_row *rows) {
    const char *word = stage_id_words[rows[0].stage];
    char note[256], hash[17];
    bool differ = false;
    const study_row *first = rows;
    while (first < rows + p->points - 1 && first->repeats == 0) first++;
    hash_text(first->m.hash, hash);
    page_section(h, word, word);
    for (int i = 0; i < p->points; i++) differ = differ || !rows[i].same;
    snprintf(note, sizeof note, "Times are of %s. %s%s.", study_measure_unit(rows[0].stage),
        differ    ? "RESULTS DIFFER: what must be the same is not; that of the first is "
        : p->weak ? "Points of as many ranks have the same result; that of the first is "
                  : "Every point has the same result, ",
        hash);
    page_note(h, note);
    html_put(h, "<div class=\"grid\">");
    status st = put_plot(h, p, rows, false);
    if (st == STATUS_OK) st = put_plot(h, p, rows, true);
    html_put(h, "</div>\n");
    put_shares(h, p, rows);
    put_table(h, p, rows);
    put_phases(h, p, rows);
    page_section_end(h);
    return st;
}

/* What was measured, and on what. */
static void put_about(html *h, const study_plan *p, const study_row *rows) {
    char text[1024];
    const study_measurement *m = &rows[0].m;
    snprintf(text, sizeof text,
        "%s scaling of %s on %s (%s), %s: %lld steps of training after %lld that are not timed, "
        "%lld iterations of the clustering, %lld repetitions in turn over the points. The roof is "
        "what the same cores multiply and add at once, memory what they read, measured beside each "
        "repetition.",
        p->weak ? "Weak" : "Strong", p->config, m->host, m->processor, m->version,
        (long long)p->steps, (long long)p->untimed, (long long)p->steps, (long long)p->repeats);
    page_note(h, text);
}

/* Written at once, when all is there: an older page stays where it fails. */
status study_page_write(const study_plan *p, const study_row *rows) {
    char path[FILE_PATH];
    html h = {0};
    status st = file_path(path, p->out, "scaling.html");
    page_begin(&h, "Study of scaling");
    put_about(&h, p, rows);
    html_put(&h, "</header><main>\n");
    for (int s = 0; s < p->stages && st == STATUS_OK; s++)
        st = put_stage(&h, p, rows + s * p->points);
    page_end(&h);
    if (st == STATUS_OK) st = h.result;
    if (st == STATUS_OK) st = file_write(path, h.text, h.size);
    memory_free(h.text);
    return st;
}
