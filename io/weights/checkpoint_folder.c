/* Which checkpoints of a stage a folder has. There is no list of them in any file: a list could be
 * wrong after a kill, names cannot, as a file has its name only once it is whole. Names are
 * STAGE-STEP.safetensors, with the round in the stage's name; they are sorted by the step as a
 * number (as texts, 9 would come after 10). */
#include "io/weights/checkpoint_folder.h"

#include "io/files/file.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENDING ".safetensors"

/* Whether a file's name is STAGE-STEP followed by `end`. "pretrain" has no part in the files of
 * "pretrain-2". Strict, since files are deleted by it: what is not a name that was written here is
 * none of our files. */
static bool parse_name(const char *name, const char *stage, const char *end, int64_t *step) {
    enum { DIGITS = 18 };
    size_t n = strlen(stage);
    if (strncmp(name, stage, n) != 0 || name[n] != '-') return false;
    const char *number = name + n + 1;
    size_t digits = strspn(number, "0123456789");
    if (digits == 0 || digits > DIGITS || strcmp(number + digits, end) != 0) return false;
    *step = strtoll(number, NULL, 10);
    return true;
}

static int newest_first(const void *pa, const void *pb) {
    int64_t a = *(const int64_t *)pa, b = *(const int64_t *)pb;
    return (a < b) - (a > b);
}

/* Few files (two of a stage are kept): one more element at a time is good enough. On failure the
 * list is as it was. */
static status append(checkpoint_list *list, int64_t step) {
    int64_t *longer = memory_alloc((size_t)list->count + 1, sizeof *longer, "checkpoints");
    if (!longer) return STATUS_FAILED;
    if (list->count) memcpy(longer, list->step, (size_t)list->count * sizeof *longer);
    longer[list->count++] = step;
    memory_free(list->step);
    list->step = longer;
    return STATUS_OK;
}

/* In the order in which they are tried. */
status checkpoint_folder_list(const char *folder, const char *stage, checkpoint_list *out) {
    checkpoint_list list = {0};
    status st = STATUS_OK;
    *out = list;
    DIR *dir = opendir(folder);
    /* No folder yet, no checkpoints: that is no error. */
    if (!dir && errno == ENOENT) return STATUS_OK;
    if (!dir) {
        log_error("%s: cannot be read: %s", folder, strerror(errno));
        return STATUS_OUTPUT;
    }
    for (struct dirent *e; st == STATUS_OK && (e = readdir(dir));) {
        int64_t step;
        if (parse_name(e->d_name, stage, ENDING, &step)) st = append(&list, step);
    }
    closedir(dir);
    if (st != STATUS_OK) {
        checkpoint_list_destroy(&list);
        return st;
    }
    if (list.count) qsort(list.step, (size_t)list.count, sizeof *list.step, newest_first);
    *out = list;
    return STATUS_OK;
}

void checkpoint_list_destroy(checkpoint_list *list) {
    memory_free(list->step);
    *list = (checkpoint_list){0};
}

/* Stages have short names; a file system has a limit all the same. */
status checkpoint_folder_path(char *path, const char *folder, const char *stage, int64_t step) {
    char name[256];
    int n = snprintf(name, sizeof name, "%s-%" PRId64 ENDING, stage, step);
    if (n >= 0 && n < (int)sizeof name) return file_path(path, folder, name);
    log_error("%s: name too long", stage);
    return STATUS_USAGE;
}

/* What a write that was killed has left; nobody else is writing this stage. */
void checkpoint_folder_clean(const char *folder, const char *stage) {
    DIR *dir = opendir(folder);
    if (!dir) return;
    for (struct dirent *e; (e = readdir(dir));) {
        char path[FILE_PATH];
        int64_t step;
        if (parse_name(e->d_name, stage, ENDING FILE_TEMPORARY, &step) &&
            file_path(path, folder, e->d_name) == STATUS_OK)
            unlink(path);
    }
    closedir(dir);
}
