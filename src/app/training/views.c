/* What the contrastive loss sees of a batch: a few pixels of each view, drawn evenly over the
 * auxiliary labels, or the same places of both. */
#include "src/app/training/views.h"

#include "src/app/stage/choices.h"
#include "src/app/stage/setup.h"
#include "src/contrast/choose_pixels.h"

/* Pixels of local images i and i + 1, the two views of one image. By labels each view is drawn by
 * itself, from a stream of its own; by places both are drawn at once, as pairs, from the first
 * one's. */
static status choose_pixels(const views *v, batch *b, int i, const view *pair) {
    const pixel_rows *r = &v->rows;
    size_t pixels = (size_t)r->h * (size_t)r->w, wanted = (size_t)r->wanted;
    const uint16_t *grid = b->label + (size_t)i * pixels;
    if (r->o.positives == POSITIVES_AUXILIARY) {
        status st = pixel_rows_choose(r, b, i, grid);
        return st == STATUS_OK ? pixel_rows_choose(r, b, i + 1, grid + pixels) : st;
    }
    int *first = b->chosen + (size_t)i * wanted;
    random_stream s = random_begin(
        (uint64_t)v->t->s->run.seed, RANDOM_PIXELS, (uint64_t)b->step, (uint64_t)(v->t->first + i));
    /* The control knows nothing of labels: its pairs are drawn uniformly. */
    const label_grid even = {
        r->h, r->w, r->o.positives == POSITIVES_BOTH ? grid : NULL, v->t->s->pretrain.boundary};
    pixel_pairs chosen = {first, first + wanted, 0};
    status st = choose_pairs(&s, pair, &even, r->wanted, &chosen);
    b->count[i] = b->count[i + 1] = chosen.count;
    return st;
}

/* Both views of one image: local images i and i + 1. */
static status load_pair(void *context, batch *b, int part) {
    const views *v = context;
    view pair[2];
    sample m;
    labelmap aux = {0};
    status st = samples_get(v->images, b->source[part], &m);
    if (st != STATUS_OK) return st;
    if (v->aux) st = labels_load(v->aux, b->source[part], &aux);
    for (int k = 0; k < 2 && st == STATUS_OK; k++)
        st = batch_view(b, 2 * part + k, &m, v->aux ? &aux : &m.label, &pair[k]);
    samples_release(&m);
    labelmap_destroy(&aux);
    return st == STATUS_OK ? choose_pixels(v, b, 2 * part, pair) : st;
}

status views_create(views *v, trainer *t, const views_source *from) {
    *v = (views){.t = t, .images = from->images, .aux = from->aux};
    const pixel_rows_options compared = {.positives = choices_positives(t->s->pretrain.positives),
        .images = from->images,
        .queue = from->queue,
        .group = from->group};
    status st = pixel_rows_create(&v->rows, t, &compared);
    batches_options o = {.sequence = from->sequence,
        .views = setup_views(&t->s->pretrain.view, t->o.crop),
        .label_height = v->rows.h,
        .label_width = v->rows.w,
        .wanted = v->rows.wanted,
        .make = load_pair,
        .context = v};
    if (st == STATUS_OK) st = batches_create(&v->source, t, &o);
    if (st != STATUS_OK) views_destroy(v);
    return st;
}

void views_destroy(views *v) {
    batches_destroy(v->source);
    pixel_rows_destroy(&v->rows);
    *v = (views){0};
}

status views_load(views *v) {
    batch *b;
    status st = comm_agree(v->t->c, batches_next(v->source, &b));
    return st == STATUS_OK ? pixel_rows_begin(&v->rows, b, b->label) : st;
}
