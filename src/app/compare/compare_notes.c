/* Sentences that a reader of a table would otherwise have to work out: which of a grid's cells is
 * the best of its method, and whether methods were compared at equal images. The second is taken
 * from what the runs have recorded, not from what the plan had set: a training that ended early
 * has seen fewer. */
#include "src/app/compare/compare_notes.h"

#include <math.h>
#include <stdio.h>

void compare_note_images(const compare_results *r, char *text) {
    const compare_cell *odd = NULL;
    double images = (double)r->images, off = (double)r->images_off, seen = 0;
    text[0] = '\0';
    if (r->images == 0) return;
    for (int i = r->cells - 1; i >= 0; i--) {
        const compare_cell *c = &r->cell[i];
        double sum = c->contrastive_images + c->finetune_images;
        if (c->miou.n == 0 || !(fabs(sum - images) > off + 0.5)) continue;
        odd = c;
        seen = sum;
    }
    if (odd)
        snprintf(text, COMPARE_NOTE,
            "images seen: NOT equal: %.0f in cell %.60s, where %.0f were meant", seen, odd->name,
            images);
    else if (r->images_off > 0)
        snprintf(text, COMPARE_NOTE,
            "images seen: %.0f in every cell, within %.0f, as trainings have whole steps", images,
            off);
    else
        snprintf(text, COMPARE_NOTE, "images seen: %.0f in every cell", images);
}

void compare_note_best(const compare_cell *cell, char *text) {
    text[0] = '\0';
    if (cell->best)
        snprintf(text, COMPARE_NOTE, "best of %.60s: %.60s, mIoU %.2f over %d seed%s", cell->group,
            cell->name, 100 * cell->miou.mean, cell->miou.n, cell->miou.n > 1 ? "s" : "");
}
