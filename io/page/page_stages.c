/* The section of time and memory: a row a stage, and below, folded away, its phases over the ranks
 * and every start of the run.
 *
 * All of it comes from run.json: stages as they were recorded last, starts as they happened. A
 * stage that was skipped in the last start stands with the time of the start that did it, so the
 * sum is the work in the folder, not the time that anybody waited. What an older version has not
 * recorded is a dash. */
#include "io/page/page_sections.h"
#include "io/page/page_table.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

enum { STARTS_SHOWN = 10, NAME = 160 }; /* more starts are folded away */

/* "4 × 8 × 2"; a dash where an older version has not recorded it. */
static void put_place(html *h, const run_place *p) {
    html_put(h, "<td class=\"n\">");
    if (p->ranks > 0)
        html_print(h, "%d × %d × %d", p->nodes, p->ranks, p->threads);
    else
        html_number(h, NUMBER_COUNT, NAN);
    html_put(h, "</td>");
}

/* By what the slowest rank takes longer than the mean one, phase by phase. The exchange is left
 * out: the other ranks' waiting is a part of it. Phases are summed before they are divided: a phase
 * of milliseconds with a bad ratio must not stand out. NAN for one rank, which has nobody to wait
 * for. */
static double imbalance_of(const stage_record *s) {
    double most = 0, mean = 0;
    if (!s->phases || s->place.ranks < 2) return NAN;
    for (int i = 0; i < PHASE_COUNT; i++) {
        if (i == PHASE_EXCHANGE || !(s->phases->phase[i].max > 0)) continue;
        most += s->phases->phase[i].max;
        mean += s->phases->phase[i].mean;
    }
    return mean > 0 ? most / mean - 1 : NAN;
}

/* "extract (within cluster)": name [NAME]. Cut to fit: names of stages are short. */
static void name_stage(const stage_record *s, char *name) {
    if (s->within)
        snprintf(name, NAME, "%.64s (within %.64s)", s->name, s->within);
    else
        snprintf(name, NAME, "%.64s", s->name);
}

/* A stage within another has its own row; its time is not in the other's. The rate is the stage's
 * figure of merit; units differ, so each cell has its own. total: seconds of all rows, for the bar.
 */
static void put_stage(html *h, const stage_record *s, double total) {
    char name[NAME];
    name_stage(s, name);
    table_row(h, name);
    table_number(h, NUMBER_SECONDS, s->seconds);
    table_number(h, NUMBER_SHARE, imbalance_of(s));
    table_number(h, NUMBER_COUNT, s->peak_memory);
    put_place(h, &s->place);
    html_put(h, "<td class=\"n\">");
    html_number(h, NUMBER_PLAIN, s->fom);
    if (isfinite(s->fom) && s->fom_unit) {
        html_put(h, " ");
        html_text(h, s->fom_unit);
    }
    html_put(h, "</td>");
    table_moment(h, s->started);
    table_bar(h, total > 0 && isfinite(s->seconds) ? s->seconds / total : NAN, NAN);
    table_row_end(h);
}

/* The table of n stages. The last row leaves cells empty that cannot be summed. */
static void put_stages(html *h, const page_data *d, int n, double total) {
    stage_record s;
    phases spread;
    table_begin(h, TABLE_WIDE);
    table_column(h, "Stage");
    table_number_column(h, "Seconds", NUMBER_SECONDS);
    table_number_column(h, "Imbalance", NUMBER_SHARE);
    table_number_column(h, "Peak memory, MiB", NUMBER_COUNT);
    table_number_column(h, "Nodes × ranks × threads", NUMBER_COUNT);
    table_number_column(h, "Rate", NUMBER_PLAIN);
    table_column(h, "Started");
    table_bar_column(h, "Share of time");
    table_body(h);
    for (int i = 0; i < n; i++) {
        run_record_stage(d->record, i, &s, &spread);
        put_stage(h, &s, total);
    }
    html_put(h, "<tr class=\"total\"><th scope=\"row\">Sum</th>");
    table_number(h, NUMBER_SECONDS, total);
    html_put(h, "<td></td><td></td><td></td><td></td><td></td><td class=\"bar\"></td></tr>\n");
    table_end(h);
}

/* Returns how many rows there are; h NULL: counts only. One function counts and writes, so that a
 * table is begun exactly where it gets rows. Phases that took no time on any rank are left out. */
static int put_phases(html *h, const stage_record *s) {
    char name[NAME];
    int n = 0;
    name_stage(s, name);
    for (int i = 0; s->phases && i < PHASE_COUNT; i++) {
        const phase_spread *p = &s->phases->phase[i];
        if (!(p->max > 0)) continue;
        n++;
        if (!h) continue;
        table_row(h, name);
        table_text(h, phase_name((phase)i));
        table_number(h, NUMBER_SECONDS, p->min);
        table_number(h, NUMBER_SECONDS, p->mean);
        table_number(h, NUMBER_SECONDS, p->max);
        table_number(h, NUMBER_COUNT, p->slowest);
        table_row_end(h);
    }
    return n;
}

/* One table for all stages, folded away: it is for those who look for what to make faster. */
static void put_all_phases(html *h, const page_data *d, int stages) {
    stage_record s;
    phases spread;
    int rows = 0;
    for (int i = 0; i < stages; i++)
        if (run_record_stage(d->record, i, &s, &spread)) rows += put_phases(NULL, &s);
    if (rows == 0) return;
    html_put(h, "<details><summary>Phases of the stages, over ranks</summary>\n");
    table_begin(h, TABLE_PLAIN);
    table_column(h, "Stage");
    table_column(h, "Phase");
    table_number_column(h, "Min, s", NUMBER_SECONDS);
    table_number_column(h, "Mean, s", NUMBER_SECONDS);
    table_number_column(h, "Max, s", NUMBER_SECONDS);
    table_number_column(h, "Slowest rank", NUMBER_COUNT);
    table_body(h);
    for (int i = 0; i < stages; i++)
        if (run_record_stage(d->record, i, &s, &spread)) put_phases(h, &s);
    table_end(h);
    html_put(h, "</details>\n");
}

/* How a start ended. last: the one that writes this page, unless it has an end. A start that was
 * killed has no end, as nobody was left to write it. */
static void put_end(html *h, const start_record *s, bool last) {
    html_put(h, "<td class=\"moment\">");
    if (!s->ended)
        html_put(h, last ? "wrote this page" : "no end is recorded");
    else if (s->exit_code == STATUS_STOPPED)
        html_put(h, "stopped early, state saved");
    else
        html_text(h, status_text((status)s->exit_code));
    html_put(h, "</td>");
}

/* Two rows: the command may be long. The upper row's line below is left out by the style, so that
 * both read as one. */
static void put_start(html *h, const start_record *s, bool last) {
    html_put(h, "<tr class=\"upper\"><th scope=\"row\" class=\"moment\">");
    html_moment(h, s->started);
    html_put(h, "</th>");
    table_number(h, NUMBER_SECONDS, s->ended ? s->seconds : NAN);
    table_number(h, NUMBER_COUNT, s->ended ? s->peak_memory : NAN);
    put_place(h, &s->place);
    put_end(h, s, last);
    table_text(h, s->job ? s->job : "\xE2\x80\x93");
    table_code(h, s->place.hosts);
    html_put(h, "<td class=\"value\">");
    html_text(h, s->version);
    if (s->commit) html_put(h, " ");
    html_text(h, s->commit);
    html_put(h, "</td></tr>\n<tr><td colspan=\"8\" class=\"value\">");
    html_text(h, s->command);
    html_put(h, "</td></tr>\n");
}

/* The history of the run's folder. A chain of jobs that stop and go on has many starts. In the
 * order in which they began. The job's number and hosts are for those who look for its log. */
static void put_starts(html *h, const page_data *d) {
    start_record s;
    int n = 0;
    while (run_record_start(d->record, n, &s)) n++;
    if (n == 0) return;
    bool fold = n > STARTS_SHOWN;
    if (fold)
        html_print(h, "<details><summary>%d starts</summary>\n", n);
    else
        html_put(h, "<h3>Starts</h3>\n");
    table_begin(h, TABLE_PLAIN);
    table_column(h, "Started, command");
    table_number_column(h, "Seconds", NUMBER_SECONDS);
    table_number_column(h, "Peak memory, MiB", NUMBER_COUNT);
    table_number_column(h, "Nodes × ranks × threads", NUMBER_COUNT);
    table_column(h, "Ended");
    table_column(h, "Job");
    table_column(h, "Hosts");
    table_column(h, "Version");
    table_body(h);
    for (int i = 0; i < n; i++)
        if (run_record_start(d->record, i, &s)) put_start(h, &s, i == n - 1);
    table_end(h);
    if (fold) html_put(h, "</details>\n");
}

/* Stages are counted before the table begins, as the bars need the sum. */
void page_stages(html *h, const page_data *d) {
    stage_record s;
    double total = 0;
    int n = 0;
    for (; run_record_stage(d->record, n, &s, NULL); n++)
        if (isfinite(s.seconds)) total += s.seconds;
    if (n > 0) {
        html_put(h, "<p class=\"note\">Imbalance: by how much longer the slowest rank works than "
                    "the mean one, summed over the phases, exchanges left out. Peak memory: of the "
                    "rank that held most.</p>\n");
        put_stages(h, d, n, total);
        put_all_phases(h, d, n);
    }
    put_starts(h, d);
}
