/* Tables of the report. */
#include "io/page/page_sections.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { FOLD_FROM = 40 }; /* rows beyond which a table is folded away */

static const char dash[] = "\xE2\x80\x93";

static void count_number(html *h, double value) {
    char digits[64];
    int n = snprintf(digits, sizeof digits, "%.0f", fabs(value));
    if (value < 0) html_put(h, "\xE2\x88\x92");
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0) html_put(h, "\xE2\x80\x89"); /* thin space */
        html_bytes(h, digits + i, 1);
    }
}

void page_number(html *h, page_kind kind, double value) {
    if (!isfinite(value))
        html_put(h, dash);
    else if (kind == REPORT_SHARE)
        html_print(h, fabs(value) < 0.01 ? "%.2f" : "%.1f", 100 * value);
    else if (kind == REPORT_COUNT)
        count_number(h, value);
    else
        html_print(h, "%.4g", value);
}

void page_section(html *h, const char *id, const char *heading, const char *note) {
    html_print(h, "<section id=\"%s\"><h2>%s</h2>\n", id, heading);
    if (note) html_print(h, "<p class=\"note\">%s</p>\n", note);
}

/* Points of a hundred, with a sign and a colour. */
static void difference(html *h, double baseline, double finetuned) {
    double points = 100 * (finetuned - baseline);
    if (!isfinite(points)) {
        html_put(h, dash);
        return;
    }
    const char *class = points > 0.05 ? "up" : points < -0.05 ? "down" : "even";
    const char *sign = points > 0 ? "+" : points < 0 ? "\xE2\x88\x92" : "";
    html_print(h, "<span class=\"%s\">%s%.1f</span>", class, sign, fabs(points));
}

/* A bar of a share, with a tick at another share (NAN: none). */
static void bar(html *h, double value, double tick) {
    html_put(h, "<td class=\"bar\"><span class=\"track\">");
    if (isfinite(value)) {
        double width = 100 * fmin(fmax(value, 0), 1);
        html_print(h, "<span class=\"fill\" style=\"width:%.1f%%\"></span>", width);
    }
    if (isfinite(tick))
        html_print(
            h, "<span class=\"tick\" style=\"left:%.1f%%\"></span>", 100 * fmin(fmax(tick, 0), 1));
    html_put(h, "</span>");
}

static void headline(html *h, const page_data *d) {
    html_put(h, "<div class=\"cards\">");
    for (int i = 0; i < d->measures; i++) {
        const page_measure *m = &d->measure[i];
        html_put(h, "<div class=\"card\"><div class=\"name\">");
        html_text(h, m->name);
        html_put(h, "</div><div class=\"big\">");
        page_number(h, REPORT_SHARE, isfinite(m->finetuned) ? m->finetuned : m->baseline);
        html_put(h, "<small>%</small></div><div class=\"from\">");
        if (isfinite(m->baseline) && isfinite(m->finetuned)) {
            html_put(h, "baseline ");
            page_number(h, REPORT_SHARE, m->baseline);
            html_put(h, ", ");
            difference(h, m->baseline, m->finetuned);
            html_put(h, " points");
        } else {
            html_put(h, isfinite(m->baseline) ? "baseline alone" : "no baseline");
        }
        html_put(h, "</div></div>");
    }
    html_put(h, "</div>\n");
}

static void class_table(html *h, const page_data *d) {
    html_put(h, "<h3>IoU per class</h3><table><tr><th>Class<th class=\"n\">Baseline, %"
                "<th class=\"n\">Pretrained, %<th class=\"n\">Difference<th class=\"bar\">"
                "Pretrained, mark at baseline");
    for (int i = 0; i < d->classes; i++) {
        const page_measure *m = &d->class_iou[i];
        html_put(h, "<tr><td>");
        html_text(h, m->name);
        html_put(h, "<td class=\"n\">");
        page_number(h, REPORT_SHARE, m->baseline);
        html_put(h, "<td class=\"n\">");
        page_number(h, REPORT_SHARE, m->finetuned);
        html_put(h, "<td class=\"n\">");
        difference(h, m->baseline, m->finetuned);
        bar(h, m->finetuned, m->baseline);
    }
    html_put(h, "</table>\n");
}

void page_results(html *h, const page_data *d) {
    if (!d->measures && !d->classes) return;
    page_section(h, "results", "Segmentation",
        "Baseline: fine-tuned from the plain initial weights. Pretrained: fine-tuned after "
        "contrastive pretraining, with the same labels and settings.");
    if (d->measures) headline(h, d);
    if (d->classes) class_table(h, d);
    html_put(h, "</section>\n");
}

static bool new_group(const page_data *d, int i) {
    const char *before = i > 0 ? d->score[i - 1].group : NULL, *group = d->score[i].group;
    if (i == 0) return true;
    return before && group ? strcmp(before, group) != 0 : before != group;
}

/* Groups stand beside one another. */
static void score_tables(html *h, const page_data *d) {
    if (!d->scores) return;
    html_put(h, "<div class=\"grid\">");
    for (int i = 0; i < d->scores; i++) {
        const page_score *s = &d->score[i];
        if (new_group(d, i)) {
            html_put(h, i > 0 ? "</table></div>\n<div>" : "<div>");
            if (s->group) {
                html_put(h, "<h3>");
                html_text(h, s->group);
                html_put(h, "</h3>");
            }
            html_put(h, "<table><tr><th>Measure<th class=\"n\">Value, %<th class=\"n\">Chance, %"
                        "<th class=\"bar\">Mark at chance");
        }
        html_put(h, "<tr><td>");
        html_text(h, s->name);
        html_put(h, "<td class=\"n\">");
        page_number(h, REPORT_SHARE, s->value);
        html_put(h, "<td class=\"n\">");
        page_number(h, REPORT_SHARE, s->chance);
        bar(h, s->value, s->chance);
    }
    html_put(h, "</table></div></div>\n");
}

static void table_head(html *h, const page_table *t) {
    html_put(h, "<table><tr><th>");
    html_text(h, t->row_title);
    if (t->text_title) {
        html_put(h, "<th>");
        html_text(h, t->text_title);
    }
    for (int c = 0; c < t->columns; c++) {
        html_put(h, "<th class=\"n\">");
        html_text(h, t->column[c].name);
        if (t->column[c].kind == REPORT_SHARE) html_put(h, ", %");
    }
    if (t->bar_title) {
        html_put(h, "<th class=\"bar\">");
        html_text(h, t->bar_title);
    }
}

static void table_rows(html *h, const page_table *t) {
    table_head(h, t);
    for (int r = 0; r < t->rows; r++) {
        const double *value = t->value + (size_t)r * (size_t)t->columns;
        html_put(h, "<tr><td>");
        html_text(h, t->row[r]);
        if (t->text_title) {
            html_put(h, "<td>");
            html_text(h, t->text[r]);
        }
        for (int c = 0; c < t->columns; c++) {
            html_put(h, "<td class=\"n\">");
            page_number(h, t->column[c].kind, value[c]);
        }
        if (t->bar_title) bar(h, value[0], value[1]);
    }
    html_put(h, "</table>\n");
}

static void plain_table(html *h, const page_table *t) {
    int fold = t->rows > FOLD_FROM;
    html_put(h, "<div><h3>");
    html_text(h, t->title);
    html_put(h, "</h3>");
    if (t->note) {
        html_put(h, "<p class=\"note\">");
        html_text(h, t->note);
        html_put(h, "</p>");
    }
    if (fold) html_print(h, "<details><summary>%d rows</summary>", t->rows);
    table_rows(h, t);
    html_put(h, fold ? "</details></div>" : "</div>");
}

void page_quality(html *h, const page_data *d) {
    if (!d->scores && !d->tables) return;
    page_section(h, "quality", "Quality of the auxiliary labels",
        "Measured against ground truth, before any training on them, over pairs of pixels of "
        "different images. Positive precision: P(same class | same label); negative precision: "
        "P(other class | other label). By pairs: every pair counts the same; mean over labels: "
        "every label does, as the loss samples them. Chance: what labels that say nothing would "
        "give. Purity: share of the pixels that have their cluster's commonest class.");
    score_tables(h, d);
    for (int i = 0; i < d->tables; i++) plain_table(h, &d->table[i]);
    html_put(h, "</section>\n");
}
