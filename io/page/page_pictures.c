/* The sections of pictures. A picture opens large where it is clicked: it stands in the label of a
 * check box, whose state the style reads, so that no script is needed and the keyboard works. Bytes
 * of pictures stand in the page itself, as base64. A picture never comes without words: alt texts
 * say what is to see, captions say it to all. */
#include "io/page/page_sections.h"
#include <stdbool.h>
#include <string.h>

enum { FOLD_AFTER = 15 }; /* clusters beyond are folded away */

/* alt: what is to see, and of which image (NULL: the first says it). The kind is read from the
 * bytes: JPEG begins with FF D8, all else that we make is PNG. */
static void put_image(html *h, const page_picture *p, const char *what, const char *image) {
    bool jpeg = p->bytes > 2 && memcmp(p->data, "\xFF\xD8", 2) == 0;
    html_put(h, "<img alt=\"");
    html_text(h, what);
    if (image) html_put(h, " of ");
    html_text(h, image);
    html_print(h, "\" src=\"data:image/%s;base64,", jpeg ? "jpeg" : "png");
    html_base64(h, p->data, p->bytes);
    html_put(h, "\"/>");
}

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

/* An image's pictures side by side below its name. The check box lies invisible over its picture
 * and takes clicks and the keyboard; when it is set, the style lets the picture fill the window. */
static void put_strips(html *h, const page_strip *strip, int count) {
    for (int i = 0; i < count; i++) {
        html_put(h, "<h3 class=\"file\">");
        html_text(h, strip[i].title);
        html_put(h, "</h3>\n<div class=\"strip\">");
        for (int j = 0; j < strip[i].pictures; j++) {
            const page_picture *p = &strip[i].picture[j];
            html_put(h, "<figure><label class=\"zoom\"><input type=\"checkbox\"/>");
            put_image(h, p, p->caption, strip[i].title);
            html_put(h, "</label><figcaption>");
            html_text(h, p->caption);
            html_put(h, "</figcaption></figure>\n");
        }
        html_put(h, "</div>\n");
    }
}

static void put_note(html *h, const char *note) {
    if (!note) return;
    html_put(h, "<p class=\"note\">");
    html_text(h, note);
    html_put(h, "</p>\n");
}

void page_overlays(html *h, const page_data *d) {
    if (!d->overlays) return;
    put_note(h, d->overlay_note);
    /* Colours alone do not show what is not there. */
    if (d->empty_clusters >= 0)
        html_print(h, "<p class=\"note\">Clusters without a pixel: %d.</p>\n", d->empty_clusters);
    put_legend(h, d);
    put_strips(h, d->overlay, d->overlays);
}

void page_predictions(html *h, const page_data *d) {
    if (!d->predictions) return;
    put_legend(h, d);
    put_strips(h, d->prediction, d->predictions);
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
    put_image(h, &p->picture, p->picture.caption, NULL);
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
    put_note(h, d->cluster_note);
    for (int i = 0; i < d->clusters; i++) {
        if (i == FOLD_AFTER)
            html_print(h, "<details><summary>%d more</summary>\n", d->clusters - FOLD_AFTER);
        put_cluster(h, &d->cluster[i]);
    }
    if (d->clusters > FOLD_AFTER) html_put(h, "</details>\n");
}
