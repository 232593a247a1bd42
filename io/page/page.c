#include "io/page/page.h"

#include "io/files/file.h"
#include "io/page/page_sections.h"
#include "src/base/memory.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

static void phase_table(html *h, const phases *p) {
    bool any = false;
    for (int i = 0; i < PHASE_COUNT; i++) any = any || p->phase[i].max > 0;
    if (!any) return;
    html_put(h, "<details><summary>phases</summary><table><tr><th>Phase<th class=\"n\">min, s"
                "<th class=\"n\">mean, s<th class=\"n\">max, s<th class=\"n\">slowest rank");
    for (int i = 0; i < PHASE_COUNT; i++) {
        const phase_spread *s = &p->phase[i];
        if (!(s->max > 0)) continue;
        html_print(h,
            "<tr><td>%s<td class=\"n\">%.2f<td class=\"n\">%.2f<td class=\"n\">%.2f"
            "<td class=\"n\">%d",
            phase_name((phase)i), s->min, s->mean, s->max, s->slowest);
    }
    html_put(h, "</table></details>");
}

static void stage_row(html *h, const stage_record *s, double total) {
    double width = total > 0 && isfinite(s->seconds) ? 100 * s->seconds / total : 0;
    html_put(h, "<tr><td>");
    html_text(h, s->name);
    if (s->phases) phase_table(h, s->phases);
    html_put(h, "<td class=\"n\">");
    if (isfinite(s->seconds)) html_print(h, "%.1f", s->seconds);
    html_put(h, "<td class=\"n\">");
    if (isfinite(s->fom)) {
        page_number(h, REPORT_NUMBER, s->fom);
        html_put(h, " ");
        html_text(h, s->fom_unit);
    }
    html_print(h,
        "<td class=\"bar\"><span class=\"track\"><span class=\"fill\" "
        "style=\"width:%.1f%%\"></span></span>",
        width);
}

void page_stages(html *h, const page_data *d) {
    stage_record s;
    phases spread;
    double total = 0;
    int n = 0;
    for (; run_record_stage(d->record, n, &s, &spread); n++)
        if (isfinite(s.seconds)) total += s.seconds;
    if (!n) return;
    page_section(h, "time", "Time", NULL);
    html_put(h, "<table><tr><th>Stage<th class=\"n\">Seconds<th class=\"n\">Rate"
                "<th class=\"bar\">Share");
    for (int i = 0; i < n; i++) {
        run_record_stage(d->record, i, &s, &spread);
        stage_row(h, &s, total);
    }
    html_print(
        h, "<tr class=\"total\"><td>Sum<td class=\"n\">%.1f<td><td></table></section>\n", total);
}

static void fact(html *h, const char *key, const char *text) {
    html_put(h, "<tr><td>");
    html_text(h, key);
    html_put(h, "<td class=\"value\">");
    html_text(h, text);
}

static void fact_table(html *h, const page_data *d, const char *section, const char *heading) {
    const char *key, *text;
    if (!run_record_fact(d->record, section, 0, &key, &text)) return;
    html_print(h, "<div><h3>%s</h3><table>", heading);
    for (int i = 0; run_record_fact(d->record, section, i, &key, &text); i++) fact(h, key, text);
    html_put(h, "</table></div>\n");
}

static void settings_table(html *h, const settings *s) {
    char key[128], text[SETTINGS_TEXT + 8];
    html_put(h, "<div><h3>Settings</h3><details><summary>all keys</summary><table>");
    for (int i = 0; settings_item(s, i, key, sizeof key, text, sizeof text); i++)
        fact(h, key, text);
    html_put(h, "</table></details></div>\n");
}

void page_facts(html *h, const page_data *d) {
    if (!d->settings && !d->record) return;
    page_section(h, "facts", "What it was made with", NULL);
    html_put(h, "<div class=\"grid\">");
    fact_table(h, d, "machine", "Machine and libraries");
    html_put(h, "<div>");
    fact_table(h, d, "hashes", "Hashes of results");
    if (d->settings) settings_table(h, d->settings);
    html_put(h, "</div></div></section>\n");
}

static void head(html *h, const page_data *d) {
    html_put(h, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>");
    html_text(h, d->title);
    html_put(h, "</title><style>");
    html_put(h, page_style);
    html_put(h, "</style></head><body><main>\n<header><h1>");
    html_text(h, d->title);
    html_put(h, "</h1><p class=\"note\">");
    const char *started = run_record_text(d->record, "started");
    double ranks = run_record_number(d->record, "ranks");
    double threads = run_record_number(d->record, "threads");
    if (started) html_put(h, "started ");
    html_text(h, started);
    if (isfinite(ranks) && isfinite(threads))
        html_print(h, "%s%.0f rank%s × %.0f thread%s", started ? ", " : "", ranks,
            ranks > 1 ? "s" : "", threads, threads > 1 ? "s" : "");
    html_put(h, "</p></header>\n");
}

status page_write(const char *folder, const page_data *d) {
    char path[FILE_PATH];
    html h = {0};
    status s = file_path(path, folder, "report.html");
    if (s) return s;
    head(&h, d);
    page_results(&h, d);
    page_quality(&h, d);
    page_overlays(&h, d);
    page_clusters(&h, d);
    page_predictions(&h, d);
    s = page_curves(&h, d);
    page_stages(&h, d);
    page_facts(&h, d);
    html_put(&h, "</main></body></html>\n");
    if (!s) s = h.result;
    if (!s) s = file_write(path, h.text, h.size);
    memory_free(h.text);
    return s;
}
