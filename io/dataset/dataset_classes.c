/* Which classes a data set has, and which class an id in its label files is. Published data sets
 * number their classes in many ways; ids in label files stay what they are, and this table says
 * what they mean, so that label maps need not be rewritten. Two tables result: the class of each
 * id, and which ids may occur at all. They are two because an id that is ignored and an id that
 * nobody mentioned look alike in the first, and the second of them is nearly always a mistake.
 *
 * What the settings say is stronger than what the layout's table knows, as a user's own labels may
 * lie in a published layout: dataset.label_map replaces the table's ids, dataset.colours its
 * colours, another number of classes its ids and names. Everything goes into dataset.h5, so that
 * stages never ask the settings again. */
#include "io/dataset/dataset_classes.h"

#include "io/dataset/colour_file.h"
#include "io/files/file.h"
#include "io/files/text_lines.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is read on the way to the tables. */
typedef struct sources {
    const settings *s;
    const layout_variant *v;
    colour_file file; /* dataset.colours; no rows: none */
    int *file_class;  /* [rows] of its rows; -1: void */
    bool table;       /* the layout's ids and names are in force */
} sources;

/* The layout's own name of a class; NULL: it has none. */
static const char *known_name(const layout_variant *v, int y) {
    if (y >= v->classes) return NULL;
    return v->name_of ? v->name_of(y) : v->class ? v->class[y].name : NULL;
}

/* The parts of dataset.names between commas, without blanks at their ends; text is changed, and
 * holds them. Returns how many there are, of which the first `room` are in name. */
static int split_names(char *text, const char **name, int room) {
    int count = 0;
    for (char *rest = text, *one; (one = strsep(&rest, ",")); count++) {
        one += strspn(one, " \t");
        size_t length = strlen(one);
        while (length > 0 && strchr(" \t", one[length - 1])) one[--length] = '\0';
        if (count < room) name[count] = one;
    }
    return count;
}

/* A name for each class: figures of classes are stored by their names, which must differ. A newline
 * in a name would end it in dataset.h5, where names are stored one a line. */
static status check_names(int count, const char *const *name, int classes) {
    if (count != classes) {
        log_error("dataset.names: %d names for %d classes", count, classes);
        return STATUS_USAGE;
    }
    for (int y = 0; y < classes; y++) {
        if (!name[y][0] || strpbrk(name[y], "\r\n")) {
            log_error("dataset.names: the name of class %d is empty or has a line's end", y);
            return STATUS_USAGE;
        }
        for (int z = 0; z < y; z++) {
            if (strcmp(name[y], name[z]) != 0) continue;
            log_error("dataset.names: classes %d and %d are both called \"%s\"", z, y, name[y]);
            return STATUS_USAGE;
        }
    }
    return STATUS_OK;
}

/* The name of the file's first row of class y; NULL: it has none. */
static const char *file_name(const sources *k, int y) {
    for (int i = 0; i < k->file.rows; i++)
        if (k->file_class[i] == y && k->file.row[i].name[0]) return k->file.row[i].name;
    return NULL;
}

/* dataset.names, else the colours' or the layout's own, else "class 3". spare holds the names that
 * are made here until dataset_texts has copied all; given, those of the setting. */
static status name_classes(const sources *k, dataset_table *t) {
    enum { NAME = 32 };
    const settings *s = k->s;
    char given[SETTINGS_TEXT];
    char(*spare)[NAME] = memory_alloc((size_t)t->classes, sizeof *spare, "class names");
    const char **name = memory_alloc((size_t)t->classes, sizeof *name, "class names");
    status st = spare && name ? STATUS_OK : STATUS_FAILED;
    for (int y = 0; st == STATUS_OK && y < t->classes; y++) {
        snprintf(spare[y], sizeof spare[y], "class %d", y);
        name[y] =
            k->file.rows > 0 && !s->dataset.label_map[0] ? file_name(k, y) : known_name(k->v, y);
        if (!name[y]) name[y] = spare[y];
    }
    if (st == STATUS_OK && s->dataset.names[0] && t->classes > 0) {
        snprintf(given, sizeof given, "%s", s->dataset.names);
        st = check_names(split_names(given, name, t->classes), name, t->classes);
    }
    if (st == STATUS_OK && !(t->class_name = dataset_texts(name, t->classes))) st = STATUS_FAILED;
    memory_free(spare);
    memory_free(name);
    return st;
}

/* Ids of label files while dataset.label_map is read: every pair is checked as it is read, so that
 * the message can quote it. */
typedef struct id_map {
    const char *where; /* for messages */
    int classes, ignore;
    uint16_t *map;
    uint8_t *known; /* ids that were named so far */
    long others;    /* what "*" stands for, or -1 */
} id_map;

/* "7:0" or "7 0": an id of the files becomes a class or the ignored id; "*:255": every other id.
 * What an id becomes is told as in the settings: a class, or the very number of dataset.ignore,
 * which then becomes LABEL_IGNORE. */
static status read_pair(id_map *m, const char *pair) {
    char *end = NULL;
    bool others = *pair == '*';
    long from = others ? 0 : strtol(pair, &end, 10), to = -1;
    const char *second = others ? pair + 1 : end;
    bool good = (others || end > pair) && from >= 0 && from < LABEL_IDS;
    second += strspn(second, ": \t");
    to = strtol(second, &end, 10);
    good = good && end > second && end[strspn(end, " \t\r")] == 0;
    if (!good || !((to >= 0 && to < m->classes) || to == m->ignore)) {
        log_error("%s: \"%.40s\": an id of the label files and what it becomes are expected, one "
                  "of the %d classes or dataset.ignore = %d",
            m->where, pair, m->classes, m->ignore);
        return STATUS_USAGE;
    }
    if (others ? m->others >= 0 : m->known[from]) {
        log_error("%s: \"%.40s\": this id stands there twice", m->where, pair);
        return STATUS_USAGE;
    }
    if (others) {
        m->others = to;
    } else {
        m->map[from] = (uint16_t)(to == m->ignore ? LABEL_IGNORE : to);
        m->known[from] = 1;
    }
    return STATUS_OK;
}

/* Pairs of a line, apart by commas, up to a comment; it is changed. */
static status read_pairs(id_map *m, char *line) {
    char *rest = NULL;
    status st = STATUS_OK;
    line[strcspn(line, "#")] = 0;
    for (char *pair = strtok_r(line, ",", &rest); pair && st == STATUS_OK;
         pair = strtok_r(NULL, ",", &rest)) {
        pair += strspn(pair, " \t");
        if (*pair) st = read_pair(m, pair);
    }
    return st;
}

/* The pairs themselves, or the name of a file of them. What consists of digits and separators alone
 * is pairs; a file of such a name would need a "./" in front. A relative path is below
 * dataset.root, as lists are. */
static status read_map(const settings *s, id_map *m) {
    char path[FILE_PATH], inline_map[SETTINGS_TEXT];
    const char *given = s->dataset.label_map;
    text_lines text = {0};
    if (strspn(given, "0123456789:*, \t") == strlen(given)) {
        snprintf(inline_map, sizeof inline_map, "%s", given);
        return read_pairs(m, inline_map);
    }
    m->where = given;
    status st = file_path(path, given[0] == '/' ? "" : s->dataset.root, given);
    if (st == STATUS_OK) st = text_lines_open(&text, path);
    for (char *line; st == STATUS_OK && (line = text_lines_next(&text));) st = read_pairs(m, line);
    text_lines_close(&text);
    return st;
}

/* The ids of the layout's table, or of the rows of dataset.colours. */
static void set_known_ids(const sources *k, dataset_table *t, uint8_t *known) {
    for (int i = 0; i < k->file.rows; i++) {
        t->map[i] = k->file_class[i] < 0 ? LABEL_IGNORE : (uint16_t)k->file_class[i];
        known[i] = 1;
    }
    if (k->file.rows > 0) return;
    for (const layout_ids *x = k->v->ids; x->count > 0; x++)
        for (int i = 0; i < x->count; i++) {
            /* LAYOUT_ALL is its own inverse. */
            int y = x->class >= 0 ? x->class + i : LAYOUT_ALL(x->class);
            t->map[x->first + i] = x->class == LAYOUT_VOID ? LABEL_IGNORE : (uint16_t)y;
            known[x->first + i] = 1;
        }
}

/* Without a map or a table ids are classes; with one only what it names is known, so that an id it
 * forgets is an error and not a wrong class. known [LABEL_IDS], zeros when it comes. The ignored id
 * needs no pair of its own. "*" is applied last, to what nobody named, wherever it stands in the
 * map. */
static status set_ids(const sources *k, dataset_table *t, uint8_t *known) {
    id_map m = {"dataset.label_map", t->classes, t->ignore, t->map, known, -1};
    bool mapped = k->s->dataset.label_map[0];
    bool table = !mapped && (k->file.rows > 0 || (k->table && k->v->ids));
    for (int id = 0; id < LABEL_IDS; id++) t->map[id] = LABEL_IGNORE;
    status st = mapped ? read_map(k->s, &m) : STATUS_OK;
    if (table) set_known_ids(k, t, known);
    for (int id = 0; !mapped && !table && id < t->classes; id++) {
        t->map[id] = (uint16_t)id;
        known[id] = 1;
    }
    /* A row of dataset.colours is no id that a setting would mean. */
    if (t->ignore >= 0 && k->file.rows == 0) {
        if (!mapped) t->map[t->ignore] = LABEL_IGNORE;
        known[t->ignore] = 1;
    }
    for (int id = 0; m.others >= 0 && id < LABEL_IDS; id++)
        if (!known[id]) {
            t->map[id] = (uint16_t)(m.others == t->ignore ? LABEL_IGNORE : m.others);
            known[id] = 1;
        }
    if (t->colours.count > 0) known[LABEL_UNKNOWN] = 0; /* not even by "*" */
    return st;
}

/* Rows of one name are one class; those without a name are one each. *classes: how many. */
static status number_rows(sources *k, int *classes) {
    const colour_file *f = &k->file;
    k->file_class = memory_alloc((size_t)f->rows, sizeof *k->file_class, "colours of labels");
    if (!k->file_class) return STATUS_FAILED;
    *classes = 0;
    for (int i = 0; i < f->rows; i++) {
        const char *name = f->row[i].name;
        int same = 0;
        while (same < i && (!name[0] || strcmp(name, f->row[same].name) != 0)) same++;
        k->file_class[i] = colour_file_is_void(name) ? -1
                           : same < i                ? k->file_class[same]
                                                     : (*classes)++;
    }
    return STATUS_OK;
}

/* dataset.colours; *classes is left as it is where there is none. */
static status read_file(sources *k, dataset_table *t, int *classes) {
    char path[FILE_PATH];
    const char *given = k->s->dataset.colours;
    int again = -1;
    status st = file_path(path, given[0] == '/' ? "" : k->s->dataset.root, given);
    if (st == STATUS_OK) st = colour_file_read(path, &k->file);
    if (st == STATUS_OK) st = number_rows(k, classes);
    uint8_t(*rgb)[3] = memory_alloc(LABEL_COLOURS_MOST, sizeof *rgb, "colours of labels");
    if (st == STATUS_OK && !rgb) st = STATUS_FAILED;
    for (int i = 0; st == STATUS_OK && i < k->file.rows; i++) memcpy(rgb[i], k->file.row[i].rgb, 3);
    if (st == STATUS_OK)
        st = label_colours_create(&t->colours, (const uint8_t(*)[3])rgb, k->file.rows, &again);
    if (st == STATUS_OK && again >= 0) {
        const uint8_t *c = t->colours.rgb[again];
        log_error("%s: colour %d %d %d stands there twice", path, c[0], c[1], c[2]);
        st = STATUS_USAGE;
    }
    memory_free(rgb);
    return st;
}

/* How many classes, and whether the layout's table speaks of them. */
static status count_classes(sources *k, bool labelled, dataset_table *t) {
    const settings *s = k->s;
    int known = k->v->classes, again;
    bool file = s->dataset.colours[0];
    status st = file ? read_file(k, t, &known) : STATUS_OK;
    if (st != STATUS_OK) return st;
    t->classes = s->dataset.classes > 0 ? s->dataset.classes : known;
    t->ignore = s->dataset.ignore;
    k->table = !file && t->classes == k->v->classes;
    if (t->classes != known && file && !s->dataset.label_map[0]) {
        log_error("dataset.classes = %d: dataset.colours has %d; colours of one class have one "
                  "name, or dataset.label_map says which class each line is",
            t->classes, known);
        return STATUS_USAGE;
    }
    if (t->classes < 1 && labelled) {
        log_error("dataset.classes: how many classes do the labels have?");
        return STATUS_USAGE;
    }
    /* settings_check knows only a number of classes that was given. */
    bool given = s->dataset.classes > 0;
    if (!given && !file && t->ignore >= 0 && t->ignore < t->classes) {
        log_error("dataset.ignore = %d is the id of one of the %d classes", t->ignore, t->classes);
        return STATUS_USAGE;
    }
    if (k->v->colours && !file)
        st = label_colours_create(&t->colours, k->v->colours->rgb, k->v->colours->count, &again);
    return st;
}

/* The number first, as ids and names are held against it. */
status dataset_classes_read(
    const settings *s, const layout_variant *v, bool labelled, dataset_table *t, uint8_t *known) {
    sources k = {.s = s, .v = v};
    status st = count_classes(&k, labelled, t);
    if (st == STATUS_OK && !(t->map = memory_alloc(LABEL_IDS, sizeof *t->map, "label ids")))
        st = STATUS_FAILED;
    if (st == STATUS_OK) st = set_ids(&k, t, known);
    if (st == STATUS_OK) st = name_classes(&k, t);
    colour_file_destroy(&k.file);
    memory_free(k.file_class);
    return st;
}
