/* The section of time: each stage of the run, with its phases over the ranks. */
#include "io/page/page_sections.h"
#include "io/page/page_table.h"

#include <math.h>

static void put_phases(html *h, const phases *p) {
    bool any = false;
    for (int i = 0; i < PHASE_COUNT; i++) any = any || p->phase[i].max > 0;
    if (!any) return;
    html_put(h, "<details><summary>phases</summary>");
    table_begin(h, TABLE_PLAIN);
    table_column(h, "Phase");
    table_number_column(h, "min, s", NUMBER_SECONDS);
    table_number_column(h, "mean, s", NUMBER_SECONDS);
    table_number_column(h, "max, s", NUMBER_SECONDS);
    table_number_column(h, "slowest rank", NUMBER_COUNT);
    table_body(h);
    for (int i = 0; i < PHASE_COUNT; i++) {
        const phase_spread *s = &p->phase[i];
        if (!(s->max > 0)) continue;
        table_row(h, phase_name((phase)i));
        table_number(h, NUMBER_SECONDS, s->min);
        table_number(h, NUMBER_SECONDS, s->mean);
        table_number(h, NUMBER_SECONDS, s->max);
        table_number(h, NUMBER_COUNT, s->slowest);
        table_row_end(h);
    }
    table_end(h);
    html_put(h, "</details>");
}

static void put_stage(html *h, const stage_record *s, double total) {
    html_put(h, "<tr><th scope=\"row\">");
    html_text(h, s->name);
    if (s->phases) put_phases(h, s->phases);
    html_put(h, "</th>");
    table_number(h, NUMBER_SECONDS, s->seconds);
    html_put(h, "<td class=\"n\">");
    if (isfinite(s->fom)) {
        html_number(h, NUMBER_PLAIN, s->fom);
        html_put(h, " ");
        html_text(h, s->fom_unit);
    }
    html_put(h, "</td>");
    table_bar(h, total > 0 && isfinite(s->seconds) ? s->seconds / total : NAN, NAN);
    table_row_end(h);
}

void page_stages(html *h, const page_data *d) {
    stage_record s;
    phases spread;
    double total = 0;
    int n = 0;
    for (; run_record_stage(d->record, n, &s, &spread); n++)
        if (isfinite(s.seconds)) total += s.seconds;
    if (!n) return;
    table_begin(h, TABLE_PLAIN);
    table_column(h, "Stage");
    table_number_column(h, "Seconds", NUMBER_SECONDS);
    table_number_column(h, "Rate", NUMBER_PLAIN);
    table_bar_column(h, "Share");
    table_body(h);
    for (int i = 0; i < n; i++) {
        run_record_stage(d->record, i, &s, &spread);
        put_stage(h, &s, total);
    }
    html_put(h, "<tr class=\"total\"><th scope=\"row\">Sum</th>");
    table_number(h, NUMBER_SECONDS, total);
    html_put(h, "<td></td><td class=\"bar\"></td></tr>\n");
    table_end(h);
}
