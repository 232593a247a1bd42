/* The section of the data set: its splits, how much of it is labelled, and how much of the labels
 * each class has. Shares are of the label maps that were counted, which may be fewer than there are
 * (dataset_summary.c); the text then says so. pixels of a split are [class_names + 1], the last
 * cell being pixels without a class. */
#include "io/page/page_sections.h"
#include "io/page/page_table.h"
#include "src/image/palette.h"

#include <math.h>
#include <stdbool.h>

enum { FOLD_FROM = 40 }; /* classes beyond which their table is folded away */

/* Also for other sections. Without the data set's own the palette of labels, whose last entry is
 * "none": hence 255. */
const uint8_t *page_colour(const page_data *d, int y) {
    return d->class_colour ? d->class_colour[y] : palette_classes()[y % 255];
}

/* A row a split. How many of the labels fine-tuning uses belongs here: few labels are the point of
 * the method. */
static void put_splits(html *h, const page_data *d) {
    table_begin(h, TABLE_PLAIN);
    table_column(h, "Split");
    table_number_column(h, "Images", NUMBER_COUNT);
    table_number_column(h, "With labels", NUMBER_COUNT);
    table_number_column(h, "Share", NUMBER_SHARE);
    table_column(h, "Height × width, pixels");
    table_body(h);
    for (int i = 0; i < d->splits; i++) {
        const page_split *s = &d->split[i];
        table_row(h, s->name);
        table_number(h, NUMBER_COUNT, s->images);
        table_number(h, NUMBER_COUNT, s->labelled);
        table_number(h, NUMBER_SHARE, s->images ? (double)s->labelled / s->images : NAN);
        table_text(h, s->sizes);
        table_row_end(h);
    }
    table_end(h);
    if (d->labelled_used < 0) return;
    html_put(h, "<p>Fine-tuning uses ");
    html_number(h, NUMBER_COUNT, d->labelled_used);
    html_put(h, d->labelled_used == 1 ? " labelled training image.</p>\n"
                                      : " labelled training images.</p>\n");
}

/* Counted pixels of a split; 0: none were counted. In double: a share needs no exact sum. */
static double pixels_of(const page_data *d, const page_split *s) {
    double sum = 0;
    for (int y = 0; s->pixels && y <= d->class_names; y++) sum += (double)s->pixels[y];
    return sum;
}

/* y = class_names: pixels without a class. A cell for each split that has counts, in the order of
 * put_classes' heads, and a bar for the first of them. */
static void put_class(html *h, const page_data *d, int y) {
    html_put(h, "<tr><th scope=\"row\">");
    if (y < d->class_names) {
        const uint8_t *c = page_colour(d, y);
        html_print(h, "<i class=\"swatch\" style=\"background:rgb(%d,%d,%d)\"></i>", (int)c[0],
            (int)c[1], (int)c[2]);
        html_text(h, d->class_name[y]);
    } else {
        html_put(h, "no class");
    }
    html_put(h, "</th>");
    /* The first split that has counts, mostly training, is what the bar shows. */
    double first = NAN;
    for (int i = 0; i < d->splits; i++) {
        double sum = pixels_of(d, &d->split[i]);
        if (!(sum > 0)) continue;
        double value = (double)d->split[i].pixels[y] / sum;
        if (isnan(first)) first = value;
        table_number(h, NUMBER_SHARE, value);
    }
    table_bar(h, first, NAN);
    table_row_end(h);
}

/* Classes by their share of pixels, void included; columns for the splits that have labels. Which
 * columns there are is asked with the same condition three times: heads and cells must agree. */
static void put_classes(html *h, const page_data *d) {
    int shown = 0, maps = 0, counted = 0;
    const char *first = NULL;
    for (int i = 0; i < d->splits; i++) {
        if (!(pixels_of(d, &d->split[i]) > 0)) continue;
        if (shown++ == 0) first = d->split[i].name;
        maps += d->split[i].labelled;
        counted += d->split[i].counted;
    }
    if (shown == 0 || d->class_names == 0) return;
    /* Folded away, a table of hundreds of classes does not push the other sections out of sight. */
    bool fold = d->class_names > FOLD_FROM;
    html_put(h, "<h3>Classes</h3>\n<p class=\"note\">Share of the pixels of the label maps");
    if (counted < maps) {
        html_put(h, ", counted on ");
        html_number(h, NUMBER_COUNT, counted);
        html_put(h, " of ");
        html_number(h, NUMBER_COUNT, maps);
        html_put(h, ", evenly spaced");
    }
    html_put(h, ".</p>\n");
    if (fold) html_print(h, "<details><summary>%d classes</summary>", d->class_names);
    table_begin(h, TABLE_PLAIN);
    table_column(h, "Class");
    for (int i = 0; i < d->splits; i++)
        if (pixels_of(d, &d->split[i]) > 0) table_number_column(h, d->split[i].name, NUMBER_SHARE);
    table_bar_column(h, first);
    table_body(h);
    for (int y = 0; y <= d->class_names; y++) put_class(h, d, y);
    table_end(h);
    if (fold) html_put(h, "</details>\n");
}

/* What the log of packing has warned of, where a reader of results sees it. */
static void put_notes(html *h, const page_data *d) {
    for (int i = 0; i < d->splits; i++) {
        const page_split *s = &d->split[i];
        if (!s->note || !s->note[0]) continue;
        html_put(h, "<p class=\"note\"><strong>Labels of ");
        html_text(h, s->name);
        html_put(h, "</strong>: ");
        html_text(h, s->note);
        html_put(h, ".</p>\n");
    }
}

void page_dataset(html *h, const page_data *d) {
    if (d->splits == 0) return;
    put_splits(h, d);
    put_notes(h, d);
    put_classes(h, d);
}
