/* The page of a comparison, from the answer to how it was found: gains with their intervals, the
 * table, how they hang together with the setting and with the score, the labellings as pictures,
 * the single runs, the command. The figures of plots and table are the same doubles, rounded in the
 * same way: who reads one in the other finds it. */
#include "io/page/compare_page.h"

#include "io/files/file.h"
#include "io/page/number.h"
#include "io/page/page_shell.h"
#include "io/page/page_table.h"
#include "src/base/memory.h"

#include <math.h>
#include <stdio.h>

enum { DECIMALS = 2 }; /* of mIoU and gains, in points of a hundred */

static void put_fixed(html *h, double value) {
    html_put(h, "<td class=\"n\">");
    if (isfinite(value))
        html_fixed(h, value, DECIMALS);
    else
        html_number(h, NUMBER_PLAIN, value);
    html_put(h, "</td>");
}

/* Of a gain: its mean in one column, its interval in the next. */
static void put_gain(html *h, const compare_page_cell *c) {
    html_put(h, "<td class=\"n\">");
    if (c->reference)
        html_put(h, "reference");
    else if (isfinite(c->gain.mean))
        html_signed(h, c->gain.mean, DECIMALS);
    else
        html_number(h, NUMBER_PLAIN, NAN);
    html_put(h, "</td><td class=\"n\">");
    if (!c->reference && isfinite(c->gain.low) && isfinite(c->gain.high)) {
        html_signed(h, c->gain.low, DECIMALS);
        html_put(h, " to ");
        html_signed(h, c->gain.high, DECIMALS);
    } else {
        html_number(h, NUMBER_PLAIN, NAN);
    }
    html_put(h, "</td>");
}

/* Which of the columns any cell has a figure for. */
static bool any(const compare_page *d, double (*of)(const compare_page_cell *)) {
    for (int i = 0; i < d->cells; i++)
        if (isfinite(of(&d->cell[i]))) return true;
    return false;
}
static double score_of(const compare_page_cell *c) {
    return c->score;
}
static double seconds_of(const compare_page_cell *c) {
    return c->seconds;
}
static double images_of(const compare_page_cell *c) {
    return c->images;
}

static void put_table(html *h, const compare_page *d) {
    char head[96];
    bool score = any(d, score_of), seconds = any(d, seconds_of), images = any(d, images_of);
    table_begin(h, TABLE_WIDE);
    table_column(h, "Cell");
    table_number_column(h, "runs", NUMBER_COUNT);
    snprintf(head, sizeof head, "%.60s, %%", d->measure);
    table_number_column(h, head, NUMBER_PLAIN);
    table_number_column(h, "standard deviation", NUMBER_PLAIN);
    table_number_column(h, "difference, points", NUMBER_PLAIN);
    table_number_column(h, "95 % interval", NUMBER_PLAIN);
    snprintf(head, sizeof head, "%.60s, %%", d->score ? d->score : "score");
    if (score) table_number_column(h, head, NUMBER_PLAIN);
    if (seconds) table_number_column(h, "seconds a run", NUMBER_SECONDS);
    if (images) table_number_column(h, "images a run", NUMBER_COUNT);
    table_body(h);
    for (int i = 0; i < d->cells; i++) {
        const compare_page_cell *c = &d->cell[i];
        table_row(h, c->name);
        table_number(h, NUMBER_COUNT, c->results);
        put_fixed(h, c->miou);
        put_fixed(h, c->deviation);
        put_gain(h, c);
        if (score) put_fixed(h, c->score);
        if (seconds) table_number(h, NUMBER_SECONDS, c->seconds);
        if (images) table_number(h, NUMBER_COUNT, c->images);
        table_row_end(h);
    }
    table_end(h);
}

static void put_gains(html *h, const compare_page *d) {
    plot_row *row = memory_alloc((size_t)d->cells, sizeof *row, "page");
    if (!row) {
        html_fail(h, STATUS_FAILED);
        return;
    }
    for (int i = 0; i < d->cells; i++) {
        const compare_page_cell *c = &d->cell[i];
        const plot_value none = {NAN, NAN, NAN};
        row[i] = (plot_row){c->name, c->reference ? none : c->gain, c->reference ? NULL : c->point,
            c->reference ? 0 : c->points, c->reference ? "reference" : NULL};
    }
    html_put(h, "<div class=\"plot scroll\">");
    plot_rows_put(h, &(plot_rows){"Difference to the reference",
                         "difference to the reference, points", DECIMALS, row, d->cells});
    html_put(h, "</div>\n");
    memory_free(row);
}

static void put_results(html *h, const compare_page *d) {
    page_section(h, "results", "Result");
    page_note(h, "Each run is compared with the reference's of the same seed. Diamond: the mean of "
                 "these differences, with its 95 % interval (Student's t); filled where the "
                 "interval leaves out zero. Circles: single seeds.");
    put_gains(h, d);
    put_table(h, d);
    page_section_end(h);
}

static void put_lines(html *h, const compare_page *d) {
    if (!d->lines) return;
    page_section(h, "setting", "Over the setting that varies");
    page_note(h, d->lines_note);
    html_put(h, "<div class=\"plot scroll\">");
    plot_lines_put(h, d->lines);
    html_put(h, "</div>\n");
    page_section_end(h);
}

static void put_scatter(html *h, const compare_page *d) {
    if (!d->scatter) return;
    page_section(h, "score", "Score of the labels against the result");
    page_note(h, d->scatter_note);
    html_put(h, "<div class=\"plot scroll\">");
    plot_scatter_put(h, d->scatter);
    html_put(h, "</div>\n");
    page_section_end(h);
}

static void put_pictures(html *h, const compare_page *d) {
    if (!d->strips) return;
    page_section(h, "labels", "Labellings of the same images");
    page_note(h, d->strip_note);
    page_strips(h, d->strip, d->strips);
    page_section_end(h);
}

/* An address is ours but for the folder's name, which may hold what an address must not. */
static void put_address(html *h, const char *address) {
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    for (const char *at = address; *at; at++) {
        size_t n = 0;
        while (plain[n] && plain[n] != *at) n++;
        if (plain[n])
            html_bytes(h, at, 1);
        else
            html_print(h, "%%%02X", (unsigned)(unsigned char)*at);
    }
}

static void put_run(html *h, const compare_page_run *r) {
    if (r->address) {
        html_put(h, "<a href=\"");
        put_address(h, r->address);
        html_put(h, "\">");
        html_text(h, r->name);
        html_put(h, "</a>");
    } else {
        html_text(h, r->name);
    }
    if (r->failure) {
        html_put(h, " <span class=\"down\">");
        html_text(h, r->failure);
        html_put(h, "</span>");
    }
}

static void put_runs(html *h, const compare_page *d) {
    page_section(h, "runs", "Cells and their runs");
    page_note(h, "What a cell sets differently from the configuration, and the page of each run.");
    table_begin(h, TABLE_PLAIN);
    table_column(h, "Cell");
    table_column(h, "Settings");
    table_column(h, "Runs");
    table_body(h);
    for (int i = 0; i < d->cells; i++) {
        const compare_page_cell *c = &d->cell[i];
        table_row(h, c->name);
        if (c->settings && *c->settings)
            table_code(h, c->settings);
        else
            table_text(h, "those of the configuration");
        html_put(h, "<td class=\"runs\">");
        for (int k = 0; k < c->runs; k++) {
            if (k > 0) html_put(h, ", ");
            put_run(h, &c->run[k]);
        }
        html_put(h, "</td>");
        table_row_end(h);
    }
    table_end(h);
    page_section_end(h);
}

static void put_command(html *h, const compare_page *d) {
    if (!d->command) return;
    page_section(h, "again", "How to make it again");
    page_note(h, d->command_note);
    html_put(h, "<pre>");
    html_text(h, d->command);
    html_put(h, "</pre>\n");
    page_section_end(h);
}

static void put_contents(html *h, const compare_page *d) {
    const struct {
        const char *id, *text;
        bool there;
    } link[] = {{"results", "Result", true}, {"setting", "Over the setting", d->lines != NULL},
        {"score", "Score", d->scatter != NULL}, {"labels", "Labellings", d->strips > 0},
        {"runs", "Runs", true}, {"again", "Command", d->command != NULL}};
    html_put(h, "<nav aria-label=\"Contents\"><ul>");
    for (size_t i = 0; i < sizeof link / sizeof *link; i++)
        if (link[i].there)
            html_print(h, "<li><a href=\"#%s\">%s</a></li>", link[i].id, link[i].text);
    html_put(h, "</ul></nav>\n");
}

status compare_page_write(const char *path, const compare_page *d) {
    html h = {0};
    page_begin(&h, d->title);
    page_note(&h, d->about);
    html_put(&h, "</header>\n");
    put_contents(&h, d);
    html_put(&h, "<main>\n");
    put_results(&h, d);
    put_lines(&h, d);
    put_scatter(&h, d);
    put_pictures(&h, d);
    put_runs(&h, d);
    put_command(&h, d);
    page_end(&h);
    status st = h.result;
    if (st == STATUS_OK) st = file_write(path, h.text, h.size);
    memory_free(h.text);
    return st;
}
