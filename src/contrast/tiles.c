/* The pool in the order in which the loss walks it. Sorted by image and label, who is a positive of
 * whom is a comparison of positions, and tiles of one kind of pairs are long. Partners that the
 * order puts elsewhere are listed, pair by pair.
 *
 * Packing is done once a pass over the pool, in the order that products read: the columns of a tile
 * lie side by side, none is looked up. What must not change: sort_keys() and columns_at(), which
 * say what is added to what, in which order. */
#include "src/contrast/tiles.h"

#include "src/base/bf16.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <assert.h>
#include <math.h>
#include <string.h>

typedef struct sort_key {
    int32_t segment, group, label, row;
} sort_key;

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS };

/* What the order goes by, the last first. */
typedef enum sort_word { BY_LABEL, BY_GROUP, BY_SEGMENT, SORT_WORDS } sort_word;

static uint32_t digit_of(const sort_key *key, sort_word by, int shift) {
    int32_t word = by == BY_LABEL ? key->label : by == BY_GROUP ? key->group : key->segment;
    return ((uint32_t)word ^ 0x80000000) >> shift & (DIGITS - 1); /* signed order */
}

/* One pass of a radix sort, which keeps the order of equal ones; false: all have the same digit,
 * and nothing was moved. */
static bool sort_by_digit(const sort_key *from, int32_t n, sort_word by, int shift, sort_key *to) {
    int32_t place[DIGITS] = {0}, at = 0;
    for (int32_t i = 0; i < n; i++) place[digit_of(&from[i], by, shift)]++;
    if (n > 0 && place[digit_of(&from[0], by, shift)] == n) return false;
    for (int i = 0; i < DIGITS; i++) {
        int32_t count = place[i];
        place[i] = at;
        at += count;
    }
    for (int32_t i = 0; i < n; i++) to[place[digit_of(&from[i], by, shift)]++] = from[i];
    return true;
}

/* By segment, group, label and row; rows ascend at first. Every rank sorts the whole pool in
 * each step: in time that grows as the rows do. Returns key or other [n], whichever has it. */
static sort_key *sort_keys(sort_key *key, sort_key *other, int32_t n, bool groups) {
    for (sort_word by = BY_LABEL; by < SORT_WORDS; by++)
        for (int shift = 0; shift < 32 && (groups || by != BY_GROUP); shift += DIGIT_BITS) {
            if (!sort_by_digit(key, n, by, shift, other)) continue;
            sort_key *sorted = other;
            other = key;
            key = sorted;
        }
    return key;
}

/* A row that names itself has none. */
static int32_t partner_of(const contrast_pool *p, int32_t row) {
    int32_t q = p->partner ? p->partner[row] : -1;
    assert(q < (int64_t)p->n);
    return q == row || q < 0 ? -1 : q;
}

/* Augmentation asks for a partner alone, labels for a label. */
static bool takes_part(const contrast_options *o, const contrast_pool *p, int32_t row) {
    return o->positives == POSITIVES_AUGMENTATION ? partner_of(p, row) >= 0 : p->label[row] >= 0;
}

/* key [p->n]; returns how many rows take part. Under scope "global" all rows are one segment. */
static int32_t list_rows(const contrast_options *o, const contrast_pool *p, sort_key *key) {
    int32_t n = 0;
    bool labels = o->positives != POSITIVES_AUGMENTATION;
    for (int32_t i = 0; i < (int32_t)p->n; i++) {
        if (!takes_part(o, p, i)) continue;
        /* Under "augmentation" every row is a run of its own. */
        int32_t label = labels ? p->label[i] : i;
        key[n++] = (sort_key){.segment = o->scope == SCOPE_IMAGE ? p->image[i] : 0,
            .group = labels && o->group ? o->group[label] : label,
            .label = label,
            .row = i};
    }
    return n;
}

/* Where ranges begin is seen from the front, where they end from the back. */
static void find_spans(tiles *t, const sort_key *key) {
    int32_t segment = 0, near = 0, run = 0;
    for (int32_t i = 0; i < t->n; i++) {
        bool new_segment = i == 0 || key[i].segment != key[i - 1].segment;
        bool new_group = new_segment || key[i].group != key[i - 1].group;
        if (new_segment) segment = i;
        if (new_group) near = i;
        if (new_group || key[i].label != key[i - 1].label) run = i;
        t->origin[i] = key[i].row;
        t->where[i] =
            (span){.segment_begin = segment, .near_begin = near, .run_begin = run, .partner = -1};
    }
    int32_t segment_end = t->n, near_end = t->n, run_end = t->n;
    for (int32_t i = t->n - 1; i >= 0; i--) {
        span *s = &t->where[i];
        s->segment_end = segment_end;
        s->near_end = near_end;
        s->run_end = run_end;
        if (s->segment_begin == i) segment_end = i;
        if (s->near_begin == i) near_end = i;
        if (s->run_begin == i) run_end = i;
    }
}

/* Partners in the segment but outside the run; place [pool rows] is scratch. Both ends of a pair
 * are noted, as either may be the anchor: counted first, then filled in. A partner that takes no
 * part, or is of another image under scope "image", is none. Two rows that name each other are
 * listed twice with each other: what is done for a listed pair sets its weight, so that twice is as
 * good as once. special is a counting sort's table: [i + 1] counts row i, sums make beginnings of
 * counts, and place, free by now, is where each row's next entry goes. */
static void find_partners(tiles *t, const contrast_pool *p, int32_t *place) {
    for (size_t i = 0; i < p->n; i++) place[i] = -1;
    for (int32_t i = 0; i < t->n; i++) place[t->origin[i]] = i;
    for (int32_t i = 0; i < t->n; i++) {
        span *s = &t->where[i];
        int32_t q = partner_of(p, t->origin[i]);
        if (q >= 0) q = place[q];
        bool inside = q >= s->segment_begin && q < s->segment_end;
        if (inside && (q < s->run_begin || q >= s->run_end)) s->partner = q;
    }
    for (int32_t i = 0; i < t->n; i++) {
        int32_t q = t->where[i].partner;
        if (q < 0) continue;
        t->special[i + 1]++;
        t->special[q + 1]++;
    }
    for (int32_t i = 0; i < t->n; i++) t->special[i + 1] += t->special[i];
    for (int32_t i = 0; i < t->n; i++) place[i] = t->special[i];
    for (int32_t i = 0; i < t->n; i++) {
        int32_t q = t->where[i].partner;
        if (q < 0) continue;
        t->other[place[i]++] = q;
        t->other[place[q]++] = i;
    }
}

/* Arrays end with whole tiles, of zeros: no loop asks where the pool ends. */
static size_t padded_rows(size_t n) {
    return (n + TILE_COLUMNS - 1) / TILE_COLUMNS * TILE_COLUMNS;
}

static int pitch_of(int d) {
    return (d + PANEL - 1) / PANEL * PANEL;
}

static int steps_of(int d, bool pairs) {
    return pairs ? (d + 1) / 2 : d;
}

tiles_space tiles_space_of(size_t n, int d, bool pairs) {
    size_t rows = padded_rows(n);
    return (tiles_space){rows * (size_t)pitch_of(d), rows * (size_t)steps_of(d, pairs)};
}

/* Words of row i of t->rows, the k-th to `to` + k * apart. */
static void pack_words(const tiles *t, int32_t i, product_word *to, size_t apart) {
    const float *row = t->rows + (size_t)i * (size_t)t->pitch;
    for (int k = 0; k < t->steps; k++, to += apart) {
        if (t->pairs)
            for (int half = 0; half < 2; half++)
                to->pair[half] = bf16_from_float(row[2 * k + half]);
        else
            to->f = row[k];
    }
}

/* Rows in sorted order, whole for products of weights with rows, and by panels for products of rows
 * with rows. bf16 is rounded here once, for both. Rows beyond n and columns beyond D are zeros,
 * whatever the memory has held. */
static void pack_panel(const tiles *t, const contrast_pool *p, dtype type, int32_t panel) {
    size_t first = (size_t)panel * PANEL, pitch = (size_t)t->pitch;
    product_word *transposed = t->panels + first * (size_t)t->steps;
    memset(t->rows + first * pitch, 0, PANEL * pitch * sizeof *t->rows);
    memset(transposed, 0, (size_t)t->steps * PANEL * sizeof *transposed);
    for (int32_t i = panel * PANEL; i < t->n && i < (panel + 1) * PANEL; i++) {
        const float *z = p->z + (size_t)t->origin[i] * (size_t)t->d;
        float *row = t->rows + (size_t)i * pitch;
        for (int k = 0; k < t->d; k++)
            row[k] = type == DTYPE_BF16 ? bf16_to_float(bf16_from_float(z[k])) : z[k];
        pack_words(t, i, transposed + i % PANEL, PANEL);
    }
}

/* A panel is one thread's. */
void tiles_pack(
    const tiles *t, const contrast_options *o, const contrast_pool *p, int part, int parts) {
    int64_t panels = (int64_t)(padded_rows((size_t)t->n) / PANEL);
    int32_t begin = (int32_t)(panels * part / parts), end = (int32_t)(panels * (part + 1) / parts);
#pragma omp parallel for num_threads(o->threads > 0 ? o->threads : 1) schedule(static)
    for (int32_t panel = begin; panel < end; panel++) pack_panel(t, p, o->type, panel);
}

/* 0 x is not zero for what is not finite, and sums of zeros are: one pass without branches. It also
 * protects the loops to come, in which -inf and +inf mean "does not count". */
status tiles_check(const contrast_pool *p, size_t first) {
    for (size_t i = 0; i < p->n; i++) {
        float zero = 0;
        for (int k = 0; k < p->d; k++) zero += 0 * p->z[i * (size_t)p->d + (size_t)k];
        if (zero == 0) continue;
        log_error("contrastive loss: embedding %zu of the pool is not finite", first + i);
        return STATUS_NONFINITE;
    }
    return STATUS_OK;
}

status tiles_index(tiles *out, const contrast_options *o, const contrast_pool *p, bool pairs) {
    assert(p->d > 0 && p->n < INT32_MAX - TILE_COLUMNS && o->temperature > 0);
    status st = STATUS_FAILED;
    tiles t = {.d = p->d, .pairs = pairs, .borrowed = true};
    t.pitch = pitch_of(t.d);
    t.steps = steps_of(t.d, pairs);
    sort_key *key = memory_alloc(2 * p->n, sizeof *key, "order of the pool"), *sorted;
    int32_t *place = memory_alloc(p->n, sizeof *place, "order of the pool");
    if (!key || !place) goto done;
    t.n = list_rows(o, p, key);
    sorted = sort_keys(key, key + p->n, t.n, o->group);
    size_t n = (size_t)t.n;
    t.origin = memory_alloc(n, sizeof *t.origin, "order of the pool");
    t.where = memory_alloc(n, sizeof *t.where, "order of the pool");
    t.special = memory_alloc(n + 1, sizeof *t.special, "partners of the pool");
    t.other = memory_alloc(2 * n, sizeof *t.other, "partners of the pool");
    if (!t.origin || !t.where || !t.special || !t.other) goto done;
    find_spans(&t, sorted);
    if (o->positives != POSITIVES_AUXILIARY) find_partners(&t, p, place);
    *out = t;
    st = STATUS_OK;
done:
    if (st != STATUS_OK) tiles_destroy(&t);
    memory_free(key);
    memory_free(place);
    return st;
}

status tiles_create(tiles *out, const contrast_options *o, const contrast_pool *p, bool pairs) {
    tiles t = {0};
    status st = tiles_check(p, 0);
    if (st == STATUS_OK) st = tiles_index(&t, o, p, pairs);
    if (st != STATUS_OK) return st;
    tiles_space space = tiles_space_of((size_t)t.n, t.d, pairs);
    t.borrowed = false;
    t.rows = memory_alloc(space.rows, sizeof *t.rows, "sorted pool");
    t.panels = memory_alloc(space.panels, sizeof *t.panels, "sorted pool");
    if (!t.rows || !t.panels) {
        tiles_destroy(&t);
        return STATUS_FAILED;
    }
    tiles_pack(&t, o, p, 0, 1);
    *out = t;
    return STATUS_OK;
}

void tiles_destroy(tiles *t) {
    memory_free(t->origin);
    memory_free(t->where);
    memory_free(t->special);
    memory_free(t->other);
    if (t->borrowed) return;
    memory_free(t->rows);
    memory_free(t->panels);
}

/* A caller's rows are scattered over the sorted pool. */
int32_t tiles_select(const tiles *t, size_t first, size_t count, int32_t *chosen) {
    int32_t selected = 0;
    for (int32_t i = 0; i < t->n; i++) {
        size_t row = (size_t)t->origin[i];
        if (row >= first && row - first < count) chosen[selected++] = i;
    }
    return selected;
}

/* Whole pieces of a row, the last one padded. */
size_t anchors_floats(const tiles *t) {
    return (size_t)product_pieces(t->steps) * TILE_ROWS * TILE_STRIDE;
}

/* Anchors side by side as the product reads them, from the panels, and the range of columns that
 * any of them needs. Row i of piece p begins at (p * TILE_ROWS + i) * TILE_STRIDE. The range is
 * wider than an anchor's own where the tile lies across a border of segments; the callers mask. */
void anchors_gather(anchors *out, const tiles *t, const int32_t *position, int count) {
    span all = t->where[position[0]];
    size_t steps = (size_t)t->steps;
    memset(out->a, 0, anchors_floats(t) * sizeof *out->a);
    for (int i = 0; i < count; i++) {
        const span *s = &t->where[position[i]];
        if (s->segment_begin < all.segment_begin) all.segment_begin = s->segment_begin;
        if (s->segment_end > all.segment_end) all.segment_end = s->segment_end;
        if (s->run_begin < all.run_begin) all.run_begin = s->run_begin;
        if (s->run_end > all.run_end) all.run_end = s->run_end;
        out->position[i] = position[i];
        const product_word *panel = t->panels + (size_t)(position[i] / PANEL) * PANEL * steps;
        for (size_t k = 0; k < steps; k++) {
            size_t at = (k / TILE_COLUMNS * TILE_ROWS + (size_t)i) * TILE_STRIDE;
            out->a[at + k % TILE_COLUMNS] = panel[k * PANEL + (size_t)(position[i] % PANEL)];
        }
    }
    out->count = count;
    out->segment_begin = all.segment_begin;
    out->segment_end = all.segment_end;
    out->run_begin = all.run_begin;
    out->run_end = all.run_end;
}

/* From whole panels to the end of a block of 256: borders follow from positions alone, so that a
 * tile is the same whoever asks. */
columns columns_at(int32_t from, int32_t end) {
    columns c = {.begin = from / PANEL * PANEL, .end = (from / TILE_COLUMNS + 1) * TILE_COLUMNS};
    if (c.end > end) c.end = (end + PANEL - 1) / PANEL * PANEL;
    return c;
}

void tiles_dots(const tiles *t, const anchors *a, columns c, float *dot) {
    for (int32_t column = c.begin; column < c.end; column += PANEL)
        product_panel(a->a, t->steps, t->panels + (size_t)column * (size_t)t->steps,
            dot + (column - c.begin), TILE_STRIDE, t->pairs);
}

/* For single pairs: in float64, as accuracy is free there. */
double tiles_dot(const tiles *t, int32_t i, int32_t j) {
    const float *a = t->rows + (size_t)i * (size_t)t->pitch;
    const float *b = t->rows + (size_t)j * (size_t)t->pitch;
    double sum = 0;
    for (int k = 0; k < t->d; k++) sum += (double)a[k] * (double)b[k];
    return sum;
}
