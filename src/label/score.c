/* The tables of a score: what one image has is added to the sums over images, with the products
 * that pairs need. All is one block of int64 words, so that ranks add their tables in one call;
 * sums of squares of counts are beyond 64 bits and lie there in pieces (sum128.h). */
#include "src/label/score.h"

#include "src/base/memory.h"

enum { SUM_WORDS = sizeof(sum128) / sizeof(int64_t) };

/* Parts of the block, one after the other. */
static int64_t *take(int64_t **next, size_t count) {
    int64_t *t = *next;
    *next += count;
    return t;
}

static sum128 *take_sums(int64_t **next, int count) {
    return (sum128 *)(void *)take(next, (size_t)count * SUM_WORDS);
}

/* One allocation in the order in which it is handed out: what is added over ranks is all of it. */
status score_create(score_table *s, int k, int classes) {
    size_t labels = (size_t)k, cells = labels * (size_t)classes;
    size_t sums = 4 * labels + 4 * (size_t)classes + 1;
    *s = (score_table){.k = k, .classes = classes};
    s->words = cells + labels + (size_t)classes + 2 + sums * SUM_WORDS;
    s->block = memory_alloc(s->words, sizeof(int64_t), "contingency table");
    if (!s->block) return STATUS_FAILED;
    int64_t *next = s->block;
    s->table = take(&next, cells);
    s->label = take(&next, labels);
    s->class = take(&next, (size_t)classes);
    s->pixels = take(&next, 1);
    s->ignored = take(&next, 1);
    s->same_label_same_class = take_sums(&next, k);
    s->same_label = take_sums(&next, k);
    s->same_class_of_label = take_sums(&next, k);
    s->all_of_label = take_sums(&next, k);
    s->same_class_same_label = take_sums(&next, classes);
    s->same_class = take_sums(&next, classes);
    s->same_label_of_class = take_sums(&next, classes);
    s->all_of_class = take_sums(&next, classes);
    s->all = take_sums(&next, 1);
    return STATUS_OK;
}

void score_destroy(score_table *s) {
    memory_free(s->block);
    *s = (score_table){0};
}

static int128 product(int64_t a, int64_t b) {
    return (int128)a * b;
}

/* Row of one label: [classes + 1]. */
static int64_t *row_of(const score_image *m, int a) {
    return m->count + (size_t)a * ((size_t)m->classes + 1);
}

static int64_t sum_of(const score_image *m, int a) {
    int64_t sum = 0;
    for (int y = 0; y < m->classes; y++) sum += row_of(m, a)[y];
    return sum;
}

/* m->class: sums over labels; the sum of all is returned. */
static int64_t sum_classes(score_image *m) {
    int64_t all = 0;
    for (int y = 0; y < m->classes; y++) m->class[y] = 0;
    for (int i = 0; i < m->labels; i++)
        for (int y = 0; m->label[i] < m->k && y < m->classes; y++) {
            m->class[y] += row_of(m, m->label[i])[y];
            all += row_of(m, m->label[i])[y];
        }
    return all;
}

/* What one label of the image adds: its cells, and the squares and products of counts, which are
 * the pairs within the image that score_finish takes off. */
static void add_label(score_table *s, const score_image *m, int a, int64_t all) {
    int64_t label = sum_of(m, a), *row = row_of(m, a);
    for (int y = 0; y < m->classes; y++) {
        if (row[y] == 0) continue;
        int128 square = product(row[y], row[y]);
        s->table[(size_t)a * (size_t)s->classes + (size_t)y] += row[y];
        sum128_add(&s->same_label_same_class[a], square);
        sum128_add(&s->same_class_same_label[y], square);
        sum128_add(&s->same_class_of_label[a], product(row[y], m->class[y]));
        sum128_add(&s->same_label_of_class[y], product(row[y], label));
    }
    s->label[a] += label;
    sum128_add(&s->same_label[a], product(label, label));
    sum128_add(&s->all_of_label[a], product(label, all));
}

static void add_class(score_table *s, const score_image *m, int y, int64_t all) {
    s->class[y] += m->class[y];
    sum128_add(&s->same_class[y], product(m->class[y], m -> class[y]));
    sum128_add(&s->all_of_class[y], product(m->class[y], all));
}

/* Only what was counted is cleared: a table of K rows would cost more than the image. */
static void empty(score_image *m) {
    for (int i = 0; i < m->labels; i++) {
        int64_t *row = row_of(m, m->label[i]);
        for (int y = 0; y <= m->classes; y++) row[y] = 0;
        m->seen[m->label[i]] = 0;
    }
    m->labels = 0;
}

/* Sums over labels and classes first: products need them whole. */
void score_add(score_table *s, score_image *m) {
    int64_t all = sum_classes(m);
    for (int i = 0; i < m->labels; i++) {
        if (m->label[i] == m->k)
            *s->ignored += sum_of(m, m->k);
        else
            add_label(s, m, m->label[i], all);
    }
    for (int y = 0; y < m->classes; y++) add_class(s, m, y, all);
    *s->pixels += all;
    sum128_add(s->all, product(all, all));
    empty(m);
}
