/* Which pixels are compared. Evenly over labels: else a road or a sky, half of all pixels, would
 * fill the pool. Every draw comes from one stream a view in the order that stands here: it is part
 * of a training's bits.
 *
 * At boundaries of labels two regions are to be told apart, and there labels are the least sure:
 * whoever wants more of these pixels, or fewer, says so by a share. It changes the order within a
 * label's list, nothing else. */
#include "src/contrast/choose_pixels.h"

#include "src/base/memory.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { LABELS = LABEL_IGNORE + 1 };

/* Pixels with a label, shuffled, in lists by label. */
typedef struct lists {
    uint32_t *order; /* [pixels], scratch of the shuffle */
    int *pixel;      /* [pixels], by label */
    int *begin;      /* [labels + 1] */
    int *present;    /* [labels]: those that occur, in random order */
    int labels;
} lists;

/* Also of lists that were made half. */
static void lists_destroy(lists *l) {
    memory_free(l->order);
    memory_free(l->pixel);
    memory_free(l->begin);
    memory_free(l->present);
}

/* One random order of all pixels, dealt to their labels in that order, shuffles every list at
 * once. Labels are counted first, so that the lists lie behind each other in one array. */
static status lists_create(lists *out, random_stream *r, const uint16_t *label, int pixels) {
    lists l = {.order = memory_alloc((size_t)pixels, sizeof *l.order, "sampling"),
        .pixel = memory_alloc((size_t)pixels, sizeof *l.pixel, "sampling"),
        .begin = memory_alloc(LABELS + 1, sizeof *l.begin, "sampling"),
        .present = memory_alloc(LABELS, sizeof *l.present, "sampling")};
    if (!l.order || !l.pixel || !l.begin || !l.present) {
        lists_destroy(&l);
        return STATUS_FAILED;
    }
    random_permutation(r, l.order, (uint32_t)pixels);
    for (int i = 0; i < pixels; i++) l.begin[label[i] + 1]++;
    for (int c = 0; c < LABELS; c++) {
        if (c != LABEL_IGNORE && l.begin[c + 1] > 0) l.present[l.labels++] = c;
        l.begin[c + 1] += l.begin[c];
    }
    for (int i = 0; i < pixels; i++) {
        int p = (int)l.order[i];
        l.pixel[l.begin[label[p]]++] = p;
    }
    /* Each begin has moved to the end of its list, the begin of the next. */
    memmove(l.begin + 1, l.begin, LABELS * sizeof *l.begin);
    l.begin[0] = 0;
    /* The last turn takes some labels only: chance decides which. */
    for (int i = l.labels; i > 1; i--) {
        int j = (int)random_below(r, (uint64_t)i), c = l.present[i - 1];
        l.present[i - 1] = l.present[j];
        l.present[j] = c;
    }
    *out = l;
    return STATUS_OK;
}

/* Whether a neighbour of pixel i has another label. */
static bool at_boundary(const label_grid *g, int i) {
    int row = i / g->w, column = i % g->w;
    const int near[4] = {row > 0 ? i - g->w : i, row + 1 < g->h ? i + g->w : i,
        column > 0 ? i - 1 : i, column + 1 < g->w ? i + 1 : i};
    for (int k = 0; k < 4; k++) {
        uint16_t other = g->label[near[k]];
        if (other != g->label[i] && other != LABEL_IGNORE) return true;
    }
    return false;
}

/* list [n] with pixels at boundaries in so many of its places, evenly spread from a random phase
 * on, so that the share holds also where few pixels of each label are taken. Both kinds stay in
 * their random order; where one is used up the other follows. work [n]. */
static void spread_boundary(random_stream *r, const label_grid *g, int *list, int n, int *work) {
    int border = 0, inside = n, next[2] = {0, n};
    double phase = random_uniform(r);
    /* Those inside stand in `work` from its end on, backwards. */
    for (int i = 0; i < n; i++)
        if (at_boundary(g, list[i]))
            work[border++] = list[i];
        else
            work[--inside] = list[i];
    for (int i = 0; i < n; i++) {
        bool due = floor((i + 1) * g->boundary + phase) > floor(i * g->boundary + phase);
        if (next[0] == border) due = false;
        if (next[1] == inside) due = true;
        list[i] = due ? work[next[0]++] : work[--next[1]];
    }
}

/* Every label's list, labels in their random order. */
static void spread_boundaries(random_stream *r, const label_grid *g, lists *l) {
    if (g->boundary < 0) return;
    for (int i = 0; i < l->labels; i++) {
        int first = l->begin[l->present[i]], n = l->begin[l->present[i] + 1] - first;
        /* The shuffle is over, its order is free. */
        spread_boundary(r, g, l->pixel + first, n, (int *)(void *)l->order);
    }
}

/* A pixel of each label in turn; a label whose list is used up leaves, the others go on. place: the
 * map by which pixels are at boundaries; label: who is drawn. */
static status choose(random_stream *r, const label_grid *place, const uint16_t *label, int wanted,
    int *chosen, int *count) {
    lists l;
    status st = lists_create(&l, r, label, place->h * place->w);
    if (st != STATUS_OK) return st;
    spread_boundaries(r, place, &l);
    int taken = 0;
    for (int turn = 0; taken < wanted && l.labels > 0; turn++) {
        int open = 0;
        for (int i = 0; i < l.labels && taken < wanted; i++) {
            int c = l.present[i], at = l.begin[c] + turn;
            chosen[taken++] = l.pixel[at];
            if (at + 1 < l.begin[c + 1]) l.present[open++] = c;
        }
        l.labels = open;
    }
    *count = taken;
    lists_destroy(&l);
    return STATUS_OK;
}

status choose_evenly(random_stream *r, const label_grid *g, int wanted, int *chosen, int *count) {
    return choose(r, g, g->label, wanted, chosen, count);
}

/* second [h * w]: for each pixel of pair[0] the one of pair[1] that shows the same place, or -1.
 * By the middle of a pixel, so that a pixel of the second view may be that of several. */
static void correspond(const view pair[2], int h, int w, int *second) {
    for (int i = 0; i < h * w; i++) {
        double y, x;
        int row = i / w, column = i % w;
        second[i] = -1;
        if (!view_correspond(&pair[0], &pair[1], (row + 0.5) / h, (column + 0.5) / w, &y, &x))
            continue;
        int to_row = (int)(y * h), to_column = (int)(x * w);
        if (to_row < h && to_column < w) second[i] = to_row * w + to_column;
    }
}

/* Pixels whose place is not in the other view are ignored ones; then the choice is that of single
 * pixels. */
status choose_pairs(
    random_stream *r, const view pair[2], const label_grid *g, int wanted, pixel_pairs *out) {
    size_t pixels = (size_t)g->h * (size_t)g->w;
    int *match = memory_alloc(pixels, sizeof *match, "sampling of pairs");
    uint16_t *visible = memory_alloc(pixels, sizeof *visible, "sampling of pairs");
    status st = match && visible ? STATUS_OK : STATUS_FAILED;
    if (st != STATUS_OK) goto done;
    correspond(pair, g->h, g->w, match);
    /* Uniformly: evenly over a single label. */
    for (size_t i = 0; i < pixels; i++)
        visible[i] = match[i] < 0 ? LABEL_IGNORE : g->label ? g->label[i] : 0;
    /* Boundaries are those of the labels, not of what the other view shows. */
    const label_grid place = {g->h, g->w, g->label, g->label ? g->boundary : -1};
    st = choose(r, &place, visible, wanted, out->first, &out->count);
    if (st != STATUS_OK) goto done;
    for (int i = 0; i < out->count; i++) out->second[i] = match[out->first[i]];
done:
    memory_free(match);
    memory_free(visible);
    return st;
}
