/* The last sections: with which settings, on which machine, and hashes of what came out. Who wants
 * to make a run again finds here all that it needs; who compares two runs finds the hashes. Texts
 * are shown as code, which may break anywhere: paths and hashes are long. */
#include "io/page/page_sections.h"
#include "io/page/page_table.h"
#include "src/base/memory.h"

#include <stdbool.h>
#include <string.h>

enum { KEY = 128, VALUE = SETTINGS_TEXT + 8 };

/* A table of two columns of texts. */
static void begin_facts(html *h, const char *name, const char *value) {
    table_begin(h, TABLE_PLAIN);
    table_column(h, name);
    table_column(h, value);
    table_body(h);
}

static void put_fact(html *h, const char *name, const char *text) {
    table_row(h, name);
    table_code(h, text);
    table_row_end(h);
}

/* Those that differ, with their defaults. Returns how many there are in all. The table begins with
 * the first that differs. Texts are compared as they would be written to a file, so that 0.10 and
 * 0.1 are the same. */
static int put_changed(html *h, const settings *s, const settings *defaults) {
    char key[KEY], text[VALUE], usual[VALUE];
    int n = 0, changed = 0;
    for (; settings_item(s, n, key, sizeof key, text, sizeof text); n++) {
        settings_item(defaults, n, key, sizeof key, usual, sizeof usual);
        if (strcmp(text, usual) == 0) continue;
        if (changed++ == 0) {
            table_begin(h, TABLE_PLAIN);
            table_column(h, "Setting");
            table_column(h, "Value");
            table_column(h, "Default");
            table_body(h);
        }
        table_row(h, key);
        table_code(h, text);
        table_code(h, usual);
        table_row_end(h);
    }
    if (changed > 0)
        table_end(h);
    else
        html_put(h, "<p>All settings are the defaults.</p>\n");
    return n;
}

/* A stage's setting as it is in this start; false: this version has none of that name. text
 * [VALUE].
 */
static bool find_setting(const settings *s, const char *name, char *text) {
    char key[KEY];
    for (int i = 0; settings_item(s, i, key, sizeof key, text, VALUE); i++)
        if (strcmp(key, name) == 0) return true;
    return false;
}

/* A row a setting with which a stage was made and which it would not be made with now, by `own`:
 * the table begins with the first. Returns how many rows there are then. */
static int put_stage_differences(
    html *h, const page_data *d, const settings *own, const char *stage, int rows) {
    const char *key, *text;
    char now[VALUE];
    for (int i = 0; run_record_stage_setting(d->record, stage, i, &key, &text); i++) {
        if (find_setting(own, key, now) && strcmp(now, text) == 0) continue;
        if (rows++ == 0) {
            html_put(h, "<h3>Stages that were made with other settings</h3>\n"
                        "<p class=\"note\">A stage that was not done anew keeps what it was made "
                        "with.</p>\n");
            table_begin(h, TABLE_PLAIN);
            table_column(h, "Stage");
            table_column(h, "Setting");
            table_column(h, "Then");
            table_column(h, "Now");
            table_body(h);
        }
        table_row(h, stage);
        table_code(h, key);
        table_code(h, text);
        table_code(h, find_setting(own, key, now) ? now : "");
        table_row_end(h);
    }
    return rows;
}

/* own: memory for the settings of a stage. */
static void put_differences(html *h, const page_data *d, settings *own) {
    stage_record s;
    int rows = 0;
    for (int i = 0; run_record_stage(d->record, i, &s, NULL); i++) {
        *own = *d->settings;
        if (d->derive) d->derive(own, s.name);
        rows = put_stage_differences(h, d, own, s.name, rows);
    }
    if (rows > 0) table_end(h);
}

/* What somebody has chosen comes first; all the rest is there, but folded away. The defaults are
 * read as for a run without a file: one place says what they are. */
void page_settings(html *h, const page_data *d) {
    char key[KEY], text[VALUE];
    if (!d->settings) return;
    settings *defaults = memory_alloc(1, sizeof *defaults, "settings");
    status st = defaults ? settings_read(defaults, NULL, NULL, 0) : STATUS_FAILED;
    if (st == STATUS_OK) {
        html_put(h, "<p class=\"note\">What differs from the defaults.</p>\n");
        int n = put_changed(h, d->settings, defaults);
        put_differences(h, d, defaults);
        html_print(h, "<details><summary>all %d settings</summary>", n);
        begin_facts(h, "Setting", "Value");
        for (int i = 0; settings_item(d->settings, i, key, sizeof key, text, sizeof text); i++)
            put_fact(h, key, text);
        table_end(h);
        html_put(h, "</details>\n");
    }
    html_fail(h, st);
    memory_free(defaults);
}

/* A section of run.json as a table, if it has anything. Name and text come as run.json has them:
 * nothing is translated, so that a reader finds them there again. */
static void put_facts(html *h, const page_data *d, const char *section, const char *heading) {
    const char *key, *text;
    if (!run_record_fact(d->record, section, 0, &key, &text)) return;
    html_print(h, "<div><h3>%s</h3>\n", heading);
    begin_facts(h, "Name", "Value");
    for (int i = 0; run_record_fact(d->record, section, i, &key, &text); i++)
        put_fact(h, key, text);
    table_end(h);
    html_put(h, "</div>\n");
}

/* What a result's bits may depend on besides the settings, and what to compare them by. */
static const struct {
    const char *section, *heading; /* of run.json; of the page */
} lists[] = {{"machine", "Machine and libraries"}, {"arithmetic", "Arithmetic"},
    {"hashes", "Hashes of results"}};
enum { LISTS = sizeof lists / sizeof *lists };

/* Sections that run.json of an older version lacks are left out by themselves. */
void page_machine(html *h, const page_data *d) {
    const char *key, *text;
    bool any = false;
    for (int i = 0; i < LISTS; i++)
        any = any || run_record_fact(d->record, lists[i].section, 0, &key, &text);
    if (!any) return;
    html_put(h, "<div class=\"grid\">");
    for (int i = 0; i < LISTS; i++) put_facts(h, d, lists[i].section, lists[i].heading);
    html_put(h, "</div>\n");
}
