#include "src/label/score.h"

#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/label/kmeans.h"

#include <stdbool.h>

enum { WIDE_WORDS = sizeof(wide) / sizeof(int64_t) };

static int64_t *take(int64_t **next, size_t count) {
    int64_t *t = *next;
    *next += count;
    return t;
}

static wide *take_wide(int64_t **next, int count) {
    return (wide *)(void *)take(next, (size_t)count * WIDE_WORDS);
}

status score_create(score_table *s, int k, int classes) {
    size_t labels = (size_t)k, cells = labels * (size_t)classes;
    size_t wides = 4 * labels + 2 * (size_t)classes + 1;
    *s = (score_table){.k = k, .classes = classes};
    s->words = cells + labels + (size_t)classes + 2 + wides * WIDE_WORDS;
    s->block = memory_alloc(s->words, sizeof(int64_t), "contingency table");
    s->image = memory_alloc(
        (labels + 1) * ((size_t)classes + 1), sizeof *s->image, "contingency table of an image");
    if (!s->block || !s->image) {
        score_destroy(s);
        return STATUS_FAILED;
    }
    int64_t *next = s->block;
    s->table = take(&next, cells);
    s->label = take(&next, labels);
    s->class = take(&next, (size_t)classes);
    s->pixels = take(&next, 1);
    s->ignored = take(&next, 1);
    s->same_label_same_class = take_wide(&next, k);
    s->same_label = take_wide(&next, k);
    s->same_class_of_label = take_wide(&next, k);
    s->all_of_label = take_wide(&next, k);
    s->same_class_same_label = take_wide(&next, classes);
    s->same_class = take_wide(&next, classes);
    s->all = take_wide(&next, 1);
    return STATUS_OK;
}

void score_destroy(score_table *s) {
    memory_free(s->block);
    memory_free(s->image);
    *s = (score_table){0};
}

static status check_ranges(
    const score_table *s, const uint16_t *label, const uint16_t *truth, size_t n) {
    for (size_t i = 0; i < n; i++) {
        bool known = truth[i] == LABEL_NONE || truth[i] < s->classes;
        if (known && (label[i] == LABEL_NONE || label[i] < s->k)) continue;
        log_error("score: pixel %zu has label %u and class %u, of %d labels and %d classes", i,
            (unsigned)label[i], (unsigned)truth[i], s->k, s->classes);
        return STATUS_DATA;
    }
    return STATUS_OK;
}

/* An entry of the image's table; row K and column `classes` hold the sums. */
static int64_t *cell(const score_table *s, int a, int y) {
    return s->image + (size_t)a * ((size_t)s->classes + 1) + (size_t)y;
}

static void count_pixel(score_table *s, int a, int y) {
    ++*cell(s, a, y);
    ++*cell(s, a, s->classes);
    ++*cell(s, s->k, y);
    ++*cell(s, s->k, s->classes);
}

static int128 product(int64_t a, int64_t b) {
    return (int128)a * b;
}

/* Adds cell (a, y) of the image to the sums, and clears it. */
static void add_cell(score_table *s, int a, int y) {
    int64_t *t = cell(s, a, y);
    int128 square = product(*t, *t);
    s->table[(size_t)a * (size_t)s->classes + (size_t)y] += *t;
    wide_add(&s->same_label_same_class[a], square);
    wide_add(&s->same_class_same_label[y], square);
    wide_add(&s->same_class_of_label[a], product(*t, *cell(s, s->k, y)));
    *t = 0;
}

/* Adds the sums of label a over classes, and clears them. */
static void add_label(score_table *s, int a) {
    int64_t *l = cell(s, a, s->classes);
    s->label[a] += *l;
    wide_add(&s->same_label[a], product(*l, *l));
    wide_add(&s->all_of_label[a], product(*l, *cell(s, s->k, s->classes)));
    *l = 0;
}

static void add_class(score_table *s, int y) {
    int64_t *t = cell(s, s->k, y);
    s->class[y] += *t;
    wide_add(&s->same_class[y], product(*t, *t));
    *t = 0;
}

status score_add(score_table *s, const uint16_t *label, const uint16_t *truth, size_t n) {
    status st = check_ranges(s, label, truth, n);
    if (st != STATUS_OK) return st;
    for (size_t i = 0; i < n; i++) {
        if (truth[i] == LABEL_NONE) continue;
        if (label[i] == LABEL_NONE)
            ++*s->ignored;
        else
            count_pixel(s, label[i], truth[i]);
    }
    /* Only what the image touched is visited, so that its cost does not grow with K. */
    for (size_t i = 0; i < n; i++) {
        if (truth[i] == LABEL_NONE || label[i] == LABEL_NONE) continue;
        if (*cell(s, label[i], truth[i]) > 0) add_cell(s, label[i], truth[i]);
        if (*cell(s, label[i], s->classes) > 0) add_label(s, label[i]);
    }
    for (int y = 0; y < s->classes; y++) add_class(s, y);
    int64_t *all = cell(s, s->k, s->classes);
    *s->pixels += *all;
    wide_add(s->all, product(*all, *all));
    *all = 0;
    return STATUS_OK;
}
