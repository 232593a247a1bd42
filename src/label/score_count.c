/* Which label meets which class in one image, pixel by pixel. The label map is enlarged to the
 * truth's grid as it is read, a line at a time. The labels that occur are listed: an image has a
 * few dozen of what may be thousands, and emptying its table must not cost more than filling it. */
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/label/kmeans.h"
#include "src/label/score.h"

#include <stdbool.h>

/* A row for pixels without a label and a column for those without a class, so that counting needs
 * no tests. */
status score_image_create(score_image *m, int k, int classes) {
    size_t rows = (size_t)k + 1, columns = (size_t)classes + 1;
    *m = (score_image){.k = k, .classes = classes};
    m->count = memory_alloc(rows * columns, sizeof *m->count, "contingency table of an image");
    m->class = memory_alloc(columns, sizeof *m->class, "contingency table of an image");
    m->label = memory_alloc(rows, sizeof *m->label, "labels of an image");
    m->seen = memory_alloc(rows, sizeof *m->seen, "labels of an image");
    if (m->count && m->class && m->label && m->seen) return STATUS_OK;
    score_image_destroy(m);
    return STATUS_FAILED;
}

void score_image_destroy(score_image *m) {
    memory_free(m->count);
    memory_free(m->class);
    memory_free(m->label);
    memory_free(m->seen);
    *m = (score_image){0};
}

/* Every value is below `limit` or LABEL_NONE. */
static bool in_range(score_map map, int limit, const char *what) {
    size_t n = (size_t)map.height * (size_t)map.width, bad = 0;
    for (size_t i = 0; i < n; i++) bad += (map.value[i] >= limit) & (map.value[i] != LABEL_NONE);
    if (bad == 0) return true;
    size_t i = 0;
    while (map.value[i] < limit || map.value[i] == LABEL_NONE) i++;
    log_error("score: pixel %zu has %s %u, of %d", i, what, (unsigned)map.value[i], limit);
    return false;
}

/* Which rows of the table will be touched, each once. */
static void list_labels(score_image *m, score_map label) {
    size_t n = (size_t)label.height * (size_t)label.width;
    for (size_t i = 0; i < n; i++) {
        int a = label.value[i] == LABEL_NONE ? m->k : label.value[i];
        if (m->seen[a]) continue;
        m->seen[a] = 1;
        m->label[m->labels++] = a;
    }
}

/* The pixel of `of` that covers the centre of pixel i of `n`. */
static size_t nearest(int i, int of, int n) {
    return (size_t)(2 * (int64_t)i + 1) * (size_t)of / (2 * (size_t)n);
}

/* line [width]: where in m->count the row of each pixel's label begins. column: nearest(x), counted
 * on instead of divided. */
static void place_line(
    const score_image *m, const uint16_t *label, int columns, int width, size_t *line) {
    int64_t rest = columns;
    size_t column = 0;
    for (int x = 0; x < width; x++, rest += 2 * (int64_t)columns) {
        for (; rest >= 2 * (int64_t)width; rest -= 2 * (int64_t)width) column++;
        uint16_t a = label[column];
        line[x] = (a == LABEL_NONE ? (size_t)m->k : a) * ((size_t)m->classes + 1);
    }
}

/* Neighbours mostly fall into the same cell: each run of them is added at once. */
static void count_line(score_image *m, const size_t *line, const uint16_t *truth, int width) {
    size_t at = 0;
    int64_t run = 0;
    for (int x = 0; x < width; x++) {
        size_t cell = line[x] + (size_t)(truth[x] < m->classes ? truth[x] : m->classes);
        if (cell != at) {
            m->count[at] += run;
            at = cell;
            run = 0;
        }
        run++;
    }
    m->count[at] += run;
}

/* The line of labels is kept as long as lines of the truth read the same one. */
status score_count(score_image *m, score_map label, score_map truth) {
    if (!in_range(label, m->k, "label") || !in_range(truth, m->classes, "class"))
        return STATUS_DATA;
    size_t *line = memory_alloc((size_t)truth.width, sizeof *line, "line of labels"), placed = 0;
    if (!line) return STATUS_FAILED;
    list_labels(m, label);
    for (int y = 0; y < truth.height; y++) {
        size_t row = nearest(y, label.height, truth.height);
        if (y == 0 || row != placed)
            place_line(m, label.value + row * (size_t)label.width, label.width, truth.width, line);
        placed = row;
        count_line(m, line, truth.value + (size_t)y * (size_t)truth.width, truth.width);
    }
    memory_free(line);
    return STATUS_OK;
}
