/* The rings of earlier pixels. A ring a label, not one for all: labels are of different frequency,
 * and one ring would hold what the last steps happened to show. Which rows go in is decided by
 * their order in the pool alone, which is that of the global batch: every node has the same rings
 * without sending any. */
#include "src/contrast/pixel_queue.h"

#include "src/base/carve.h"

#include <string.h>

size_t pixel_queue_rows(const pixel_queue *q) {
    return (size_t)q->labels * (size_t)q->each;
}

size_t pixel_queue_place(pixel_queue *q, void *memory) {
    size_t used = 0, rows = pixel_queue_rows(q), labels = (size_t)q->labels;
    q->z = carve(memory, &used, rows * (size_t)q->d * sizeof *q->z);
    q->image = carve(memory, &used, rows * sizeof *q->image);
    q->next = carve(memory, &used, labels * sizeof *q->next);
    q->count = carve(memory, &used, 2 * labels * sizeof *q->count);
    return used;
}

void pixel_queue_clear(const pixel_queue *q) {
    size_t rows = pixel_queue_rows(q);
    memset(q->z, 0, rows * (size_t)q->d * sizeof *q->z);
    for (size_t i = 0; i < rows; i++) q->image[i] = -1;
    memset(q->next, 0, (size_t)q->labels * sizeof *q->next);
}

/* Counted first: of a label that has more rows than its ring places, the last ones would all be of
 * the batch's last images. Row k of n goes in where k E / n passes a whole number, which is each of
 * them if there are E at most. */
void pixel_queue_put(const pixel_queue *q, const contrast_pool *p, int part, int parts) {
    int64_t begin = (int64_t)q->labels * part / parts,
            end = (int64_t)q->labels * (part + 1) / parts;
    int64_t *rows = q->count, *seen = q->count + q->labels;
    size_t d = (size_t)q->d;
    for (int64_t l = begin; l < end; l++) rows[l] = seen[l] = 0;
    for (size_t i = 0; i < p->n; i++)
        if (p->label[i] >= begin && p->label[i] < end) rows[p->label[i]]++;
    for (size_t i = 0; i < p->n; i++) {
        int32_t label = p->label[i];
        if (label < begin || label >= end) continue;
        int64_t k = seen[label]++, n = rows[label];
        if (n > q->each && (k + 1) * q->each / n == k * q->each / n) continue;
        size_t at = (size_t)label * (size_t)q->each + (size_t)q->next[label];
        memcpy(q->z + at * d, p->z + i * d, d * sizeof *q->z);
        q->image[at] = p->image[i];
        q->next[label] = (q->next[label] + 1) % q->each;
    }
}

void pixel_queue_list(const pixel_queue *q, const queue_rows *to, int part, int parts) {
    size_t rows = pixel_queue_rows(q), d = (size_t)q->d;
    size_t begin = rows * (size_t)part / (size_t)parts;
    size_t end = rows * (size_t)(part + 1) / (size_t)parts;
    memcpy(to->z + begin * d, q->z + begin * d, (end - begin) * d * sizeof *q->z);
    for (size_t i = begin; i < end; i++) {
        to->label[i] = q->image[i] < 0 ? -1 : (int32_t)(i / (size_t)q->each);
        to->image[i] = q->image[i];
        to->partner[i] = -1;
    }
}
