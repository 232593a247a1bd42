/* A table of a layout made a list. Images and label maps are matched by their names without
 * endings; both folders are listed once, so that a label map that is missing is known without
 * asking the file system for each image. Only a list's images are asked for one by one. What is not
 * there of a part that is optional in downloads (a test set, the coarse labels' extra images) is
 * left out: the first part alone decided that this is the form. */
#include "io/dataset/layout_tree.h"

#include "io/dataset/layout_find.h"
#include "io/dataset/layout_listed.h"
#include "io/dataset/layout_walk.h"
#include "io/files/file.h"
#include "io/files/text_lines.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <stdio.h>
#include <string.h>

/* A part while it is read; folders are below root, with `inside`. */
typedef struct reading {
    layout *l;
    const layout_part *p;
    const char *root;
    char images[FILE_PATH], labels[FILE_PATH];
    layout_files maps, pictures; /* below labels and images, for layout_find */
    bool walked;                 /* pictures are there: only if a list's name asks for it */
    int missing;                 /* images without a label map */
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

/* The label map of image x below root, which must be there if `sure`. "": there is none. */
static status find_map(const reading *r, const char *x, bool sure, char *map) {
    char name[FILE_PATH];
    const char *found = NULL, *ends = r->p->label_end;
    map[0] = 0;
    if (!r->p->labels) return STATUS_OK;
    status st = layout_find(&r->maps, r->labels, x, ends, &found);
    if (st == STATUS_OK && !found && sure) {
        int n = snprintf(name, sizeof name, "%s%.*s", x, (int)strcspn(ends, "|"), ends);
        if (n > 0 && (size_t)n < sizeof name) found = name;
    }
    return st == STATUS_OK && found ? file_path(map, r->labels, found) : st;
}

/* Image x with its label map. Lists are taken at their word: `listed` is the label map that a list
 * names, "" where it is x's own; NULL: the image was found in the folder. */
static status append(reading *r, const char *x, const char *end, const char *listed) {
    char name[FILE_PATH], picture[FILE_PATH], map[FILE_PATH];
    const layout_part *p = r->p;
    const char *base = strrchr(x, '/'), *label = listed;
    split which = p->split_of ? p->split_of(base ? base + 1 : x) : p->split;
    if ((size_t)snprintf(name, sizeof name, "%s%s", x, end) >= sizeof name ||
        file_path(picture, r->images, name) != STATUS_OK) {
        log_error("%s: too long a path", x);
        return STATUS_DATA;
    }
    if (!listed || !listed[0]) {
        status st = find_map(r, x, listed != NULL, map);
        if (st != STATUS_OK) return st;
        label = map;
    }
    if (p->labels && !label[0] && r->missing++ == 0)
        log_warn("%s has no label map below %s", picture, r->labels);
    return layout_append(r->l, r->root, which, picture, label[0] ? label : NULL);
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
        st = append(r, name, end, NULL);
    }
    layout_files_destroy(&files);
    return st;
}

/* Files below root/folder, for layout_find. */
static status walk(const reading *r, const char *folder, const char *ends, layout_files *out) {
    char path[FILE_PATH];
    status st = file_path(path, r->root, folder);
    if (st == STATUS_OK) st = layout_walk(path, ends, out);
    if (st == STATUS_OK) layout_find_sort(out);
    return st;
}

/* The ending of a list's image, the table's where the list has none, unless only a file of another
 * case is there. As a list may name few images of a large folder, that is listed once one is not
 * found. An image that is not there at all is for those who read it to say. */
static status find_end(reading *r, layout_listed *of) {
    char name[FILE_PATH], path[FILE_PATH];
    const char *ends = r->p->image_end, *found = NULL;
    if (!of->end[0]) snprintf(of->end, sizeof of->end, "%.*s", (int)strcspn(ends, "|"), ends);
    if ((size_t)snprintf(name, sizeof name, "%s%s", of->x, of->end) >= sizeof name ||
        join(path, r->root, r->images, name) != STATUS_OK || file_exists(path))
        return STATUS_OK;
    status st = r->walked ? STATUS_OK : walk(r, r->images, ends, &r->pictures);
    r->walked = st == STATUS_OK;
    if (st == STATUS_OK) st = layout_find(&r->pictures, r->images, of->x, ends, &found);
    if (found) snprintf(of->end, sizeof of->end, "%s", found + strlen(of->x));
    return st;
}

/* Images, one a line. */
static status read_list(reading *r, const char *inside, const char *path) {
    const layout_place place = {r->p, r->l->variant->name, inside, r->images, r->labels};
    layout_listed of;
    text_lines text;
    status st = text_lines_open(&text, path);
    if (st == STATUS_OK) st = layout_begin_list(r->l, path);
    for (char *line; st == STATUS_OK && (line = text_lines_next(&text));) {
        char where[FILE_PATH + 32];
        int first = r->l->items;
        snprintf(where, sizeof where, "%s: line %d", path, text.number);
        st = layout_listed_read(&of, &place, line, where);
        if (st == STATUS_OK) st = find_end(r, &of);
        if (st == STATUS_OK) st = append(r, of.x, of.end, of.map);
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
    r->walked = false;
    if (!find_folder(r->images, r->root, inside, p->images, p->image_end)) return STATUS_OK;
    if (p->list && (join(path, r->root, inside, p->list) != STATUS_OK || !file_exists(path)))
        return STATUS_OK;
    if (p->labels && find_folder(r->labels, r->root, inside, p->labels, p->label_end)) {
        st = walk(r, r->labels, p->label_end, &r->maps);
    } else if (p->labels) {
        char first[FILE_PATH];
        snprintf(first, sizeof first, "%.*s", (int)strcspn(p->labels, "|"), p->labels);
        st = file_path(r->labels, inside, first);
    }
    if (st == STATUS_OK) st = p->list ? read_list(r, inside, path) : read_folder(r);
    if (r->missing > 1) log_warn("%d images have no label map below %s", r->missing, r->labels);
    layout_files_destroy(&r->maps);
    layout_files_destroy(&r->pictures);
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
