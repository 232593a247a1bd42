/* What a comparison is for a reader: the page's data, put together from the same figures as
 * compare.csv and the table. Shares become points of a hundred here, once. Everything that the page
 * borrows is in `content` until it is written. Links are relative, so that the folder can be copied
 * to another machine as a whole. */
#include "src/app/compare/compare_report.h"

#include "io/files/file.h"
#include "io/page/compare_page.h"
#include "src/app/compare/compare_notes.h"
#include "src/app/compare/compare_plots.h"
#include "src/app/compare/labellings.h"
#include "src/app/compare/relative.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    TEXT = 500,
    NAME = 32 /* "seed 18446744073709551615" */
};

/* Arrays of all runs of all cells, unless another size stands there. */
typedef struct content {
    const compare_results *r;
    compare_page page;
    compare_page_cell *cell; /* [cells] */
    compare_page_run *run;
    char (*name)[NAME];
    char (*address)[FILE_PATH];
    char (*failure)[NAME];
    char (*words)[TEXT]; /* [cells], what is said of them */
    double *point;       /* gains */
    compare_plots plots;
    labellings pictures;
    char title[TEXT], about[2 * TEXT];
} content;

static int all_runs(const compare_results *r) {
    int n = 0;
    for (int i = 0; i < r->cells; i++) n += r->cell[i].runs;
    return n;
}

static status content_create(content *g, const compare_results *r) {
    size_t runs = (size_t)all_runs(r);
    g->r = r;
    g->cell = memory_alloc((size_t)r->cells, sizeof *g->cell, "page");
    g->run = memory_alloc(runs, sizeof *g->run, "page");
    g->name = memory_alloc(runs, sizeof *g->name, "page");
    g->address = memory_alloc(runs, sizeof *g->address, "page");
    g->failure = memory_alloc(runs, sizeof *g->failure, "page");
    g->point = memory_alloc(runs, sizeof *g->point, "page");
    g->words = memory_alloc((size_t)r->cells, sizeof *g->words, "page");
    return g->words && g->cell && g->run && g->name && g->address && g->failure && g->point
               ? STATUS_OK
               : STATUS_FAILED;
}

static void content_destroy(content *g) {
    memory_free(g->cell);
    memory_free(g->run);
    memory_free(g->name);
    memory_free(g->address);
    memory_free(g->failure);
    memory_free(g->point);
    memory_free(g->words);
    compare_plots_destroy(&g->plots);
    labellings_destroy(&g->pictures);
}

static const char *failure_of(const compare_run *run, char *text) {
    if (run->code == STATUS_OK) return NULL;
    if (run->code == COMPARE_UNFINISHED)
        snprintf(text, NAME, "not finished");
    else
        snprintf(text, NAME, "failed with %d", run->code);
    return text;
}

/* first: the place of the cell's runs among those of all cells. */
static status fill_runs(content *g, const compare_cell *c, int first) {
    char path[FILE_PATH];
    for (int k = 0; k < c->runs; k++) {
        const compare_run *run = &c->run[k];
        int at = first + k;
        status st = file_path(path, run->folder, "report.html");
        if (st != STATUS_OK) return st;
        bool there = file_exists(path);
        if (there) relative_path(g->address[at], g->r->folder, path);
        snprintf(g->name[at], NAME, "seed %lld", (long long)run->seed);
        g->run[at] = (compare_page_run){.name = g->name[at],
            .address = there ? g->address[at] : NULL,
            .failure = failure_of(run, g->failure[at])};
        g->point[at] = 100 * run->gain;
    }
    return STATUS_OK;
}

/* What the plan says of a cell, and whether it is the best of its group: text [TEXT]. */
static const char *words_of(const compare_cell *c, char *text) {
    char best[COMPARE_NOTE];
    compare_note_best(c, best);
    snprintf(text, TEXT, "%.200s%s%s", c->about, best[0] && c->about[0] ? "; " : "", best);
    return text;
}

static status fill_cells(content *g) {
    const compare_results *r = g->r;
    for (int i = 0, first = 0; i < r->cells; first += r->cell[i++].runs) {
        const compare_cell *c = &r->cell[i];
        const char *reference = c->reference >= 0 ? r->cell[c->reference].name : NULL;
        status st = fill_runs(g, c, first);
        if (st != STATUS_OK) return st;
        g->cell[i] = (compare_page_cell){.name = c->name,
            .about = words_of(c, g->words[i]),
            .settings = c->settings,
            .reference = reference,
            .referred = c->referred,
            .miou = 100 * c->miou.mean,
            .deviation = 100 * c->miou.deviation,
            .results = c->miou.n,
            .gain = compare_percent(c->gain),
            .point = g->point + first,
            .score = 100 * c->score[COMPARE_PLOTTED],
            .seconds = c->seconds,
            .contrastive_images = c->contrastive_images,
            .finetune_images = c->finetune_images,
            .run = g->run + first,
            .runs = c->runs};
    }
    g->page.cell = g->cell;
    g->page.cells = r->cells;
    return STATUS_OK;
}

/* Of each cell the first run that has not failed; which of them has labels is seen there. */
static int pick_runs(const compare_results *r, labelling_run *run) {
    int n = 0;
    for (int i = 0; i < r->cells; i++)
        for (int k = 0; k < r->cell[i].runs; k++) {
            if (r->cell[i].run[k].code != STATUS_OK) continue;
            run[n++] = (labelling_run){r->cell[i].name, r->cell[i].run[k].folder};
            break;
        }
    return n;
}

/* Images at the scale that the first of the runs has seen them in. Where files of a run are missing
 * or damaged the page has no pictures: its figures need none of them. */
static status fill_pictures(content *g) {
    char path[FILE_PATH];
    settings *s = memory_alloc(1, sizeof *s, "settings");
    labelling_run *run = memory_alloc((size_t)g->r->cells, sizeof *run, "page");
    status st = s && run ? STATUS_OK : STATUS_FAILED;
    int n = st == STATUS_OK ? pick_runs(g->r, run) : 0;
    if (n > 0) {
        st = file_path(path, run[0].folder, "settings.cfg");
        if (st == STATUS_OK) st = settings_read(s, path, NULL, 0);
        if (st == STATUS_OK) st = labellings_create(&g->pictures, s, run, n);
        if (st != STATUS_OK && st != STATUS_FAILED) {
            log_warn("%s: the page is written without pictures of labellings", g->r->folder);
            labellings_destroy(&g->pictures);
            st = STATUS_OK;
        }
    }
    memory_free(run);
    memory_free(s);
    g->page.strip = g->pictures.strip;
    g->page.strips = g->pictures.strips;
    g->page.strip_note =
        "The same images under the labels of each cell that has any. First each label in its own "
        "colour, which means the same within one cell alone; then each cluster in the colour of "
        "its commonest class. Outliers and pixels without a class are darkened.";
    return st;
}

static status fill_plots(content *g) {
    compare_plots *p = &g->plots;
    status st = compare_plots_create(p, g->r);
    g->page.scatter = p->scatter;
    g->page.scatter_note = p->scatter_note;
    g->page.correlation = p->correlation;
    g->page.correlations = p->correlations;
    g->page.lines = p->lines;
    g->page.line_plots = p->line_plots;
    return st;
}

/* What is said of all cells and runs. */
static void fill_texts(content *g, const char *command) {
    const compare_results *r = g->r;
    int missing = 0;
    for (int i = 0; i < r->cells; i++)
        for (int k = 0; k < r->cell[i].runs; k++) missing += r->cell[i].run[k].code != STATUS_OK;
    snprintf(g->title, TEXT, "auxseg compare: %.200s", r->name);
    const char *about = r->about ? r->about : "";
    int n = snprintf(g->about, sizeof g->about, "%.400s%s%d cells, %d runs.", about,
        *about ? ". " : "", r->cells, all_runs(r));
    if (missing > 0)
        snprintf(g->about + n, sizeof g->about - (size_t)n, " %d of them have no result.", missing);
    char images[COMPARE_NOTE];
    n = (int)strlen(g->about);
    compare_note_images(r, images);
    if (images[0])
        snprintf(
            g->about + n, sizeof g->about - (size_t)n, " %c%s.", toupper(images[0]), images + 1);
    g->page.title = g->title;
    g->page.about = g->about;
    g->page.score = compare_plotted;
    g->page.command = command;
    g->page.command_note = "What is done is not done again: the same line does what is missing.";
}

status compare_report_write(const compare_results *r, const char *command) {
    char path[FILE_PATH];
    content g = {0};
    status st = content_create(&g, r);
    if (st == STATUS_OK) st = file_path(path, r->folder, "compare.html");
    if (st == STATUS_OK) st = fill_cells(&g);
    if (st == STATUS_OK) st = fill_plots(&g);
    if (st == STATUS_OK) st = fill_pictures(&g);
    fill_texts(&g, command);
    if (st == STATUS_OK) st = compare_page_write(path, &g.page);
    content_destroy(&g);
    return st;
}
