/* The section of results: how well both models segment, as a whole and class by class. A run may
 * have either model alone: one without a comparison, or one that ended after its baseline. Every
 * cell then says so by a dash, and the large figures are those of the model that is there. */
#include "io/page/page_sections.h"
#include "io/page/page_table.h"

#include <math.h>
#include <stdbool.h>

/* The figures that a reader looks for first, large. The difference is in points of a hundred, of
 * the rounded figures, so that a reader who subtracts gets the same. */
static void put_cards(html *h, const page_data *d) {
    html_put(h, "<div class=\"cards\">");
    for (int i = 0; i < d->measures; i++) {
        page_pair v = d->measure[i].value;
        html_put(h, "<div class=\"card\"><div class=\"name\">");
        html_text(h, d->measure[i].name);
        html_put(h, "</div><div class=\"big\">");
        html_number(h, NUMBER_SHARE, isfinite(v.finetuned) ? v.finetuned : v.baseline);
        html_put(h, "<small>%</small></div><div class=\"from\">");
        if (isfinite(v.baseline) && isfinite(v.finetuned)) {
            html_put(h, "baseline ");
            html_number(h, NUMBER_SHARE, v.baseline);
            html_put(h, ", ");
            html_difference(h, v.baseline, v.finetuned);
            html_put(h, " points");
        } else {
            html_put(h, isfinite(v.baseline) ? "baseline alone" : "no baseline");
        }
        html_put(h, "</div></div>");
    }
    html_put(h, "</div>\n");
    if (!d->caution) return;
    html_put(h, "<p class=\"note\"><strong>Caution</strong>: ");
    html_text(h, d->caution);
    html_put(h, ".</p>\n");
}

/* Before, after, and what lies between. */
static void put_pair(html *h, page_pair v) {
    table_number(h, NUMBER_SHARE, v.baseline);
    table_number(h, NUMBER_SHARE, v.finetuned);
    table_difference(h, v.baseline, v.finetuned);
}

/* Two rows of heads: measures, and the models below each. IoU and accuracy stand together because a
 * class that is predicted everywhere has a high accuracy and a low IoU. Two rows of heads are
 * beyond page_table.h: they are written here, between its parts. */
static void put_classes(html *h, const page_data *d) {
    html_put(h, "<h3>Classes</h3>\n<p class=\"note\">IoU: of the pixels that have the class or are "
                "predicted to, the share that is both. Accuracy: of the pixels that have it, the "
                "share that is predicted so.</p>\n");
    table_begin(h, TABLE_WIDE);
    html_put(h,
        "<th scope=\"col\" rowspan=\"2\">Class</th>"
        "<th scope=\"colgroup\" colspan=\"3\" class=\"over\">IoU, %</th>"
        "<th scope=\"colgroup\" colspan=\"3\" class=\"over\">Accuracy, %</th>"
        "<th scope=\"col\" rowspan=\"2\" class=\"bar\">IoU, mark at baseline</th></tr><tr>");
    for (int i = 0; i < 2; i++) {
        table_number_column(h, "baseline", NUMBER_PLAIN);
        table_number_column(h, "pretrained", NUMBER_PLAIN);
        table_number_column(h, "difference", NUMBER_PLAIN);
    }
    table_body(h);
    for (int i = 0; i < d->classes; i++) {
        const page_class *k = &d->class_result[i];
        table_row(h, k->name);
        put_pair(h, k->iou);
        put_pair(h, k->accuracy);
        bool after = isfinite(k->iou.finetuned);
        table_bar(h, after ? k->iou.finetuned : k->iou.baseline, after ? k->iou.baseline : NAN);
        table_row_end(h);
    }
    table_end(h);
}

/* Headline, then classes, then confusion: from the one number to where it comes from. */
void page_results(html *h, const page_data *d) {
    if (d->settings && d->settings->dataset.layout == DATASET_LAYOUT_FOLDER)
        html_put(h, "<p class=\"note\">The data set has no labels: nothing was fine-tuned or "
                    "evaluated. The result is pretrained.safetensors.</p>\n");
    if (!d->measures && !d->classes && !d->confusions) return;
    html_put(h, "<p class=\"note\">Baseline: fine-tuned from the plain initial weights. "
                "Pretrained: fine-tuned after contrastive pretraining, with the same labels and "
                "settings.</p>\n");
    if (d->settings && d->settings->finetune.contrast_weight > 0)
        html_put(h, "<p class=\"note\">The latter keeps the contrast while it is fine-tuned "
                    "(finetune.contrast_weight), which the baseline has not: as long as there are "
                    "images without labels, half of those it sees are such.</p>\n");
    if (d->measures) put_cards(h, d);
    if (d->classes) put_classes(h, d);
    page_confusions(h, d);
}
