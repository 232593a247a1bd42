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
#include <string.h>

enum { DECIMALS = 2 }; /* of mIoU and gains, in points of a hundred */

/* With a true minus where it is negative; a dash where there is none. */
static void put_value(html *h, double value) {
    if (!isfinite(value))
        html_number(h, NUMBER_PLAIN, value);
    else if (value < 0)
        html_signed(h, value, DECIMALS);
    else
        html_fixed(h, value, DECIMALS);
}

static void put_fixed(html *h, double value) {
    html_put(h, "<td class=\"n\">");
    put_value(h, value);
    html_put(h, "</td>");
}

/* Of a gain: its mean in one column, its interval in the next. */
static void put_gain(html *h, const compare_page_cell *c) {
    html_put(h, "<td class=\"n\">");
    if (c->reference && isfinite(c->gain.mean))
        html_signed(h, c->gain.mean, DECIMALS);
    else if (!c->reference && c->referred)
        html_put(h, "reference");
    else
        html_number(h, NUMBER_PLAIN, NAN);
    html_put(h, "</td><td class=\"n\">");
    if (c->reference && isfinite(c->gain.low) && isfinite(c->gain.high)) {
        html_signed(h, c->gain.low, DECIMALS);
        html_put(h, " to ");
        html_signed(h, c->gain.high, DECIMALS);
    } else {
        html_number(h, NUMBER_PLAIN, NAN);
    }
    html_put(h, "</td>");
}

/* Columns that no cell has a figure for are left out. */
typedef struct columns {
    bool reference; /* cells are compared with different ones */
    bool score, seconds, contrastive, finetune;
} columns;

static columns find_columns(const compare_page *d) {
    columns c = {0};
    const char *first = NULL;
    for (int i = 0; i < d->cells; i++) {
        const compare_page_cell *of = &d->cell[i];
        if (of->reference && !first) first = of->reference;
        c.reference = c.reference || (of->reference && strcmp(of->reference, first) != 0);
        c.score = c.score || isfinite(of->score);
        c.seconds = c.seconds || isfinite(of->seconds);
        c.contrastive = c.contrastive || of->contrastive_images > 0;
        c.finetune = c.finetune || of->finetune_images > 0;
    }
    return c;
}

static void put_heads(html *h, const compare_page *d, const columns *has) {
    char head[96];
    table_column(h, "Cell");
    table_number_column(h, "runs", NUMBER_COUNT);
    table_number_column(h, "mIoU, %", NUMBER_PLAIN);
    table_number_column(h, "standard deviation", NUMBER_PLAIN);
    table_number_column(h, "difference, points", NUMBER_PLAIN);
    table_number_column(h, "95 % interval", NUMBER_PLAIN);
    if (has->reference) table_column(h, "compared with");
    snprintf(head, sizeof head, "%.60s, %%", d->score ? d->score : "score");
    if (has->score) table_number_column(h, head, NUMBER_PLAIN);
    if (has->seconds) table_number_column(h, "seconds a run", NUMBER_SECONDS);
    if (has->contrastive) table_number_column(h, "images: contrastive", NUMBER_COUNT);
    if (has->finetune) table_number_column(h, "fine-tuning", NUMBER_COUNT);
}

static void put_table(html *h, const compare_page *d) {
    columns has = find_columns(d);
    table_begin(h, TABLE_WIDE);
    put_heads(h, d, &has);
    table_body(h);
    for (int i = 0; i < d->cells; i++) {
        const compare_page_cell *c = &d->cell[i];
        table_row(h, c->name);
        table_number(h, NUMBER_COUNT, c->results);
        put_fixed(h, c->miou);
        put_fixed(h, c->deviation);
        put_gain(h, c);
        if (has.reference) table_text(h, c->reference);
        if (has.score) put_fixed(h, c->score);
        if (has.seconds) table_number(h, NUMBER_SECONDS, c->seconds);
        if (has.contrastive) table_number(h, NUMBER_COUNT, c->contrastive_images);
        if (has.finetune) table_number(h, NUMBER_COUNT, c->finetune_images);
        table_row_end(h);
    }
    table_end(h);
}

/* A row a cell; one that is compared with none has no marks. */
static void put_gains(html *h, const compare_page *d) {
    const plot_value none = {NAN, NAN, NAN};
    plot_row *row = memory_alloc((size_t)d->cells, sizeof *row, "page");
    if (!row) {
        html_fail(h, STATUS_FAILED);
        return;
    }
    for (int i = 0; i < d->cells; i++) {
        const compare_page_cell *c = &d->cell[i];
        row[i] = (plot_row){.name = c->name, .value = none, .note = c->referred ? "reference" : ""};
        if (c->reference) row[i] = (plot_row){c->name, c->gain, c->point, c->runs, NULL};
    }
    html_put(h, "<div class=\"plot scroll\">");
    plot_rows_put(h, &(plot_rows){"Difference to the reference",
                         "difference to the reference, points of mIoU", DECIMALS, row, d->cells});
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
    if (d->line_plots == 0) return;
    page_section(h, "setting",
        d->line_plots == 1 ? "Over the setting that varies" : "Over the settings that vary");
    for (int i = 0; i < d->line_plots; i++) {
        page_note(h, d->lines[i].note);
        html_put(h, "<div class=\"plot scroll\">");
        plot_lines_put(h, &d->lines[i].plot);
        html_put(h, "</div>\n");
    }
    page_section_end(h);
}

/* Of every figure of the score: which one to trust is to be seen, not chosen here. */
static void put_correlations(html *h, const compare_page *d) {
    if (!d->correlations) return;
    table_begin(h, TABLE_PLAIN);
    table_column(h, "Figure of the score");
    table_number_column(h, "cells", NUMBER_COUNT);
    table_number_column(h, "rank correlation with mIoU", NUMBER_PLAIN);
    table_number_column(h, "95 % interval", NUMBER_PLAIN);
    table_body(h);
    for (int i = 0; i < d->correlations; i++) {
        const compare_page_correlation *c = &d->correlation[i];
        table_row(h, c->name);
        table_number(h, NUMBER_COUNT, c->cells);
        put_fixed(h, c->rho);
        html_put(h, "<td class=\"n\">");
        if (isfinite(c->low) && isfinite(c->high)) {
            put_value(h, c->low);
            html_put(h, " to ");
            put_value(h, c->high);
        } else {
            html_number(h, NUMBER_PLAIN, NAN);
        }
        html_put(h, "</td>");
        table_row_end(h);
    }
    table_end(h);
}

static void put_scatter(html *h, const compare_page *d) {
    if (!d->scatter) return;
    page_section(h, "score", "Score of the labels against the result");
    page_note(h, d->scatter_note);
    html_put(h, "<div class=\"plot scroll\">");
    plot_scatter_put(h, d->scatter);
    html_put(h, "</div>\n");
    put_correlations(h, d);
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
    bool about = false;
    for (int i = 0; i < d->cells; i++) about = about || (d->cell[i].about && *d->cell[i].about);
    page_section(h, "runs", "Cells and their runs");
    page_note(h, "What a cell sets differently from the configuration, and the page of each run.");
    table_begin(h, TABLE_PLAIN);
    table_column(h, "Cell");
    if (about) table_column(h, "What it is");
    table_column(h, "Settings");
    table_column(h, "Runs");
    table_body(h);
    for (int i = 0; i < d->cells; i++) {
        const compare_page_cell *c = &d->cell[i];
        table_row(h, c->name);
        if (about) table_text(h, c->about);
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
    } link[] = {{"results", "Result", true}, {"setting", "Over the setting", d->line_plots > 0},
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
