/* The layouts that data sets are published in, each read into the same list. A layout is a tree
 * that a table describes (layout_tree.c), lists of lines, which differ in separator and in what a
 * line must have, or all that is in a folder. No image is opened here: whether a file is there and
 * what it holds is for those who read it to say, with dataset.on_bad_image. The order of the list
 * is the order of all results, so it may depend on the lists and on names alone, never on the order
 * in which a file system tells them. */
#include "io/dataset/layout.h"

#include "io/dataset/held_out.h"
#include "io/dataset/layout_tree.h"
#include "io/dataset/layout_walk.h"
#include "io/dataset/unlabelled.h"
#include "io/files/file.h"
#include "io/files/text_lines.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* A blank where the tab was meant makes one path of two, which nothing would be found under. Paths
 * may hold blanks: only where there is no such file, but one whose name ends at a blank, is it this
 * mistake. */
static status check_blank(const list_format *f, char *line, const char *where) {
    if (f->separator != '\t' || !strchr(line, ' ')) return STATUS_OK;
    char *whole = layout_join(f->root, strip(line, f->prefix));
    bool found = whole && file_exists(whole), part = false;
    for (char *blank = strchr(line, ' '); whole && !found && !part && blank;) {
        *blank = 0;
        char *path = layout_join(f->root, strip(line, f->prefix));
        part = path && file_exists(path);
        memory_free(path);
        *blank = ' ';
        blank = strchr(blank + 1, ' ');
    }
    memory_free(whole);
    if (!part) return STATUS_OK;
    log_error("%s: a blank between two paths: a tab is expected there", where);
    return STATUS_DATA;
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
    if (!label && check_blank(f, line, where) != STATUS_OK) return STATUS_DATA;
    return layout_append(
        l, f->root, which, strip(line, f->prefix), label ? strip(label, f->prefix) : NULL);
}

/* One list; the message of a mistake names the line. listed is below root unless it is absolute.
 * What was appended before a mistake stays, for layout_destroy. */
static status read_list(layout *l, const list_format *f, split which, const char *listed) {
    text_lines text;
    char *path = layout_join(f->root, listed);
    if (!path) return STATUS_FAILED;
    status st = text_lines_open(&text, path);
    if (st == STATUS_OK) st = layout_begin_list(l, path);
    for (char *line; st == STATUS_OK && (line = text_lines_next(&text));) {
        char where[FILE_PATH + 32];
        int first = l->items;
        snprintf(where, sizeof where, "%s: line %d", path, text.number);
        st = parse_line(l, f, which, line, where);
        layout_note_line(l, first, text.number);
    }
    text_lines_close(&text);
    memory_free(path);
    return st;
}

/* No list says what is held out. */
enum { LISTS = SPLIT_TEST + 1 };

/* All that are missing, in one message: whoever mends one of them is not sent back for the next. */
static status find_lists(const char *root, const char *const listed[LISTS]) {
    char text[LISTS * (FILE_PATH + 128)] = "";
    size_t used = 0;
    for (int i = 0; i < LISTS; i++) {
        char *path = listed[i][0] ? layout_join(root, listed[i]) : NULL;
        if (listed[i][0] && !path) return STATUS_FAILED;
        if (path && access(path, R_OK) != 0 && used < sizeof text)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s: cannot be read: %s",
                used > 0 ? "; " : "", path, strerror(errno));
        memory_free(path);
    }
    if (used == 0) return STATUS_OK;
    log_error("%s", text);
    return STATUS_DATA;
}

/* The lists of the three splits, one after another. A layout with names of lists of its own has a
 * test list where one is there: test sets often are not. */
static status read_lists(layout *l, const settings *s, const char *root) {
    const layout_variant *v = l->variant;
    bool given = v->kind == LAYOUT_GIVEN;
    list_format f = {root, s->dataset.strip_prefix, v->separator, v->separator == ' '};
    const char *listed[LISTS] = {s->dataset.train, s->dataset.val, s->dataset.test};
    static const char *const standard[LISTS] = {"train.txt", "val.txt", "test.txt"};
    if (!f.prefix[0] && v->prefix) f.prefix = v->prefix;
    for (int i = 0; i < LISTS && !given; i++) {
        char path[FILE_PATH];
        if (listed[i][0]) continue;
        status st = file_path(path, root, standard[i]);
        if (st != STATUS_OK) return st;
        if (i != SPLIT_TEST || file_exists(path)) listed[i] = standard[i];
    }
    if (!listed[SPLIT_TRAIN][0]) {
        log_error("dataset.train: no list file is given");
        return STATUS_USAGE;
    }
    status st = find_lists(root, listed);
    for (int i = 0; i < LISTS && st == STATUS_OK; i++)
        if (listed[i][0]) st = read_list(l, &f, (split)i, listed[i]);
    return st;
}

/* All of it is for training, and without labels. */
static status read_folder(layout *l, const char *root) {
    layout_files files = {0};
    status st = layout_walk(root, LAYOUT_IMAGE_ENDS, &files);
    for (int i = 0; st == STATUS_OK && i < files.count; i++)
        st = layout_append(l, root, SPLIT_TRAIN, files.path[i], NULL);
    layout_files_destroy(&files);
    return st;
}

/* Equal names in the order of the list, so that the second is the one that is too many. */
static int compare_names(const void *a, const void *b) {
    const layout_item *x = *(layout_item *const *)a, *y = *(layout_item *const *)b;
    int order = strcmp(x->name, y->name);
    return order ? order : x < y ? -1 : x > y;
}

static void name_twice(const layout *l, const layout_item *first, const layout_item *again) {
    if (again->line == 0 || first->line == 0)
        log_error("%s is listed twice", again->name);
    else
        log_error("%s: line %d: %s is listed twice, first in line %d of %s", l->list[again->list],
            again->line, again->name, first->line, l->list[first->list]);
}

/* Names are keys: of finetune.list, of predictions, of pages. In two splits the same image would
 * flatter the result. On a sorted copy of pointers: the list keeps its order. */
static status check_names(const layout *l) {
    const layout_item **x = memory_alloc((size_t)l->items, sizeof *x, "names");
    status st = x ? STATUS_OK : STATUS_FAILED;
    for (int i = 0; x && i < l->items; i++) x[i] = &l->item[i];
    if (x) qsort(x, (size_t)l->items, sizeof *x, compare_names);
    for (int i = 1; x && i < l->items && st == STATUS_OK; i++)
        if (strcmp(x[i - 1]->name, x[i]->name) == 0) {
            name_twice(l, x[i - 1], x[i]);
            st = STATUS_DATA;
        }
    memory_free(x);
    return st;
}

/* Whether root/inside holds the data set in this form. A layout of one form is not asked: its own
 * messages say better what is wrong. */
static bool there(const layout_variant *v, const settings *s, const char *inside) {
    char below[FILE_PATH], path[FILE_PATH];
    bool own = s->dataset.train[0] || s->dataset.val[0] || s->dataset.test[0];
    if (v->kind == LAYOUT_TREE) return !own && layout_tree_there(v, s->dataset.root, inside);
    if (own) return !inside[0];
    return file_path(below, inside, "train.txt") == STATUS_OK &&
           file_path(path, s->dataset.root, below) == STATUS_OK && file_exists(path);
}

/* The name of a form, or what is expected of it: text [FORM]. */
enum { FORM = 512 };
static void describe_one(const layout_variant *v, bool names, char *text) {
    if (names)
        snprintf(text, FORM, "%s", v->name);
    else if (v->kind == LAYOUT_TREE)
        layout_tree_expected(v, text, FORM);
    else
        strcpy(text, "train.txt");
}

/* The names of all forms, or what is expected of each, for a message. Forms that differ in their
 * classes alone lie in the same folders: that is said once. */
static void describe(
    const layout_spec *spec, const char *only, bool names, char *text, size_t size) {
    size_t used = 0;
    text[0] = 0;
    for (int i = 0; i < spec->variants && used < size; i++) {
        char one[FORM], other[FORM];
        bool again = false;
        if (only[0] && strcmp(only, spec->variant[i].name) != 0) continue;
        describe_one(&spec->variant[i], names, one);
        for (int k = 0; k < i && !again; k++) {
            if (only[0] && strcmp(only, spec->variant[k].name) != 0) continue;
            describe_one(&spec->variant[k], names, other);
            again = strcmp(one, other) == 0;
        }
        if (again) continue;
        used += (size_t)snprintf(text + used, size - used, "%s%s",
            used == 0 ? ""
            : names   ? ", "
                      : "; or ",
            one);
    }
}

/* Why nothing was found. */
static status not_found(const settings *s, const layout_spec *spec, bool known) {
    char text[4096];
    const char *word = dataset_layout_words[s->dataset.layout];
    if (!known) {
        describe(spec, "", true, text, sizeof text);
        log_error("dataset.variant = \"%s\": layout \"%s\" has %s", s->dataset.variant, word, text);
        return STATUS_USAGE;
    }
    if (s->dataset.train[0] || s->dataset.val[0] || s->dataset.test[0]) {
        log_error(
            "dataset.train, val, test: layout \"%s\" knows its splits: these are for lists of "
            "one's own, layout \"pairs\"",
            word);
        return STATUS_USAGE;
    }
    if (access(s->dataset.root, F_OK) != 0) {
        log_error("dataset.root = \"%s\": no such folder", s->dataset.root);
        return STATUS_DATA;
    }
    describe(spec, s->dataset.variant, false, text, sizeof text);
    log_error("dataset.root = \"%s\": nothing of layout \"%s\" is there; expected below it: %s",
        s->dataset.root, word, text);
    return STATUS_DATA;
}

/* The first form that is there, in the order of the table. */
static status choose(const settings *s, const layout_variant **found, const char **inside) {
    const layout_spec *spec = layout_spec_of(s->dataset.layout);
    const char *wanted = s->dataset.variant;
    bool known = false;
    for (int i = 0; i < spec->variants; i++) {
        const layout_variant *v = &spec->variant[i];
        if (wanted[0] && strcmp(wanted, v->name) != 0) continue;
        known = true;
        for (const char *const *folder = spec->inside; *folder; folder++) {
            if (spec->variants > 1 || v->kind == LAYOUT_TREE)
                if (!there(v, s, *folder)) continue;
            *found = v;
            *inside = *folder;
            return STATUS_OK;
        }
    }
    return not_found(s, spec, known);
}

static status read_items(layout *l, const settings *s, const char *inside) {
    char root[FILE_PATH];
    status st = inside[0] ? file_path(root, s->dataset.root, inside) : STATUS_OK;
    if (st != STATUS_OK) return st;
    switch (l->variant->kind) {
    case LAYOUT_TREE:
        return layout_tree_read(l, l->variant, s->dataset.root, inside);
    case LAYOUT_LISTS:
    case LAYOUT_GIVEN:
        return read_lists(l, s, inside[0] ? root : s->dataset.root);
    case LAYOUT_FOLDER:
        break;
    }
    return read_folder(l, s->dataset.root);
}

/* All or nothing: *out is set when the list is good. */
status layout_read(layout *out, const settings *s) {
    layout l = {0};
    const char *inside = "";
    status st = choose(s, &l.variant, &inside);
    if (st == STATUS_OK) st = read_items(&l, s, inside);
    if (st == STATUS_OK) st = unlabelled_add(&l, s);
    if (st == STATUS_OK) st = check_names(&l);
    if (st == STATUS_OK) st = held_out_take(&l, s);
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

/* By the kind of the form, not by its messages: a form without an alternative is not looked for
 * when the list is read. */
static bool anything_there(const layout_variant *v, const settings *s, const char *inside) {
    char root[FILE_PATH];
    const char *list = s->dataset.train[0] ? s->dataset.train : "train.txt";
    if (v->kind == LAYOUT_TREE) return layout_tree_there(v, s->dataset.root, inside);
    if (file_path(root, s->dataset.root, inside) != STATUS_OK) return false;
    if (v->kind == LAYOUT_FOLDER) return layout_walk_any(root, LAYOUT_IMAGE_ENDS);
    char *path = layout_join(root, list);
    bool there = path && file_exists(path);
    memory_free(path);
    return there;
}

bool layout_there(const settings *s) {
    const layout_spec *spec = layout_spec_of(s->dataset.layout);
    for (int i = 0; i < spec->variants; i++)
        for (const char *const *folder = spec->inside; *folder; folder++)
            if (anything_there(&spec->variant[i], s, *folder)) return true;
    return false;
}

int layout_variant_number(const settings *s, const layout_variant *v) {
    return (int)(v - layout_spec_of(s->dataset.layout)->variant);
}

const layout_variant *layout_variant_at(const settings *s, int number) {
    return &layout_spec_of(s->dataset.layout)->variant[number];
}
