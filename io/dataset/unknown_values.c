/* A wrong map of ids shows in every file: one message a file would hide what is wrong. Each value
 * is named once, where it was seen first, so that it can be looked up in the picture, with how
 * often it is there, which tells a stray pixel from a class that was forgotten. */
#include "io/dataset/unknown_values.h"

#include "src/base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void unknown_values_add(unknown_values *u, uint32_t value, int item, int x, int y, int64_t n) {
    int i = 0;
    while (i < u->count && u->value[i].value != value) i++;
    if (i == UNKNOWN_KEPT) {
        u->others += n;
        return;
    }
    if (i == u->count)
        u->value[u->count++] =
            (unknown_value){.value = value, .item = item, .x = x, .y = y, .at = -1};
    u->value[i].pixels += n;
    u->value[i].maps += u->value[i].at != item;
    u->value[i].at = item;
}

void unknown_values_merge(unknown_values *u, const unknown_values *from) {
    for (int k = 0; k < from->count; k++) {
        const unknown_value *v = &from->value[k];
        int i = 0;
        while (i < u->count && u->value[i].value != v->value) i++;
        if (i == UNKNOWN_KEPT) {
            u->others += v->pixels;
            continue;
        }
        if (i == u->count) {
            u->value[u->count++] = *v;
            continue;
        }
        unknown_value *mine = &u->value[i];
        int64_t pixels = mine->pixels + v->pixels, maps = mine->maps + v->maps;
        if (v->item < mine->item) *mine = *v;
        mine->pixels = pixels;
        mine->maps = maps;
    }
    u->others += from->others;
    u->maps += from->maps;
    u->looked += from->looked;
}

/* By place, then by value: values of one item come in the order of its pixels. */
static int compare(const void *a, const void *b) {
    const unknown_value *v = a, *w = b;
    if (v->item != w->item) return v->item < w->item ? -1 : 1;
    if (v->y != w->y) return v->y < w->y ? -1 : 1;
    return v->x < w->x ? -1 : v->x > w->x;
}

/* What the value is, and what it would have to be. */
static void describe(const dataset_table *t, uint32_t value, char *text, size_t size) {
    if (t->colours.count > 0)
        snprintf(text, size, "colour %u %u %u is none of the %d colours of the labels",
            (unsigned)(value >> 16), (unsigned)(value >> 8 & 255), (unsigned)(value & 255),
            t->colours.count);
    else
        snprintf(text, size,
            "label id %u is neither a class (0 to %d), nor dataset.ignore = %d, nor in "
            "dataset.label_map",
            (unsigned)value, t->classes - 1, t->ignore);
}

int unknown_values_report(
    unknown_values *u, const dataset_table *t, const layout *l, bool as_warning) {
    void (*say)(const char *, ...) = as_warning ? log_warn : log_error;
    qsort(u->value, (size_t)u->count, sizeof *u->value, compare);
    for (int i = 0; i < u->count; i++) {
        const unknown_value *v = &u->value[i];
        char what[160];
        describe(t, v->value, what, sizeof what);
        say("%s: %s: first at column %d, row %d; %" PRId64 " pixels in %" PRId64 " of %" PRId64
            " label maps that were looked at",
            l->item[v->item].label, what, (int)v->x, (int)v->y, v->pixels, v->maps, u->looked);
    }
    if (u->others > 0)
        log_warn("label maps: %" PRId64 " pixels more of other ids or colours that mean nothing",
            u->others);
    return u->count;
}
