/* The page as a whole: head, table of contents, sections in their order. A section writes into a
 * text of its own first, so that one without content leaves neither a heading nor a link. The page
 * is one file that loads nothing: it can be mailed, and still opens years later. It has no date of
 * its own: made of the same files it is the same bytes. */
#include "io/page/page.h"

#include "io/files/file.h"
#include "io/page/page_sections.h"
#include "io/page/page_shell.h"
#include "io/page/page_table.h"
#include "src/base/memory.h"

#include <stdbool.h>

/* id: what links go to, and so what bookmarks of a reader hold. */
typedef struct section {
    const char *id, *heading;
    void (*put)(html *h, const page_data *d);
} section;

/* From what came out to how it was made. */
static const section sections[] = {
    {"results", "Segmentation", page_results},
    {"data", "Data set", page_dataset},
    {"quality", "Quality of the auxiliary labels", page_quality},
    {"labels", "Auxiliary labels on images", page_overlays},
    {"clusters", "Typical patches of the clusters", page_clusters},
    {"predictions", "Predictions", page_predictions},
    {"curves", "Curves", page_curves},
    {"time", "Time and memory", page_stages},
    {"settings", "Settings", page_settings},
    {"machine", "Machine and results", page_machine},
};
enum { SECTIONS = sizeof sections / sizeof *sections };

static void put_head(html *h, const page_data *d) {
    page_begin(h, d->title);
    html_put(h, "<p class=\"note\">");
    if (run_record_text(d->record, "started")) {
        html_put(h, "started ");
        html_moment(h, run_record_text(d->record, "started"));
    }
    html_put(h, "</p></header>\n");
}

/* Links to the sections that are there. text [SECTIONS]: an empty one was left out and has no place
 * to link to. */
static void put_contents(html *h, const html *text) {
    html_put(h, "<nav aria-label=\"Contents\"><ul>");
    for (int i = 0; i < SECTIONS; i++)
        if (text[i].size > 0)
            html_print(h, "<li><a href=\"#%s\">%s</a></li>", sections[i].id, sections[i].heading);
    html_put(h, "</ul></nav>\n");
}

static void put_sections(html *h, const html *text) {
    for (int i = 0; i < SECTIONS; i++) {
        if (text[i].size == 0) continue;
        page_section(h, sections[i].id, sections[i].heading);
        html_bytes(h, text[i].text, text[i].size);
        page_section_end(h);
    }
}

/* Written at once, when all is there: file_write leaves the old page where it fails. */
status page_write(const char *folder, const page_data *d) {
    char path[FILE_PATH];
    html text[SECTIONS] = {0}, page = {0};
    bool any = false;
    status st = file_path(path, folder, "report.html");
    for (int i = 0; i < SECTIONS && st == STATUS_OK; i++) {
        /* The first failure ends the page: a part of it must not pass for the whole. */
        sections[i].put(&text[i], d);
        any = any || text[i].size > 0;
        st = text[i].result;
    }
    put_head(&page, d);
    if (any) put_contents(&page, text);
    html_put(&page, "<main>\n");
    put_sections(&page, text);
    page_end(&page);
    if (st == STATUS_OK) st = page.result;
    if (st == STATUS_OK) st = file_write(path, page.text, page.size);
    for (int i = 0; i < SECTIONS; i++) memory_free(text[i].text);
    memory_free(page.text);
    return st;
}
