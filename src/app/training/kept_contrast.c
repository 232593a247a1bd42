/* What fine-tuning needs of the contrast beside its own step: the labels, the rows, the key. The
 * loss compares pixels of all images, so that all of them pass through the network before the first
 * gradient (pixel_rows.h). */
#include "src/app/training/kept_contrast.h"

#include "src/base/hash.h"
#include "src/base/memory.h"

status kept_contrast_key(stage *t, uint64_t *input, uint64_t *recorded) {
    const settings *s = t->s;
    bool bounded = pixel_rows_bounded(s, s->finetune.batch);
    status st = stage_input(t, STAGE_CLUSTER, recorded);
    if (st != STATUS_OK) return st;
    const double values[] = {s->pretrain.pixels, s->pretrain.boundary, s->pretrain.scope,
        s->pretrain.temperature, s->pretrain.loss_dtype, s->pretrain.label_groups,
        bounded ? s->pretrain.pool : 0};
    *input = hash_append(*input, recorded, sizeof *recorded);
    *input = hash_append(*input, values, sizeof values);
    return STATUS_OK;
}

status kept_contrast_open(kept_contrast *k, const stage *t, uint64_t recorded) {
    k->weight = t->s->finetune.contrast_weight;
    if (k->weight <= 0) return STATUS_OK;
    status st = auxiliary_open(&k->aux, t, recorded);
    return st == STATUS_OK ? auxiliary_groups(&k->group, t, k->aux) : st;
}

status kept_contrast_begin(kept_contrast *k, trainer *x, samples *images) {
    if (k->weight <= 0) return STATUS_OK;
    const pixel_rows_options o = {
        .output = 1, .positives = POSITIVES_AUXILIARY, .images = images, .group = k->group};
    return pixel_rows_create(&k->rows, x, &o);
}

void kept_contrast_destroy(kept_contrast *k) {
    pixel_rows_destroy(&k->rows);
    memory_free(k->group);
    labels_close(k->aux);
    *k = (kept_contrast){0};
}

status kept_contrast_view(const kept_contrast *k, batch *b, int i, const sample *m, const view *v) {
    const pixel_rows *r = &k->rows;
    uint16_t *grid = b->grid + (size_t)i * (size_t)r->h * (size_t)r->w;
    labelmap aux;
    status st = labels_load(k->aux, b->source[i], &aux);
    if (st != STATUS_OK) return st;
    view_labels(v, m->height, m->width, &aux, r->h, r->w, grid);
    labelmap_destroy(&aux);
    return pixel_rows_choose(r, b, i, grid);
}

status kept_contrast_compare(kept_contrast *k) {
    status st = pixel_rows_forward(&k->rows);
    return st == STATUS_OK ? pixel_rows_loss(&k->rows, (float)k->weight, &k->stats) : st;
}
