/* The comparison as it is read first: a line a cell, figures of quality in points of a hundred. An
 * interval that holds zero shows nothing, however large its middle: it stands beside every
 * difference, and where one seed alone was run there is none. */
#include "src/app/compare/compare_csv.h"
#include "src/app/compare/compare_notes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A number, or a dash: text [16]. */
static const char *number(char *text, const char *format, double value) {
    if (isfinite(value))
        snprintf(text, 16, format, value);
    else
        strcpy(text, "-");
    return text;
}

static void print_gain(const compare_results *r, const compare_cell *cell) {
    const interval *g = &cell->gain;
    if (cell->reference < 0) {
        printf("  %-28s", cell->referred ? "reference" : "-");
        return;
    }
    char text[64];
    if (isfinite(g->low))
        snprintf(text, sizeof text, "%+.2f [%+.2f, %+.2f] n=%d", 100 * g->mean, 100 * g->low,
            100 * g->high, g->n);
    else if (g->n > 0)
        snprintf(text, sizeof text, "%+.2f [no interval] n=%d", 100 * g->mean, g->n);
    else
        strcpy(text, "-");
    /* The reference is named where there are several. */
    const char *name = r->cell[cell->reference].name;
    for (int i = 0; i < r->cells; i++)
        if (r->cell[i].referred && i != cell->reference) {
            printf("  %-28s to %s", text, name);
            return;
        }
    printf("  %-28s", text);
}

/* "failed with 5 (seeds 1, 2)" would need a list for each code: the first says enough, and the log
 * and compare.csv have all. */
static void print_missing(const compare_cell *cell) {
    int missing = 0, failed = 0, code = 0;
    for (int i = 0; i < cell->runs; i++) {
        missing += cell->run[i].code == COMPARE_UNFINISHED;
        if (cell->run[i].code <= 0) continue;
        if (failed++ == 0) code = cell->run[i].code;
    }
    if (failed > 0) printf("  %d failed (code %d)", failed, code);
    if (missing > 0) printf("  %d not finished", missing);
}

static void print_notes(const compare_results *r) {
    char text[COMPARE_NOTE];
    for (int i = 0; i < r->cells; i++) {
        compare_note_best(&r->cell[i], text);
        if (text[0]) puts(text);
    }
    compare_note_images(r, text);
    if (text[0]) puts(text);
}

void compare_table_print(const compare_results *r) {
    int width = 4;
    char a[16], b[16], c[16], d[16], e[16];
    for (int i = 0; i < r->cells; i++)
        if ((int)strlen(r->cell[i].name) > width) width = (int)strlen(r->cell[i].name);
    printf("\n%s: %s\n", r->name, r->about);
    printf("%-*s   n   mIoU  deviation  %-28s  seconds  images: contrastive  fine-tuning\n", width,
        "cell", "gain, 95 % interval");
    for (int i = 0; i < r->cells; i++) {
        const compare_cell *cell = &r->cell[i];
        printf("%-*s  %2d  %5s  %9s", width, cell->name, cell->miou.n,
            number(a, "%.2f", 100 * cell->miou.mean),
            number(b, "%.2f", 100 * cell->miou.deviation));
        print_gain(r, cell);
        printf("  %7s  %19s  %11s", number(c, "%.1f", cell->seconds),
            number(d, "%.0f", cell->contrastive_images), number(e, "%.0f", cell->finetune_images));
        print_missing(cell);
        putchar('\n');
    }
    print_notes(r);
    for (int k = 0; k < COMPARE_SCORES; k++) {
        const rank_correlation *p = &r->predicts[k];
        if (p->pairs < COMPARE_CELLS_FROM || !isfinite(p->rho)) continue;
        printf("score %-13s with mIoU over %d cells: Spearman %+.3f", compare_score_names[k],
            p->pairs, p->rho);
        if (isfinite(p->low)) printf(", 95 %% interval [%+.3f, %+.3f]", p->low, p->high);
        putchar('\n');
    }
    fflush(stdout);
}
