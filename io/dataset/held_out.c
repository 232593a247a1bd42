/* Whoever tries many settings on the validation images has chosen by them, and what is then
 * measured on them is too good. So settings are tried on training images that nothing is trained
 * on. In a film the next frame is nearly the same image: frames that are drawn one by one would
 * stand between their neighbours, and say how well a network remembers. Blocks of neighbours leave
 * only their ends beside what is trained on. Unlike the labelled share they are not drawn by
 * run.seed, as runs of other seeds are to be measured on the same images. */
#include "io/dataset/held_out.h"

#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Neighbours in the sorted list of candidates. */
typedef struct block {
    uint64_t key;
    int first, count;
} block;

static bool is_digit(char c) {
    return isdigit((unsigned char)c) != 0;
}

/* Order of two names in which every number counts as the same sign: 0 for names of a sequence. */
static int compare_sequences(const char *a, const char *b) {
    for (;; a++, b++) {
        bool number = is_digit(*a) && is_digit(*b);
        if (!number && *a != *b) return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
        if (!*a) return 0;
        if (!number) continue;
        while (is_digit(a[1])) a++;
        while (is_digit(b[1])) b++;
    }
}

/* By value, of any length: 9 before 10, 007 like 7. Moves both behind their numbers. */
static int compare_numbers(const char **a, const char **b) {
    while (**a == '0') ++*a;
    while (**b == '0') ++*b;
    size_t n = strspn(*a, "0123456789"), m = strspn(*b, "0123456789");
    int order = n != m ? (n < m ? -1 : 1) : strncmp(*a, *b, n);
    *a += n;
    *b += m;
    return order;
}

/* Of items: sequences one after another, each in the order of its numbers, the first one first.
 * Names are unique, so that the order is one. */
static int compare_items(const void *x, const void *y) {
    const layout_item *const *one = x, *const *other = y;
    const char *a = (*one)->name, *b = (*other)->name;
    int order = compare_sequences(a, b);
    while (order == 0 && *a) {
        if (is_digit(*a)) {
            order = compare_numbers(&a, &b);
        } else {
            a++;
            b++;
        }
    }
    return order != 0 ? order : strcmp((*one)->name, (*other)->name);
}

static int compare_blocks(const void *x, const void *y) {
    const block *a = x, *b = y;
    if (a->key != b->key) return a->key < b->key ? -1 : 1;
    return a->first < b->first ? -1 : 1;
}

/* Sorted candidates into out [n]; returns how many blocks. */
static int cut_blocks(layout_item *const *item, int n, int longest, block *out) {
    int blocks = 0;
    for (int i = 0; i < n; i++) {
        bool next = i == 0 || out[blocks - 1].count == longest ||
                    compare_sequences(item[i - 1]->name, item[i]->name) != 0;
        if (next) out[blocks++] = (block){hash_bytes(item[i]->name, strlen(item[i]->name)), i, 0};
        out[blocks - 1].count++;
    }
    return blocks;
}

/* Below 1 it is a share. */
static int wanted_of(const settings *s, int candidates) {
    double x = s->dataset.held_out;
    return (int)fmin(candidates, x >= 1 ? x : fmax(1, floor(x * candidates + 0.5)));
}

/* Moves images to their new split, block after block. item [n]: candidates, sorted here. */
static status draw(layout *l, const settings *s, layout_item **item, int n, split to) {
    int wanted = wanted_of(s, n);
    if (wanted >= n) {
        log_error("dataset.held_out = %g: of %d labelled training images none would be left",
            s->dataset.held_out, n);
        return STATUS_USAGE;
    }
    block *b = memory_alloc((size_t)n, sizeof *b, "blocks of images");
    if (!b) return STATUS_FAILED;
    qsort(item, (size_t)n, sizeof *item, compare_items);
    int blocks = cut_blocks(item, n, s->dataset.held_out_block, b);
    qsort(b, (size_t)blocks, sizeof *b, compare_blocks);
    for (int i = 0; i < blocks; i++)
        for (int k = 0; k < b[i].count && l->held_out < wanted; k++) {
            item[b[i].first + k]->split = to;
            l->held_out++;
        }
    memory_free(b);
    return STATUS_OK;
}

/* Items of the split leave the list; the order of the rest stays. */
static void drop_split(layout *l, split which) {
    int kept = 0;
    for (int i = 0; i < l->items; i++) {
        layout_item *x = &l->item[i];
        if (x->split != which) {
            l->item[kept++] = *x;
            continue;
        }
        memory_free(x->image);
        memory_free(x->label);
        memory_free(x->name);
    }
    l->items = kept;
}

status held_out_take(layout *l, const settings *s) {
    if (s->dataset.held_out == 0) return STATUS_OK;
    bool instead = s->dataset.held_out_for == DATASET_HELD_OUT_FOR_EVALUATE;
    layout_item **item = memory_alloc((size_t)l->items, sizeof *item, "list of images");
    if (!item) return STATUS_FAILED;
    if (instead) drop_split(l, SPLIT_VAL);
    int n = 0;
    for (int i = 0; i < l->items; i++)
        if (l->item[i].split == SPLIT_TRAIN && l->item[i].label) item[n++] = &l->item[i];
    status st = draw(l, s, item, n, instead ? SPLIT_VAL : SPLIT_HELD_OUT);
    memory_free(item);
    return st == STATUS_OK ? layout_sort_splits(l) : st;
}

void held_out_log(const layout *l, const settings *s) {
    if (s->dataset.held_out == 0) return;
    log_info("dataset.held_out: %d labelled training images, which nothing is trained on, %s",
        l->held_out,
        s->dataset.held_out_for == DATASET_HELD_OUT_FOR_EVALUATE
            ? "take the place of the validation images"
            : "are for finetune.validate; the validation images are evaluated");
}
