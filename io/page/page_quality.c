/* The section of label quality: scores beside what chance would give, and tables of classes and
 * clusters. A precision says little without its chance: with one class everywhere every label would
 * be right. So both stand in one row, and the bar has a mark at chance. What the words mean stands
 * above the tables, as they are this program's own measures. */
#include "io/page/page_sections.h"
#include "io/page/page_table.h"

#include <stdbool.h>
#include <string.h>

enum { FOLD_FROM = 40 }; /* rows beyond which a table is folded away */

/* Whether score i begins a table of its own. Scores come sorted by group; NULL is a group without a
 * title. */
static bool new_group(const page_data *d, int i) {
    const char *before = i > 0 ? d->score[i - 1].group : NULL, *group = d->score[i].group;
    if (i == 0) return true;
    return before && group ? strcmp(before, group) != 0 : before != group;
}

/* Groups stand beside one another. Each group has a table of its own: one resolution. The style
 * puts them in columns where the window has room. */
static void put_scores(html *h, const page_data *d) {
    if (!d->scores) return;
    html_put(h, "<div class=\"grid\">");
    for (int i = 0; i < d->scores; i++) {
        const page_score *s = &d->score[i];
        if (new_group(d, i)) {
            if (i > 0) table_end(h);
            html_put(h, i > 0 ? "</div>\n<div>" : "<div>");
            if (s->group) {
                html_put(h, "<h3>");
                html_text(h, s->group);
                html_put(h, "</h3>\n");
            }
            table_begin(h, TABLE_PLAIN);
            table_column(h, "Measure");
            table_number_column(h, "Value", NUMBER_SHARE);
            table_number_column(h, "Chance", NUMBER_SHARE);
            table_bar_column(h, "Mark at chance");
            table_body(h);
        }
        table_row(h, s->name);
        table_number(h, NUMBER_SHARE, s->value);
        table_number(h, NUMBER_SHARE, s->chance);
        table_bar(h, s->value, s->chance);
        table_row_end(h);
    }
    table_end(h);
    html_put(h, "</div></div>\n");
}

/* A table as the caller describes it. value [rows, columns]. The bar shows the first column, its
 * mark the second: who fills a table with a bar must put value and chance there. */
static void put_rows(html *h, const page_table *t) {
    table_begin(h, TABLE_PLAIN);
    table_column(h, t->row_title);
    if (t->text_title) table_column(h, t->text_title);
    for (int c = 0; c < t->columns; c++)
        table_number_column(h, t->column[c].name, t->column[c].kind);
    if (t->bar_title) table_bar_column(h, t->bar_title);
    table_body(h);
    for (int r = 0; r < t->rows; r++) {
        const double *value = t->value + (size_t)r * (size_t)t->columns;
        table_row(h, t->row[r]);
        if (t->text_title) table_text(h, t->text[r]);
        for (int c = 0; c < t->columns; c++) table_number(h, t->column[c].kind, value[c]);
        if (t->bar_title) table_bar(h, value[0], value[1]);
        table_row_end(h);
    }
    table_end(h);
}

/* With its title and note; a long one is folded away. A title that is long, or a note, is any text
 * and is escaped; what is folded away keeps its title in sight. */
static void put_table(html *h, const page_table *t) {
    bool fold = t->rows > FOLD_FROM;
    html_put(h, "<h3>");
    html_text(h, t->title);
    html_put(h, "</h3>\n");
    if (t->note) {
        html_put(h, "<p class=\"note\">");
        html_text(h, t->note);
        html_put(h, "</p>\n");
    }
    if (fold) html_print(h, "<details><summary>%d rows</summary>", t->rows);
    put_rows(h, t);
    if (fold) html_put(h, "</details>\n");
}

/* Scores or tables may be there alone. */
void page_quality(html *h, const page_data *d) {
    if (!d->scores && !d->tables) return;
    html_put(h,
        "<p class=\"note\">Measured against ground truth, before any training on them, over pairs "
        "of pixels of different images. Positive precision: P(same class | same label); negative "
        "precision: P(other class | other label). By pairs: every pair counts the same; mean over "
        "labels: every label does, as the loss samples them. Chance: what labels that say nothing "
        "would give. Purity: share of the pixels that have their cluster&#39;s commonest "
        "class.</p>\n");
    put_scores(h, d);
    for (int i = 0; i < d->tables; i++) put_table(h, &d->table[i]);
}
