/* What `auxseg check` says of a data set beside its mistakes: what was taken for what, so that a
 * wrong folder, a wrong map of ids or a split that is too short is seen before anything is
 * computed. Shares of classes are of the label maps that were decoded, an even sample that depends
 * on the data set alone. */
#include "io/dataset/label_oddities.h"
#include "io/dataset/layout_tree.h"
#include "src/app/stage/prediction_names.h"
#include "src/app/tools/check_state.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 96 }; /* letters of a line of classes */

/* The form, for layouts that have several, and the place of its files. */
static void tell_layout(const check *k, const check_found *f) {
    const layout_variant *v = f->l->variant;
    char expected[512];
    if (v->kind != LAYOUT_TREE) return;
    layout_tree_expected(v, expected, sizeof expected);
    log_info("layout %s, variant %s: %s; label maps are %s",
        dataset_layout_words[k->s->dataset.layout], v->name, expected,
        f->t && f->t->colours.count > 0 ? "colours" : "ids");
}

/* By area, then by width. */
static int compare_shapes(const void *a, const void *b) {
    const uint32_t *x = a, *y = b;
    uint64_t of_x = (uint64_t)x[0] * x[1], of_y = (uint64_t)y[0] * y[1];
    if (of_x != of_y) return of_x < of_y ? -1 : 1;
    return x[1] < y[1] ? -1 : x[1] > y[1];
}

/* Smallest, largest and most frequent size, of the images that were opened. Equal sizes stand
 * beside each other in the sorted copy, so that the longest run is the most frequent. */
static void tell_sizes(check *k, const check_found *f) {
    int n = 0, best = 0, longest = 0;
    uint32_t(*sorted)[2] = memory_alloc((size_t)f->l->items, sizeof *sorted, "sizes of images");
    if (!sorted) {
        check_note(k, STATUS_FAILED);
        return;
    }
    for (int i = 0; i < f->l->items; i++)
        if (f->shape[i][0] > 0) memcpy(sorted[n++], f->shape[i], sizeof *sorted);
    qsort(sorted, (size_t)n, sizeof *sorted, compare_shapes);
    for (int i = 0, run = 0; i < n; i++) {
        run = i > 0 && memcmp(sorted[i], sorted[i - 1], sizeof *sorted) == 0 ? run + 1 : 1;
        if (run <= longest) continue;
        longest = run;
        best = i;
    }
    if (n > 0 && longest == n)
        log_info("sizes: all %u x %u pixels", sorted[0][1], sorted[0][0]);
    else if (n > 0)
        log_info("sizes: smallest %u x %u, largest %u x %u, most frequent %u x %u (%d of %d)",
            sorted[0][1], sorted[0][0], sorted[n - 1][1], sorted[n - 1][0], sorted[best][1],
            sorted[best][0], longest, n);
    memory_free(sorted);
}

/* A list of classes and shares in lines of LINE letters, each begun by two blanks. */
static void tell_shares(const label_shares *s, double all) {
    char line[2 * LINE] = "";
    size_t used = 0;
    for (int y = 0; y <= s->classes; y++) {
        char one[LINE];
        if (s->pixels[y] == 0) continue;
        int n = snprintf(one, sizeof one, "%.48s %.2f %%", y < s->classes ? s->name[y] : "no class",
            100 * (double)s->pixels[y] / all);
        if (used > 0 && used + (size_t)n + 2 > LINE) {
            log_info("  %s,", line);
            used = 0;
        }
        used += (size_t)snprintf(line + used, sizeof line - used, "%s%s", used ? ", " : "", one);
    }
    if (used > 0) log_info("  %s", line);
}

static void tell_classes(check *k, const check_found *f) {
    const dataset_table *t = f->t;
    label_oddity odd[LABEL_ODDITIES];
    int64_t maps = f->count->unknown.looked - f->count->unknown.maps, all = 0;
    if (!t || t->classes == 0 || maps == 0) return;
    int64_t *pixels = memory_alloc((size_t)t->classes + 1, sizeof *pixels, "counts of pixels");
    if (!pixels) {
        check_note(k, STATUS_FAILED);
        return;
    }
    for (int id = 0; id < LABEL_IDS; id++) {
        pixels[t->map[id] == LABEL_IGNORE ? t->classes : t->map[id]] += f->count->pixels[id];
        all += f->count->pixels[id];
    }
    label_shares shares = {pixels, t->classes, t->ignore, (const char *const *)t->class_name};
    log_info(
        "%d classes; of the pixels of %" PRId64 " label maps that were decoded:", t->classes, maps);
    if (all > 0) tell_shares(&shares, (double)all);
    int n = label_oddities(&shares, odd);
    for (int i = 0; i < n; i++) log_warn("labels: %s", odd[i]);
    memory_free(pixels);
}

/* Of each split, as `predict` names its files. */
static void tell_names(check *k, const check_found *f) {
    const char **name = memory_alloc((size_t)f->l->items, sizeof *name, "names of images");
    if (!name) check_note(k, STATUS_FAILED);
    for (int which = 0; name && which < SPLIT_COUNT; which++) {
        int count = 0;
        for (int i = 0; i < f->l->items; i++)
            if (f->l->item[i].split == (split)which) name[count++] = f->l->item[i].name;
        check_note(k, prediction_names_warn(name, count));
    }
    memory_free(name);
}

void check_tell(check *k, const check_found *f) {
    tell_layout(k, f);
    tell_sizes(k, f);
    tell_classes(k, f);
    tell_names(k, f);
}
