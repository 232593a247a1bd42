/* The bound on the pool. Every row is compared with every other, so that a step's work grows with
 * the square of the pool, and each node holds all of it: both would end the method at some thousand
 * images a step. Rows are drawn before anything is embedded: those that are left are the pool, as
 * anchors and as what anchors are compared with, and the loss is the exact loss of that pool.
 *
 * A row's number is drawn by its place in the batch and its pixel, and the rows with the largest
 * ones stay: whichever rank holds a row, it stays or goes alike. A pair of partners has one number.
 */
#include "src/app/training/views.h"

#include "mpi/outliers.h"

#include <string.h>

bool views_bounded(const settings *s) {
    return s->pretrain.pool > 0 &&
           2 * (int64_t)s->pretrain.batch * s->pretrain.pixels > s->pretrain.pool;
}

/* Of pixel `at` of local view i. Bits of a float that is finite and not negative are in the order
 * of the floats, as farthest_find wants it. */
static float draw(const views *v, const batch *b, int i, int at) {
    const uint64_t numbers = 0x7F800000, pixels = (uint64_t)v->h * (uint64_t)v->w;
    random_stream r = random_begin((uint64_t)v->t->s->run.seed, RANDOM_POOL, (uint64_t)b->step,
        (uint64_t)(v->t->first + i) * pixels + (uint64_t)at);
    uint32_t bits = (uint32_t)random_below(&r, numbers);
    float key;
    memcpy(&key, &bits, sizeof key);
    return key;
}

/* Views i to i + together - 1 have the same number of pixels, drawn for by the first one's: those
 * that stay move together. */
static void keep(const views *v, batch *b, int i, int together, const float *key, farthest *f) {
    int *chosen = b->chosen + (size_t)i * (size_t)v->wanted, left = 0;
    for (int k = 0; k < b->count[i]; k++) {
        if (!farthest_next(f, key[k], 0)) continue;
        for (int j = 0; j < together; j++)
            chosen[(size_t)j * (size_t)v->wanted + (size_t)left] =
                chosen[(size_t)j * (size_t)v->wanted + (size_t)k];
        left++;
    }
    for (int j = 0; j < together; j++) b->count[i + j] = left;
}

status views_draw(views *v, batch *b) {
    int together = v->positives == POSITIVES_AUXILIARY ? 1 : 2;
    int64_t want = v->t->s->pretrain.pool / together;
    size_t n = 0, done = 0;
    for (int i = 0; i < v->t->local; i += together)
        for (int k = 0; k < b->count[i]; k++)
            v->key[n++] = draw(v, b, i, b->chosen[(size_t)i * (size_t)v->wanted + (size_t)k]);
    int64_t all = (int64_t)n;
    comm_sum_i64(v->t->c, &all, 1);
    if (all <= want) return STATUS_OK;
    farthest f;
    status st = farthest_find(v->t->c, v->key, NULL, n, 1, &want, &f);
    if (st != STATUS_OK) return st;
    for (int i = 0; i < v->t->local; i += together) {
        const float *key = v->key + done;
        done += (size_t)b->count[i];
        keep(v, b, i, together, key, &f);
    }
    farthest_destroy(&f);
    return STATUS_OK;
}
