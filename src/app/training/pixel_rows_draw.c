/* The bound on the pool. Every row is compared with every other, so that a step's work grows with
 * the square of the pool, and each node holds all of it: both would end the method at some thousand
 * images a step. Rows are drawn before anything is embedded: those that are left are the pool, as
 * anchors and as what anchors are compared with, and the loss is the exact loss of that pool.
 *
 * A row's number is drawn by its place in the batch and its pixel, and the rows with the largest
 * ones stay: whichever rank holds a row, it stays or goes alike. A pair of partners has one number.
 */
#include "src/app/training/pixel_rows.h"

#include "mpi/outliers.h"

#include <string.h>

bool pixel_rows_bounded(const settings *s, int images) {
    return s->pretrain.pool > 0 && (int64_t)images * s->pretrain.pixels > s->pretrain.pool;
}

/* Of pixel `at` of local image i. Bits of a float that is finite and not negative are in the order
 * of the floats, as farthest_find wants it. */
static float draw(const pixel_rows *r, const batch *b, int i, int at) {
    const uint64_t numbers = 0x7F800000, pixels = (uint64_t)r->h * (uint64_t)r->w;
    random_stream s = random_begin((uint64_t)r->t->s->run.seed, RANDOM_POOL, (uint64_t)b->step,
        (uint64_t)(r->t->first + i) * pixels + (uint64_t)at);
    uint32_t bits = (uint32_t)random_below(&s, numbers);
    float key;
    memcpy(&key, &bits, sizeof key);
    return key;
}

/* Images i to i + together - 1 have the same number of pixels, drawn for by the first one's: those
 * that stay move together. */
static void keep(
    const pixel_rows *r, batch *b, int i, int together, const float *key, farthest *f) {
    int *chosen = b->chosen + (size_t)i * (size_t)r->wanted, left = 0;
    for (int k = 0; k < b->count[i]; k++) {
        if (!farthest_next(f, key[k], 0)) continue;
        for (int j = 0; j < together; j++)
            chosen[(size_t)j * (size_t)r->wanted + (size_t)left] =
                chosen[(size_t)j * (size_t)r->wanted + (size_t)k];
        left++;
    }
    for (int j = 0; j < together; j++) b->count[i + j] = left;
}

status pixel_rows_draw(pixel_rows *r, batch *b) {
    int together = r->o.positives == POSITIVES_AUXILIARY ? 1 : 2;
    int64_t want = r->t->s->pretrain.pool / together;
    size_t n = 0, done = 0;
    for (int i = 0; i < r->t->local; i += together)
        for (int k = 0; k < b->count[i]; k++)
            r->key[n++] = draw(r, b, i, b->chosen[(size_t)i * (size_t)r->wanted + (size_t)k]);
    int64_t all = (int64_t)n;
    comm_sum_i64(r->t->c, &all, 1);
    if (all <= want) return STATUS_OK;
    farthest f;
    status st = farthest_find(r->t->c, r->key, NULL, n, 1, &want, &f);
    if (st != STATUS_OK) return st;
    for (int i = 0; i < r->t->local; i += together) {
        const float *key = r->key + done;
        done += (size_t)b->count[i];
        keep(r, b, i, together, key, &f);
    }
    farthest_destroy(&f);
    return STATUS_OK;
}
