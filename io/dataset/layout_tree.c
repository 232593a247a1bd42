/* A table of a layout made a list. Images and label maps are matched by their names without
 * endings; both folders are listed once, so that a label map that is missing is known without
 * asking the file system for each image. What is not there of a part that is optional in downloads
 * (a test set, the coarse labels' extra images) is left out: the first part alone decided that this
 * is the form. */
#include "io/dataset/layout_tree.h"

#include "io/dataset/layout_walk.h"
#include "io/files/file.h"
#include "io/files/text_lines.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A part while it is read; folders are below root, with `inside`. */
typedef struct reading {
    layout *l;
    const layout_part *p;
    const char *root;
    char images[FILE_PATH], labels[FILE_PATH];
    layout_files maps; /* label maps below labels, sorted by strcmp */
    int missing;       /* images without one */
} reading;

/* root/inside/folder, or without what is empty. */
static status join(char *path, const char *root, const char *inside, const char *folder) {
    char below[FILE_PATH];
    status st = file_path(below, inside, folder);
    return st == STATUS_OK ? file_path(path, root, below) : st;
}

/* The first of the folders "a|b" that holds a file of such an ending: inside/folder. */
static bool find_folder(
    char *found, const char *root, const char *inside, const char *folders, const char *ends) {
    char one[FILE_PATH], path[FILE_PATH];
    for (const char *at = folders; at;) {
        int length = (int)strcspn(at, "|");
        snprintf(one, sizeof one, "%.*s", length, at);
        if (file_path(found, inside, one) == STATUS_OK &&
            file_path(path, root, found) == STATUS_OK && layout_walk_any(path, ends))
            return true;
        at = at[length] ? at + length + 1 : NULL;
    }
    return false;
}

/* As cheap as can be, in the order of what is most likely to be missing. */
static bool part_there(const layout_part *p, const char *root, const char *inside) {
    char path[FILE_PATH];
    if (p->list && (join(path, root, inside, p->list) != STATUS_OK || !file_exists(path)))
        return false;
    return find_folder(path, root, inside, p->images, p->image_end) &&
           (!p->labels || find_folder(path, root, inside, p->labels, p->label_end));
}

bool layout_tree_there(const layout_variant *v, const char *root, const char *inside) {
    return part_there(v->part, root, inside);
}

static int compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The label map of image x, by each ending in turn; false: there is none. */
static bool find_map(const reading *r, const char *x, char *map) {
    const char *ends = r->maps.count > 0 ? r->p->label_end : NULL;
    for (const char *end = ends; end;) {
        int length = (int)strcspn(end, "|");
        char name[FILE_PATH], *key = name;
        int n = snprintf(name, sizeof name, "%s%.*s", x, length, end);
        if (n > 0 && (size_t)n < sizeof name &&
            bsearch(&key, r->maps.path, (size_t)r->maps.count, sizeof *r->maps.path, compare))
            return file_path(map, r->labels, name) == STATUS_OK;
        end = end[length] ? end + length + 1 : NULL;
    }
    return false;
}

/* Image x with its label map, which must be there if `sure`: lists are taken at their word. */
static status append(reading *r, const char *x, const char *end, bool sure) {
    char name[FILE_PATH], picture[FILE_PATH], map[FILE_PATH];
    const layout_part *p = r->p;
    const char *base = strrchr(x, '/');
    split which = p->split_of ? p->split_of(base ? base + 1 : x) : p->split;
    if ((size_t)snprintf(name, sizeof name, "%s%s", x, end) >= sizeof name ||
        file_path(picture, r->images, name) != STATUS_OK) {
        log_error("%s: too long a path", x);
        return STATUS_DATA;
    }
    bool labelled = p->labels && find_map(r, x, map);
    if (p->labels && sure && !labelled) {
        int length = (int)strcspn(p->label_end, "|");
        snprintf(name, sizeof name, "%s%.*s", x, length, p->label_end);
        labelled = file_path(map, r->labels, name) == STATUS_OK;
    }
    if (p->labels && !labelled && r->missing++ == 0)
        log_warn("%s has no label map below %s", picture, r->labels);
    return layout_append(r->l, r->root, which, picture, labelled ? map : NULL);
}

/* Every image below the folder. */
static status read_folder(reading *r) {
    char path[FILE_PATH];
    layout_files files = {0};
    status st = file_path(path, r->root, r->images);
    if (st == STATUS_OK) st = layout_walk(path, r->p->image_end, &files);
    for (int i = 0; st == STATUS_OK && i < files.count; i++) {
        char *name = files.path[i], end[FILE_PATH];
        size_t stem = strlen(name) - (size_t)layout_end_of(name, r->p->image_end);
        snprintf(end, sizeof end, "%s", name + stem);
        name[stem] = 0;
        st = append(r, name, end, false);
    }
    layout_files_destroy(&files);
    return st;
}

/* Names, one a line. Some lists say more after a blank (whether an object is there): not ours. */
static status read_names(reading *r, const char *path) {
    char end[32];
    text_lines text;
    snprintf(end, sizeof end, "%.*s", (int)strcspn(r->p->image_end, "|"), r->p->image_end);
    status st = text_lines_open(&text, path);
    if (st == STATUS_OK) st = layout_begin_list(r->l, path);
    for (char *line; st == STATUS_OK && (line = text_lines_next(&text));) {
        int first = r->l->items;
        line[strcspn(line, " \t")] = 0;
        st = append(r, line, end, true);
        layout_note_line(r->l, first, text.number);
    }
    text_lines_close(&text);
    return st;
}

/* A part that is not there is none; the label maps of one that has lost them alone are missing from
 * each of its images, which is said once. */
static status read_part(reading *r, const char *inside) {
    char path[FILE_PATH];
    const layout_part *p = r->p;
    status st = STATUS_OK;
    r->missing = 0;
    if (!find_folder(r->images, r->root, inside, p->images, p->image_end)) return STATUS_OK;
    if (p->list && (join(path, r->root, inside, p->list) != STATUS_OK || !file_exists(path)))
        return STATUS_OK;
    if (p->labels && find_folder(r->labels, r->root, inside, p->labels, p->label_end)) {
        char maps[FILE_PATH];
        st = file_path(maps, r->root, r->labels);
        if (st == STATUS_OK) st = layout_walk(maps, p->label_end, &r->maps);
        if (st == STATUS_OK && r->maps.count > 0)
            qsort(r->maps.path, (size_t)r->maps.count, sizeof *r->maps.path, compare);
    } else if (p->labels) {
        snprintf(r->labels, sizeof r->labels, "%.*s", (int)strcspn(p->labels, "|"), p->labels);
    }
    if (st == STATUS_OK) st = p->list ? read_names(r, path) : read_folder(r);
    if (r->missing > 1) log_warn("%d images have no label map below %s", r->missing, r->labels);
    layout_files_destroy(&r->maps);
    return st;
}

status layout_tree_read(layout *l, const layout_variant *v, const char *root, const char *inside) {
    status st = STATUS_OK;
    reading *r = memory_alloc(1, sizeof *r, "layout");
    if (!r) return STATUS_FAILED;
    r->l = l;
    r->root = root;
    for (const layout_part *p = v->part; p->images && st == STATUS_OK; p++) {
        r->p = p;
        st = read_part(r, inside);
    }
    memory_free(r);
    return st == STATUS_OK ? layout_sort_splits(l) : st;
}

void layout_tree_expected(const layout_variant *v, char *text, size_t size) {
    const layout_part *p = v->part;
    int n = snprintf(text, size, "%.*s/*%.*s with %.*s/*%.*s", (int)strcspn(p->images, "|"),
        p->images, (int)strcspn(p->image_end, "|"), p->image_end, (int)strcspn(p->labels, "|"),
        p->labels, (int)strcspn(p->label_end, "|"), p->label_end);
    if (p->list && n > 0 && (size_t)n < size)
        snprintf(text + n, size - (size_t)n, " and %s", p->list);
}
