/* The list of a data set's images on every rank. One rank walks folders and reads lists: thousands
 * of ranks that ask a parallel file system for the same names are a well-known way to bring it
 * down. The list travels as one block of texts. What layout.c lists on rank 0 is the same list here
 * on every rank, item by item: indices of items are what ranks talk about from then on. */
#include "io/dataset/layout_share.h"

#include "io/files/file.h"
#include "src/base/hash.h"
#include "src/base/memory.h"

#include <string.h>
#include <sys/stat.h>

/* Items one after another: split, then image, label ("" for none) and name with their ends. Bytes
 * of the item; to NULL: only counts, so that counting and writing cannot disagree. */
static size_t put_item(const layout_item *x, char *to) {
    const char *part[3] = {x->image, x->label ? x->label : "", x->name};
    size_t size = 1;
    if (to) to[0] = (char)x->split;
    for (int i = 0; i < 3; i++) {
        size_t n = strlen(part[i]) + 1;
        if (to) memcpy(to + size, part[i], n);
        size += n;
    }
    return size;
}

static char *copy_text(const char *text) {
    size_t n = strlen(text) + 1;
    char *copy = memory_alloc(n, 1, "path");
    if (copy) memcpy(copy, text, n);
    return copy;
}

/* On failure what has been made is in l, for layout_destroy. */
static status take_items(layout *l, const char *from) {
    for (int i = 0; i < l->items; i++) {
        layout_item *x = &l->item[i];
        const char *label, *name, *picture = from + 1;
        label = picture + strlen(picture) + 1;
        name = label + strlen(label) + 1;
        *x = (layout_item){.image = copy_text(picture),
            .label = *label ? copy_text(label) : NULL,
            .name = copy_text(name),
            .split = (split)from[0]};
        if (!x->image || !x->name || (*label && !x->label)) return STATUS_FAILED;
        from = name + strlen(name) + 1;
    }
    return STATUS_OK;
}

/* The length first, so that all can make room, then the texts. */
status layout_share(const comm *c, const settings *s, layout *out) {
    layout l = {0};
    uint64_t head[3] = {0}; /* items, bytes, form */
    char *block = NULL;
    status st = comm_agree(c, comm_root(c) ? layout_read(&l, s) : STATUS_OK);
    if (st != STATUS_OK) goto done;
    head[0] = (uint64_t)l.items;
    head[2] = comm_root(c) ? (uint64_t)layout_variant_number(s, l.variant) : 0;
    for (int i = 0; i < l.items; i++) head[1] += put_item(&l.item[i], NULL);
    comm_broadcast(c, head, sizeof head);
    l.variant = layout_variant_at(s, (int)head[2]);
    block = memory_alloc((size_t)head[1], 1, "list of images");
    /* Items are counted only once they can be destroyed: l.items is set below. */
    if (!comm_root(c)) l.item = memory_alloc((size_t)head[0], sizeof *l.item, "list of images");
    st = comm_agree(c, block && l.item ? STATUS_OK : STATUS_FAILED);
    if (st != STATUS_OK) goto done;
    for (size_t i = 0, at = 0; comm_root(c) && i < head[0]; i++)
        at += put_item(&l.item[i], block + at);
    comm_broadcast(c, block, (size_t)head[1]);
    l.items = (int)head[0];
    if (!comm_root(c)) st = take_items(&l, block);
    st = comm_agree(c, st);
done:
    memory_free(block);
    if (st == STATUS_OK)
        *out = l;
    else
        layout_destroy(&l);
    return st;
}

/* Name, size and time of modification, as `make` would see it: contents are not read. A file that
 * is missing has a stamp, too. */
static uint64_t stamp_file(uint64_t before, const char *path, int *found) {
    struct stat info;
    int64_t facts[3] = {0};
    if (path && stat(path, &info) == 0) {
        facts[0] = info.st_size;
        facts[1] = info.st_mtim.tv_sec;
        facts[2] = info.st_mtim.tv_nsec;
        if (found) ++*found;
    }
    before = hash_append(before, path ? path : "", path ? strlen(path) : 0);
    return hash_append(before, facts, sizeof facts);
}

/* Of an image, its label map, and what dataset.h5 says of them: the same files in the same order
 * may be split at another place, or have other names. */
static uint64_t stamp_item(uint64_t before, const layout_item *x, int *found) {
    const int64_t which = x->split;
    before = stamp_file(stamp_file(before, x->image, found), x->label, NULL);
    before = hash_append(before, &which, sizeof which);
    return hash_append(before, x->name, strlen(x->name) + 1);
}

/* A file that a setting names, below root. A map of label ids may be a file; where it is none,
 * nothing is found under its name. */
static uint64_t stamp_named(uint64_t before, const settings *s, const char *given) {
    char path[FILE_PATH];
    const char *root = given[0] == '/' ? "" : s->dataset.root;
    return given[0] && file_path(path, root, given) == STATUS_OK ? stamp_file(before, path, NULL)
                                                                 : before;
}

/* Rank 0 asks for every file's size and time, one after another: a data set is packed once, and a
 * stamp that is wrong would skip what has changed. */
status layout_stamp(const comm *c, const settings *s, uint64_t *stamp, int *found) {
    layout l = {0};
    status st = comm_agree(c, comm_root(c) ? layout_read(&l, s) : STATUS_OK);
    *stamp = 0;
    *found = 0;
    for (int i = 0; i < l.items; i++) *stamp = stamp_item(*stamp, &l.item[i], found);
    *stamp = stamp_named(*stamp, s, s->dataset.label_map);
    *stamp = stamp_named(*stamp, s, s->dataset.colours);
    layout_destroy(&l);
    comm_broadcast(c, stamp, sizeof *stamp);
    return st;
}
