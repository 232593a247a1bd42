/* Pictures of the report. */
#include "io/page/page_sections.h"
#include "src/image/palette.h"

#include <string.h>

enum { FOLD_AFTER = 15 }; /* clusters beyond are folded away */

void page_image(html *h, const page_picture *p, const char *text) {
    bool jpeg = p->bytes > 2 && memcmp(p->data, "\xFF\xD8", 2) == 0;
    html_put(h, "<img alt=\"");
    html_text(h, text);
    html_print(h, "\" src=\"data:image/%s;base64,", jpeg ? "jpeg" : "png");
    html_base64(h, p->data, p->bytes);
    html_put(h, "\">");
}

/* Colours of the classes. */
static void legend(html *h, const page_data *d) {
    if (!d->class_names) return;
    html_put(h, "<p class=\"legend\">Classes: ");
    for (int y = 0; y < d->class_names; y++) {
        const uint8_t *c = palette_classes()[y % 255];
        html_print(
            h, "<span><i style=\"background:rgb(%d,%d,%d)\"></i>", (int)c[0], (int)c[1], (int)c[2]);
        html_text(h, d->class_name[y]);
        html_put(h, "</span> ");
    }
    html_put(h, "</p>\n");
}

static void strips(html *h, const page_strip *strip, int count) {
    for (int i = 0; i < count; i++) {
        html_put(h, "<h3 class=\"file\">");
        html_text(h, strip[i].title);
        html_put(h, "</h3><div class=\"strip\">");
        for (int j = 0; j < strip[i].pictures; j++) {
            const page_picture *p = &strip[i].picture[j];
            html_put(h, "<figure>");
            page_image(h, p, p->caption);
            html_put(h, "<figcaption>");
            html_text(h, p->caption);
            html_put(h, "</figcaption></figure>");
        }
        html_put(h, "</div>\n");
    }
}

void page_overlays(html *h, const page_data *d) {
    if (!d->overlays) return;
    page_section(h, "labels", "Auxiliary labels on images", d->overlay_note);
    legend(h, d);
    strips(h, d->overlay, d->overlays);
    html_put(h, "</section>\n");
}

void page_predictions(html *h, const page_data *d) {
    if (!d->predictions) return;
    page_section(h, "predictions", "Predictions", NULL);
    legend(h, d);
    strips(h, d->prediction, d->predictions);
    html_put(h, "</section>\n");
}

static void patch(html *h, const page_patch *p) {
    html_put(h, "<span class=\"patch\" title=\"");
    html_text(h, p->picture.caption);
    html_put(h, "\">");
    page_image(h, &p->picture, p->picture.caption);
    html_print(h, "<i style=\"left:%.1f%%;top:%.1f%%;width:%.1f%%;height:%.1f%%\"></i></span>",
        100 * p->left, 100 * p->top, 100 * p->size, 100 * p->size);
}

static void cluster_row(html *h, const page_cluster *c) {
    html_put(h, "<div class=\"cluster\"><div><b>");
    html_text(h, c->name);
    html_put(h, "</b>");
    if (c->note) {
        html_put(h, "<div class=\"sub\">");
        html_text(h, c->note);
        html_put(h, "</div>");
    }
    html_put(h, "</div><div class=\"patches\">");
    for (int i = 0; i < c->patches; i++) patch(h, &c->patch[i]);
    html_put(h, "</div></div>\n");
}

void page_clusters(html *h, const page_data *d) {
    if (!d->clusters) return;
    page_section(h, "clusters", "Typical patches of the clusters", d->cluster_note);
    for (int i = 0; i < d->clusters; i++) {
        if (i == FOLD_AFTER)
            html_print(h, "<details><summary>%d more</summary>\n", d->clusters - FOLD_AFTER);
        cluster_row(h, &d->cluster[i]);
    }
    html_put(h, d->clusters > FOLD_AFTER ? "</details></section>\n" : "</section>\n");
}
