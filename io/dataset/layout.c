/* The layouts that data sets are published in, each read into the same list. A layout is either
 * lists of lines, which differ in separator and in what a line must have, or a walk through a
 * folder. No image is opened here: whether a file is there and what it holds is for those who read
 * it to say, with dataset.on_bad_image. The order of the list is the order of all results, so it
 * may depend on the lists and on names alone, never on the order in which a file system tells them.
 * What a layout needs beyond its list (names of classes, their number) is in dataset_classes.c. */
#include "io/dataset/layout.h"

#include "io/files/file.h"
#include "io/files/text_lines.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <errno.h>
#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { START = 256 }; /* items that the list has room for at first */

static char *copy_text(const char *text, size_t length) {
    char *copy = memory_alloc(length + 1, 1, "path");
    if (copy) memcpy(copy, text, length);
    return copy;
}

void layout_destroy(layout *l) {
    for (int i = 0; i < l->items; i++) {
        memory_free(l->item[i].image);
        memory_free(l->item[i].label);
        memory_free(l->item[i].name);
    }
    memory_free(l->item);
    *l = (layout){0};
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

/* root/listed, or listed itself where it is absolute. Owned by the caller. */
static char *join(const char *root, const char *listed) {
    char path[FILE_PATH];
    if (listed[0] == '/') return copy_text(listed, strlen(listed));
    if (file_path(path, root, listed) != STATUS_OK) return NULL;
    return copy_text(path, strlen(path));
}

/* image and label (NULL: none) as listed, the prefix already removed. The name is the listed path
 * of the image, as it is the user's own word for it. l owns what is appended; on failure it is as
 * it was. */
static status append(
    layout *l, const char *root, split which, const char *picture, const char *label) {
    status st = grow(l);
    if (st != STATUS_OK) return st;
    layout_item x = {.image = join(root, picture),
        .label = label ? join(root, label) : NULL,
        .name = copy_text(picture, strlen(picture)),
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

/* How a list's lines are read. */
typedef struct list_format {
    const char *root, *prefix;
    char separator; /* between image and label */
    bool label_needed;
} list_format;

/* What does not begin with the prefix stays: lists are mixed at times. */
static const char *strip(const char *path, const char *prefix) {
    size_t n = strlen(prefix);
    return strncmp(path, prefix, n) == 0 ? path + n : path;
}

/* One line, which is changed: image, separators, label. Blanks after the label are no third path.
 */
static status parse_line(
    layout *l, const list_format *f, split which, char *line, const char *where) {
    char *label = strchr(line, f->separator);
    if (label) {
        *label++ = 0;
        while (*label == f->separator) label++;
        char *end = strchr(label, f->separator);
        if (end && strspn(end, " \t") != strlen(end)) {
            log_error("%s: more than two paths", where);
            return STATUS_DATA;
        }
        if (end) *end = 0;
    }
    if (label && !*label) label = NULL;
    if (!*line || (f->label_needed && !label)) {
        log_error("%s: two paths are expected, image and label", where);
        return STATUS_DATA;
    }
    return append(
        l, f->root, which, strip(line, f->prefix), label ? strip(label, f->prefix) : NULL);
}

/* One list; the message of a mistake names the line. listed is below root unless it is absolute.
 * What was appended before a mistake stays, for layout_destroy. */
static status read_list(layout *l, const list_format *f, split which, const char *listed) {
    text_lines text;
    char *path = join(f->root, listed);
    if (!path) return STATUS_FAILED;
    status st = text_lines_open(&text, path);
    for (char *line; st == STATUS_OK && (line = text_lines_next(&text));) {
        char where[FILE_PATH + 32];
        snprintf(where, sizeof where, "%s: line %d", path, text.number);
        st = parse_line(l, f, which, line, where);
    }
    text_lines_close(&text);
    memory_free(path);
    return st;
}

/* The lists of the three splits, one after another. `standard`: a layout with names of lists of its
 * own, of which a test list is none: test sets are rarely there, and nobody asked for it. */
static status read_lists(layout *l, const settings *s, const list_format *f, bool standard) {
    const char *listed[SPLIT_COUNT] = {s->dataset.train, s->dataset.val, s->dataset.test};
    if (standard && !listed[SPLIT_TRAIN][0]) listed[SPLIT_TRAIN] = "train.txt";
    if (standard && !listed[SPLIT_VAL][0]) listed[SPLIT_VAL] = "val.txt";
    if (!listed[SPLIT_TRAIN][0]) {
        log_error("dataset.train: no list file is given");
        return STATUS_USAGE;
    }
    status st = STATUS_OK;
    for (int i = 0; i < SPLIT_COUNT && st == STATUS_OK; i++)
        if (listed[i][0]) st = read_list(l, f, (split)i, listed[i]);
    return st;
}

/* By the name alone: thousands of files are not opened to be listed. */
static bool is_image(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot && (strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0 ||
                      strcasecmp(dot, ".png") == 0);
}

/* fts gives the order of the file system otherwise. */
static int by_name(const FTSENT **a, const FTSENT **b) {
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* What fts has found, if it is an image by its name. Links that lead nowhere and pipes are listed,
 * too: whoever reads them says why they cannot be read, and dataset.on_bad_image decides. */
static status take_entry(layout *l, const char *root, const FTSENT *e) {
    switch (e->fts_info) {
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
        log_error("%s: %s", e->fts_path, strerror(e->fts_errno));
        return STATUS_DATA;
    case FTS_F:
    case FTS_SLNONE:
    case FTS_DEFAULT:
        break;
    default: /* folders, which are walked */
        return STATUS_OK;
    }
    if (is_image(e->fts_name)) {
        const char *name = e->fts_path + strlen(root);
        while (*name == '/') name++;
        return append(l, root, SPLIT_TRAIN, name, NULL);
    }
    if (e->fts_info == FTS_SLNONE)
        log_warn("%s: a link to what is not there: if it was a folder, its images are missing",
            e->fts_path);
    return STATUS_OK;
}

/* Every image below root, in the order of the names; links are followed. FTS_LOGICAL follows links,
 * as data sets are often put together of them, and tells of circles; FTS_NOCHDIR leaves the process
 * where it is. */
static status walk_folder(layout *l, const char *root) {
    char *start = copy_text(root, strlen(root));
    if (!start) return STATUS_FAILED;
    char *const roots[2] = {start, NULL};
    FTS *walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    status st = STATUS_OK;
    errno = walk ? 0 : errno;
    for (FTSENT *e; walk && st == STATUS_OK && (e = fts_read(walk)); errno = 0)
        st = take_entry(l, root, e);
    if (st == STATUS_OK && errno != 0) { /* fts_read sets it to 0 at the end */
        log_error("%s: %s", root, strerror(errno));
        st = STATUS_DATA;
    }
    if (walk) fts_close(walk);
    memory_free(start);
    return st;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names are keys: of finetune.list, of predictions, of pages. In two splits the same image would
 * flatter the result. On a sorted copy of pointers: the list keeps its order. */
static status check_names(const layout *l) {
    char **name = memory_alloc((size_t)l->items, sizeof *name, "names");
    status st = name ? STATUS_OK : STATUS_FAILED;
    for (int i = 0; name && i < l->items; i++) name[i] = l->item[i].name;
    if (name) qsort(name, (size_t)l->items, sizeof *name, compare_names);
    for (int i = 1; name && i < l->items && st == STATUS_OK; i++)
        if (strcmp(name[i - 1], name[i]) == 0) {
            log_error("%s is listed twice", name[i]);
            st = STATUS_DATA;
        }
    memory_free(name);
    return st;
}

/* A new layout is a case here. */
static status read_items(layout *l, const settings *s) {
    list_format f = {s->dataset.root, s->dataset.strip_prefix, '\t', false};
    bool standard = false;
    switch (s->dataset.layout) {
    case DATASET_LAYOUT_FOLDER:
        return walk_folder(l, s->dataset.root);
    case DATASET_LAYOUT_CAMVID:
        f.separator = ' ';
        f.label_needed = standard = true;
        break;
    case DATASET_LAYOUT_SYNTH:
        standard = true;
        break;
    case DATASET_LAYOUT_PAIRS:
        break;
    }
    return read_lists(l, s, &f, standard);
}

/* All or nothing: *out is set when the list is good. */
status layout_read(layout *out, const settings *s) {
    layout l = {0};
    status st = read_items(&l, s);
    if (st == STATUS_OK) st = check_names(&l);
    if (st == STATUS_OK && l.items == 0) {
        log_error("dataset.root = \"%s\": no image found", s->dataset.root);
        st = STATUS_DATA;
    }
    if (st == STATUS_OK)
        *out = l;
    else
        layout_destroy(&l);
    return st;
}
