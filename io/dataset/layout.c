#include "io/dataset/layout.h"

#include "io/files/file.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <errno.h>
#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_LIMIT = 1 << 30, START = 256 };

const char *split_name(split s) {
    static const char *const name[SPLIT_COUNT] = {"train", "val", "test"};
    return name[s];
}

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

/* image and label (NULL: none) as listed, the prefix already removed. */
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

static const char *strip(const char *path, const char *prefix) {
    size_t n = strlen(prefix);
    return strncmp(path, prefix, n) == 0 ? path + n : path;
}

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

static status read_list(layout *l, const list_format *f, split which, const char *listed) {
    char *text = NULL;
    size_t bytes;
    char *path = join(f->root, listed);
    if (!path) return STATUS_FAILED;
    status st = file_read(path, LIST_LIMIT, (void **)&text, &bytes);
    int number = 0;
    for (char *line = text, *next; st == STATUS_OK && line < text + bytes; line = next) {
        char where[FILE_PATH + 32];
        char *end = memchr(line, '\n', (size_t)(text + bytes - line));
        if (!end) end = text + bytes;
        *end = 0;
        next = end + 1;
        size_t length = strlen(line);
        while (length > 0 && strchr("\r \t", line[length - 1])) line[--length] = 0;
        snprintf(where, sizeof where, "%s: line %d", path, ++number);
        if (length > 0) st = parse_line(l, f, which, line, where);
    }
    memory_free(text);
    memory_free(path);
    return st;
}

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

static bool is_image(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot && (strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0 ||
                      strcasecmp(dot, ".png") == 0);
}

static int by_name(const FTSENT **a, const FTSENT **b) {
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Every image below root, in the order of the names; links are followed. */
static status walk_folder(layout *l, const char *root) {
    char *start = copy_text(root, strlen(root));
    if (!start) return STATUS_FAILED;
    char *const roots[2] = {start, NULL};
    FTS *walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    status st = walk ? STATUS_OK : STATUS_FAILED;
    for (FTSENT *e; st == STATUS_OK && (e = fts_read(walk));) {
        if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || e->fts_info == FTS_NS) {
            log_error("%s: %s", e->fts_path, strerror(e->fts_errno));
            st = STATUS_DATA;
        } else if (e->fts_info == FTS_F && is_image(e->fts_name)) {
            const char *name = e->fts_path + strlen(root);
            while (*name == '/') name++;
            st = append(l, root, SPLIT_TRAIN, name, NULL);
        }
    }
    if (walk) fts_close(walk);
    memory_free(start);
    return st;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

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

status layout_read(layout *out, const settings *s) {
    layout l = {0};
    const char *kind = s->dataset.layout;
    bool camvid = strcmp(kind, "camvid") == 0;
    list_format f = {s->dataset.root, s->dataset.strip_prefix, camvid ? ' ' : '\t', camvid};
    status st = strcmp(kind, "folder") == 0
                    ? walk_folder(&l, s->dataset.root)
                    : read_lists(&l, s, &f, camvid || strcmp(kind, "synth") == 0);
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
