/* Which classes a data set has, and which class an id in its label files is. */
#include "io/dataset_classes.h"

#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/image/synth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAMVID_CLASSES = 11 };

static const char *camvid_name(int y) {
    static const char *const name[CAMVID_CLASSES] = {"sky", "building", "pole", "road", "pavement",
        "tree", "sign symbol", "fence", "car", "pedestrian", "bicyclist"};
    return name[y];
}

static int class_count(const settings *s) {
    if (s->dataset.classes > 0) return s->dataset.classes;
    if (strcmp(s->dataset.layout, "camvid") == 0) return CAMVID_CLASSES;
    if (strcmp(s->dataset.layout, "synth") == 0) return SYNTH_CLASSES;
    return 0;
}

static const char *known_name(const settings *s, int y) {
    if (strcmp(s->dataset.layout, "camvid") == 0 && y < CAMVID_CLASSES) return camvid_name(y);
    if (strcmp(s->dataset.layout, "synth") == 0 && y < SYNTH_CLASSES) return synth_class_name(y);
    return NULL;
}

/* dataset.names, else the layout's own, else "class 3". */
static status name_classes(const settings *s, dataset_table *t) {
    enum { NAME = 32 };
    char given[SETTINGS_TEXT], *rest = NULL;
    char(*spare)[NAME] = memory_alloc((size_t)t->classes, sizeof *spare, "class names");
    const char **name = memory_alloc((size_t)t->classes, sizeof *name, "class names");
    if (!spare || !name) goto done;
    snprintf(given, sizeof given, "%s", s->dataset.names);
    char *one = strtok_r(given, ",", &rest);
    for (int y = 0; y < t->classes; y++) {
        snprintf(spare[y], sizeof spare[y], "class %d", y);
        name[y] = one ? one + strspn(one, " ") : known_name(s, y) ? known_name(s, y) : spare[y];
        if (one) one = strtok_r(NULL, ",", &rest);
    }
    t->class_name = dataset_texts(name, t->classes);
done:
    memory_free(spare);
    memory_free(name);
    return t->class_name ? STATUS_OK : STATUS_FAILED;
}

/* "7:0, 8:1, 0:255": ids of the files to classes, or to the ignored id. */
static status map_ids(const settings *s, uint16_t *map) {
    const char *at = s->dataset.label_map;
    int classes = class_count(s);
    while (*at) {
        char *end;
        long from = strtol(at, &end, 10), to = -1;
        if (*end == ':') to = strtol(end + 1, &end, 10);
        bool target = (to >= 0 && to < classes) || to == s->dataset.ignore;
        if (from < 0 || from >= LABEL_IDS || !target || (*end && !strchr(", ", *end))) {
            log_error("dataset.label_map: \"%.40s\": FROM:TO is expected, TO one of the %d classes "
                      "or dataset.ignore",
                at, classes);
            return STATUS_USAGE;
        }
        map[from] = (uint16_t)(to == s->dataset.ignore ? LABEL_IGNORE : to);
        at = end + strspn(end, ", ");
    }
    return STATUS_OK;
}

status dataset_classes_read(const settings *s, dataset_table *t, uint8_t *known) {
    t->classes = class_count(s);
    t->ignore = s->dataset.ignore;
    if (t->classes < 1) {
        log_error("dataset.classes: how many classes do the labels have?");
        return STATUS_USAGE;
    }
    t->map = memory_alloc(LABEL_IDS, sizeof *t->map, "label ids");
    if (!t->map) return STATUS_FAILED;
    for (int id = 0; id < LABEL_IDS; id++) t->map[id] = LABEL_IGNORE;
    if (!s->dataset.label_map[0])
        for (int id = 0; id < t->classes; id++) t->map[id] = (uint16_t)id;
    if (t->ignore >= 0 && t->ignore < LABEL_IDS) t->map[t->ignore] = LABEL_IGNORE;
    status st = map_ids(s, t->map);
    /* An id is known if it is a class, the ignored one, or a source of the map. */
    for (int id = 0; id < LABEL_IDS; id++)
        known[id] = t->map[id] != LABEL_IGNORE || id == t->ignore;
    for (const char *at = s->dataset.label_map; st == STATUS_OK && *at;) {
        known[strtol(at, NULL, 10)] = 1;
        at += strcspn(at, ",");
        at += strspn(at, ", ");
    }
    return st == STATUS_OK ? name_classes(s, t) : st;
}
