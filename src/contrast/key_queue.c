/* The ring of keys. Random rows at first, instead of none: a loss without negatives is zero and
 * moves nothing, and one whose negatives become more from step to step rises by that alone. */
#include "src/contrast/key_queue.h"

#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/base/unit_length.h"

#include <string.h>

status key_queue_create(key_queue *out, size_t n, int d, uint64_t seed, uint64_t number) {
    key_queue q = {.n = n, .d = d};
    q.key = memory_alloc(n, (size_t)d * sizeof *q.key, "queue of keys");
    q.image = memory_alloc(n, sizeof *q.image, "queue of keys");
    if (!q.key || !q.image) {
        key_queue_destroy(&q);
        return STATUS_FAILED;
    }
    for (size_t i = 0; i < n; i++) {
        float *row = q.key + i * (size_t)d;
        random_stream r = random_begin(seed, RANDOM_QUEUE, number, i);
        for (int j = 0; j < d; j++) row[j] = (float)random_normal(&r);
        unit_length_row(row, d, row);
        q.image[i] = -1;
    }
    *out = q;
    return STATUS_OK;
}

void key_queue_destroy(key_queue *q) {
    memory_free(q->key);
    memory_free(q->image);
    *q = (key_queue){0};
}

/* Row by row: the ring's end may lie within the keys. */
void key_queue_put(
    key_queue *q, uint64_t before, const float *key, const int32_t *image, size_t count) {
    size_t d = (size_t)q->d;
    for (size_t i = 0; i < count; i++) {
        size_t at = (size_t)((before + i) % q->n);
        memcpy(q->key + at * d, key + i * d, d * sizeof *key);
        q->image[at] = image[i];
    }
}
