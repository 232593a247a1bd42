/* Confusion matrices. Each cell is tinted by its share of the row: what a class is taken for stands
 * out. With very many classes a matrix says nothing to the eye and makes a page heavy: then the
 * largest confusions are listed instead. A matrix is [classes, classes], rows ground truth, columns
 * predictions; pixels without a class are in none of it. The counts themselves are in a file that
 * the note names: the page shows shares. */
#include "io/page/page_sections.h"
#include "io/page/page_table.h"
#include "src/base/memory.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
    MATRIX_CLASSES = 40, /* most classes of a matrix */
    LISTED = 30          /* confusions in the list that stands in for it */
};

/* Pixels that have the class. */
static int64_t row_sum(const int64_t *matrix, int classes, int y) {
    int64_t sum = 0;
    for (int j = 0; j < classes; j++) sum += matrix[(size_t)y * (size_t)classes + (size_t)j];
    return sum;
}

/* NAN where the class does not occur. In double, though counts may be beyond 2^53: a share is shown
 * in tenths of per cent. */
static double share(int64_t part, int64_t whole) {
    return whole > 0 ? (double)part / (double)whole : NAN;
}

/* The tint is the style's, from the share in --v; cells that would stay white carry none, which
 * halves a matrix of many classes. 0.0005 is where a share begins to be shown as 0.1 %. */
static void put_cell(html *h, double value) {
    html_put(h, "<td class=\"n\"");
    if (value >= 0.0005) {
        html_put(h, " style=\"--v:");
        html_fixed(h, value, 2);
        html_put(h, "\"");
    }
    html_put(h, ">");
    html_number(h, NUMBER_SHARE, value);
    html_put(h, "</td>");
}

/* Shares of the rows: what happens to each class, however rare it is. The sums tell how rare. */
static void put_matrix(html *h, const page_data *d, const int64_t *matrix) {
    int classes = d->class_names;
    table_begin(h, TABLE_MATRIX);
    table_column(h, "Ground truth");
    for (int j = 0; j < classes; j++) table_number_column(h, d->class_name[j], NUMBER_PLAIN);
    table_number_column(h, "pixels", NUMBER_COUNT);
    table_body(h);
    for (int i = 0; i < classes; i++) {
        int64_t sum = row_sum(matrix, classes, i);
        table_row(h, d->class_name[i]);
        for (int j = 0; j < classes; j++)
            put_cell(h, share(matrix[(size_t)i * (size_t)classes + (size_t)j], sum));
        table_number(h, NUMBER_COUNT, (double)sum);
        table_row_end(h);
    }
    table_end(h);
}

/* A cell beside the diagonal. */
typedef struct confused {
    int64_t pixels;
    int truth, prediction;
} confused;

/* The larger first, then by place. Ties are settled, so that the same matrix gives the same list.
 */
static int compare(const void *a, const void *b) {
    const confused *p = a, *q = b;
    if (p->pixels != q->pixels) return p->pixels > q->pixels ? -1 : 1;
    if (p->truth != q->truth) return p->truth < q->truth ? -1 : 1;
    return p->prediction < q->prediction ? -1 : 1;
}

/* Every cell beside the diagonal that has pixels, sorted; the first of them are shown. Sums of rows
 * are asked again for each line: LISTED times the classes is little beside the sort. */
static void put_list(html *h, const page_data *d, const int64_t *matrix) {
    size_t classes = (size_t)d->class_names;
    int n = 0;
    confused *list = memory_alloc(classes * classes, sizeof *list, "confusions");
    if (!list) {
        html_fail(h, STATUS_FAILED);
        return;
    }
    for (int i = 0; i < d->class_names; i++)
        for (int j = 0; j < d->class_names; j++) {
            int64_t pixels = matrix[(size_t)i * classes + (size_t)j];
            if (i != j && pixels > 0) list[n++] = (confused){pixels, i, j};
        }
    qsort(list, (size_t)n, sizeof *list, compare);
    table_begin(h, TABLE_PLAIN);
    table_column(h, "Ground truth");
    table_column(h, "Prediction");
    table_number_column(h, "Of the class", NUMBER_SHARE);
    table_number_column(h, "Pixels", NUMBER_COUNT);
    table_body(h);
    for (int i = 0; i < n && i < LISTED; i++) {
        const confused *c = &list[i];
        table_row(h, d->class_name[c->truth]);
        table_text(h, d->class_name[c->prediction]);
        table_number(h, NUMBER_SHARE, share(c->pixels, row_sum(matrix, d->class_names, c->truth)));
        table_number(h, NUMBER_COUNT, (double)c->pixels);
        table_row_end(h);
    }
    table_end(h);
    memory_free(list);
}

static void put_note(html *h, const page_confusion *c, bool whole) {
    html_put(h, "<p class=\"note\">");
    html_put(h, whole
                    ? "Of the pixels that have the row&#39;s class, the share that is predicted "
                      "to have the column&#39;s, %."
                    : "Of the pixels that have a class, those that are predicted to have another; "
                      "the most first.");
    if (c->file) {
        html_put(h, " The counts are in ");
        html_text(h, c->file);
        html_put(h, ".");
    }
    html_put(h, "</p>\n");
}

/* The first model's stands open, others are folded away: with two of them side by side neither
 * fits. */
void page_confusions(html *h, const page_data *d) {
    bool whole = d->class_names <= MATRIX_CLASSES;
    for (int i = 0; i < d->confusions; i++) {
        const page_confusion *c = &d->confusion[i];
        if (i == 0)
            html_put(h, "<h3>Confusion: ");
        else
            html_put(h, "<details><summary>Confusion: ");
        html_text(h, c->title);
        html_put(h, i == 0 ? "</h3>\n" : "</summary>\n");
        put_note(h, c, whole);
        if (whole)
            put_matrix(h, d, c->matrix);
        else
            put_list(h, d, c->matrix);
        if (i > 0) html_put(h, "</details>\n");
    }
}
