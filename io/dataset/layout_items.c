/* Items are three texts and a split. Every text is a block of memory of its own, as items are left
 * out one at a time when their files turn out to be bad. */
#include "io/dataset/layout_items.h"

#include "io/files/file.h"
#include "src/base/memory.h"

#include <assert.h>
#include <string.h>

enum { START = 256 }; /* items that the list has room for at first */

static char *copy_text(const char *text) {
    size_t n = strlen(text) + 1;
    char *copy = memory_alloc(n, 1, "path");
    if (copy) memcpy(copy, text, n);
    return copy;
}

void layout_destroy(layout *l) {
    for (int i = 0; i < l->items; i++) {
        memory_free(l->item[i].image);
        memory_free(l->item[i].label);
        memory_free(l->item[i].name);
    }
    memory_free(l->item);
    for (int i = 0; i < l->lists; i++) memory_free(l->list[i]);
    *l = (layout){0};
}

char *layout_join(const char *root, const char *listed) {
    char path[FILE_PATH];
    if (listed[0] == '/') return copy_text(listed);
    return file_path(path, root, listed) == STATUS_OK ? copy_text(path) : NULL;
}

/* Room for one more item. The room follows from the number of items, so that it need not be stored.
 * Items are moved, not their texts: whoever holds a text keeps it. */
static status grow(layout *l) {
    int held = l->items < START ? 0 : l->items; /* room for START, 2 START, 4 START ... */
    if (l->items > 0 && (held == 0 || (held & (held - 1)) != 0)) return STATUS_OK;
    size_t room = held == 0 ? START : 2 * (size_t)held;
    layout_item *more = memory_alloc(room, sizeof *more, "list of images");
    if (!more) return STATUS_FAILED;
    if (l->items > 0) memcpy(more, l->item, (size_t)l->items * sizeof *more);
    memory_free(l->item);
    l->item = more;
    return STATUS_OK;
}

/* The name is the listed path of the image, as it is the user's own word for it. */
status layout_append(
    layout *l, const char *root, split which, const char *image, const char *label) {
    status st = grow(l);
    if (st != STATUS_OK) return st;
    layout_item x = {.image = layout_join(root, image),
        .label = label ? layout_join(root, label) : NULL,
        .name = copy_text(image),
        .split = which};
    if (!x.image || !x.name || (label && !x.label)) {
        memory_free(x.image);
        memory_free(x.label);
        memory_free(x.name);
        return STATUS_FAILED;
    }
    l->item[l->items++] = x;
    return STATUS_OK;
}

/* No layout has so many lists: one for each split, and dataset.unlabelled. */
status layout_begin_list(layout *l, const char *path) {
    assert(l->lists < LAYOUT_LISTS_MOST);
    char *copy = copy_text(path);
    if (!copy) return STATUS_FAILED;
    l->list[l->lists++] = copy;
    return STATUS_OK;
}

void layout_note_line(layout *l, int first, int line) {
    for (int i = first; i < l->items; i++) {
        l->item[i].list = l->lists - 1;
        l->item[i].line = line;
    }
}

/* One pass over the list for each split. As much room as before: grow() goes by it. */
status layout_sort_splits(layout *l) {
    size_t room = START;
    while (room < (size_t)l->items) room *= 2;
    layout_item *sorted = memory_alloc(room, sizeof *sorted, "list of images");
    if (!sorted) return STATUS_FAILED;
    int n = 0;
    for (int which = 0; which < SPLIT_COUNT; which++)
        for (int i = 0; i < l->items; i++)
            if (l->item[i].split == (split)which) sorted[n++] = l->item[i];
    memory_free(l->item);
    l->item = sorted;
    return STATUS_OK;
}
