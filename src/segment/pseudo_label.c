/* Pseudo-labels, row by row as the cross-entropy goes: logits are upsampled, not labels, so that
 * the border between two classes lies where the two are equal and not at the network's stride. Of a
 * mixture each network map is labelled by itself and the box then taken over: a teacher sees whole
 * views, never the seam. */
#include "src/segment/pseudo_label.h"

#include "src/base/memory.h"
#include "src/base/vector.h"
#include "src/image/image.h"

#include <string.h>

/* The largest logit's class. From the last class to the first, so that the lowest of several
 * stays; a pixel with a NaN may match none. */
VECTOR_CLONES static void find_classes(
    const float *logits, int classes, int n, const float *largest, uint16_t *labels) {
    for (int x = 0; x < n; x++) labels[x] = LABEL_IGNORE;
    for (int k = classes - 1; k >= 0; k--) {
        const float *row = logits + (size_t)k * (size_t)n;
        for (int x = 0; x < n; x++) labels[x] = row[x] == largest[x] ? (uint16_t)k : labels[x];
    }
}

/* The largest class's exponential is 1: its softmax is one over the sum. Asked so that a sum that
 * is NaN fails. */
static void drop_unsure(const float *sum, int n, float confidence, uint16_t *labels) {
    for (int x = 0; x < n; x++)
        if (!(1 >= confidence * sum[x])) labels[x] = LABEL_IGNORE;
}

/* Rows first .. end - 1, columns left .. right - 1 of one map's labels; all columns are computed,
 * as rows are upsampled whole. memory [K + 2, W] floats, row [W]. */
typedef struct label_scratch {
    float *logits, *largest, *sum;
    uint16_t *row;
} label_scratch;

static status label_map(const logit_map *map, const mix_box *part, int height, int width,
    float confidence, const label_scratch *s, uint16_t *labels) {
    upsample u;
    status st = upsample_create(&u, map, height, width);
    if (st != STATUS_OK) return st;
    for (int y = part->top; y < part->bottom; y++) {
        upsample_row(&u, y, s->logits);
        pixels_largest(s->logits, map->classes, width, s->largest);
        find_classes(s->logits, map->classes, width, s->largest, s->row);
        pixels_exponentials(s->logits, map->classes, width, s->largest, s->sum);
        drop_unsure(s->sum, width, confidence, s->row);
        memcpy(labels + (size_t)y * (size_t)width + (size_t)part->left, s->row + part->left,
            (size_t)(part->right - part->left) * sizeof *labels);
    }
    upsample_destroy(&u);
    return STATUS_OK;
}

status pseudo_labels(const logit_map *outside, const logit_map *inside, const mix_box *box,
    int height, int width, double confidence, uint16_t *labels) {
    size_t line = (size_t)width, n = (size_t)outside->classes * line;
    float *memory = memory_alloc(n + 2 * line, sizeof *memory, "rows of pseudo-labels");
    uint16_t *row = memory_alloc(line, sizeof *row, "a row of pseudo-labels");
    status st = memory && row ? STATUS_OK : STATUS_FAILED;
    if (st == STATUS_OK) {
        const label_scratch s = {memory, memory + n, memory + n + line, row};
        const mix_box whole = {0, 0, height, width};
        st = label_map(outside, &whole, height, width, (float)confidence, &s, labels);
        if (st == STATUS_OK && box->bottom > box->top)
            st = label_map(inside, box, height, width, (float)confidence, &s, labels);
    }
    memory_free(memory);
    memory_free(row);
    return st;
}
