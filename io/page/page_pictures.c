/* The sections of pictures: overlays, predictions, and the patches of the clusters. Colours never
 * come without names beside them, pictures never without words. How a picture and a strip of them
 * are written is page_strip.c's. */
#include "io/page/page_sections.h"
#include "io/page/page_shell.h"
#include "io/page/page_strip.h"

enum { FOLD_AFTER = 15 }; /* clusters beyond are folded away */

/* Colours of the classes. Names beside colours, since colours alone are not told apart by
 * everybody. */
static void put_legend(html *h, const page_data *d) {
    if (!d->class_names) return;
    html_put(h, "<p class=\"legend\">Classes: ");
    for (int y = 0; y < d->class_names; y++) {
        const uint8_t *c = page_colour(d, y);
        html_print(
            h, "<span><i style=\"background:rgb(%d,%d,%d)\"></i>", (int)c[0], (int)c[1], (int)c[2]);
        html_text(h, d->class_name[y]);
        html_put(h, "</span> ");
    }
    html_put(h, "</p>\n");
}

/* Colours alone do not show what is not there. */
static void put_empty_clusters(html *h, const page_data *d) {
    if (d->empty_clusters < 0) return;
    html_print(h, "<p class=\"note\">Clusters without a pixel: %d of %d.", d->empty_clusters,
        d->all_clusters);
    if (d->all_clusters > 1 && d->empty_clusters == d->all_clusters - 1)
        html_put(h,
            " <strong>One cluster has all pixels that have a label: positives and negatives "
            "of such labels say nothing.</strong>");
    html_put(h, "</p>\n");
}

void page_overlays(html *h, const page_data *d) {
    if (!d->overlays) return;
    page_note(h, d->overlay_note);
    put_empty_clusters(h, d);
    put_legend(h, d);
    page_strips(h, d->overlay, d->overlays);
}

void page_predictions(html *h, const page_data *d) {
    if (!d->predictions) return;
    put_legend(h, d);
    page_strips(h, d->prediction, d->predictions);
}

/* The square is placed in shares of the patch, so that it fits at any size. In per cent with one
 * decimal: a patch is shown some 80 pixels wide. */
static void put_patch(html *h, const page_patch *p) {
    /* What stands before each number of the square's style; markup of our own. */
    const struct {
        const char *before;
        double share;
    } part[] = {{"<i style=\"left:", p->left}, {"%;top:", p->top}, {"%;width:", p->size},
        {"%;height:", p->size}};
    html_put(h, "<span class=\"patch\" title=\"");
    html_text(h, p->picture.caption);
    html_put(h, "\">");
    page_image(h, &p->picture, p->picture.caption, NULL);
    for (int i = 0; i < 4; i++) {
        html_put(h, part[i].before);
        html_fixed(h, 100 * part[i].share, 1);
    }
    html_put(h, "%\"></i></span>");
}

/* A cluster's name beside its patches. */
static void put_cluster(html *h, const page_cluster *c) {
    html_put(h, "<div class=\"cluster\"><div><b>");
    html_text(h, c->name);
    html_put(h, "</b>");
    if (c->note) {
        html_put(h, "<div class=\"sub\">");
        html_text(h, c->note);
        html_put(h, "</div>");
    }
    html_put(h, "</div><div class=\"patches\">");
    for (int i = 0; i < c->patches; i++) put_patch(h, &c->patch[i]);
    html_put(h, "</div></div>\n");
}

/* The first are the largest clusters: what is folded away matters less. */
void page_clusters(html *h, const page_data *d) {
    if (!d->clusters) return;
    page_note(h, d->cluster_note);
    for (int i = 0; i < d->clusters; i++) {
        if (i == FOLD_AFTER)
            html_print(h, "<details><summary>%d more</summary>\n", d->clusters - FOLD_AFTER);
        put_cluster(h, &d->cluster[i]);
    }
    if (d->clusters > FOLD_AFTER) html_put(h, "</details>\n");
}
