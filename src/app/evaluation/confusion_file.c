/* Where confusion matrices are kept: evaluation writes them, the report shows them. They are files
 * of their own because run.json is for figures, and K * K counts are for a spreadsheet. The names
 * of the classes go into the file and are compared when it is read: a matrix of a data set that has
 * changed since is not shown, rather than under wrong names. */
#include "src/app/evaluation/confusion_file.h"

#include "io/files/matrix_csv.h"
#include "src/app/stage/output.h"
#include "src/app/stage/setup.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <stdio.h>

void confusion_file_name(const char *group, char *name) {
    snprintf(name, CONFUSION_NAME, "confusion-%s.csv", group);
}

static status path_of(const stage *t, const char *group, char *path) {
    char name[CONFUSION_NAME];
    confusion_file_name(group, name);
    return setup_path(path, t->s, name, 1); /* the group has the round's number already */
}

/* [K], owned by the caller; the texts are the data set's. */
static const char **class_names(const stage *t) {
    int classes = dataset_classes(t->d);
    const char **name = memory_alloc((size_t)classes, sizeof *name, "class names");
    for (int y = 0; name && y < classes; y++) name[y] = dataset_class_name(t->d, y);
    return name;
}

/* All ranks have the sum; one writes it. The path is every rank's, for the stage's result. */
status confusion_file_write(const stage *t, const char *group, const int64_t *matrix, char *path) {
    status st = path_of(t, group, path);
    if (st == STATUS_OK && comm_root(t->c)) {
        const char **name = class_names(t);
        st = name ? matrix_csv_write(path, "label", name, dataset_classes(t->d), matrix)
                  : STATUS_FAILED;
        memory_free(name);
    }
    return comm_agree(t->c, st);
}

/* A file that is not there is no error: not every run has measured both models. One that was
 * changed since is not shown, and is named. */
status confusion_file_read(const stage *t, const char *group, int64_t *matrix, bool *found) {
    char path[FILE_PATH];
    *found = false;
    status st = path_of(t, group, path);
    if (st == STATUS_OK) st = output_find(t->record, path, found);
    if (st != STATUS_OK || !*found) return st;
    const char **name = class_names(t);
    st = name ? matrix_csv_read(path, name, dataset_classes(t->d), matrix, found) : STATUS_FAILED;
    memory_free(name);
    if (st == STATUS_OK && !*found) log_warn("%s: of other classes, not shown", path);
    return st;
}
