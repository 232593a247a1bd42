/* Everything that a run has left, by its record: files that it has hashes of, outputs of stages,
 * the rows of finished stages, checkpoints of the one that is not done. What the record does not
 * name (logs, predictions, files of the user) is none of it. */
#include "src/app/tools/verify_folder.h"

#include "io/files/file.h"
#include "src/app/tools/verify_file.h"
#include "src/base/log.h"
#include "src/base/text.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

bool verify_is_folder(const char *path) {
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

/* Keeps the first failure: which one it is matters less than that there is one. */
static void add(status *worst, status st) {
    if (*worst == STATUS_OK) *worst = st;
}

/* A file that the record names must be there. */
static status verify_named(const char *folder, const char *name, const run_record *r) {
    char path[FILE_PATH];
    status st = file_path(path, folder, name);
    if (st != STATUS_OK) return st;
    if (file_exists(path)) return verify_file(path, r);
    log_error("%s: recorded in run.json, and not there", path);
    return STATUS_OUTPUT;
}

/* In the order of their names in the folder's list: a line each, for people. */
static status verify_checkpoints(const char *folder) {
    char below[FILE_PATH], path[FILE_PATH];
    status worst = file_path(below, folder, "checkpoints");
    DIR *dir = worst == STATUS_OK ? opendir(below) : NULL;
    for (struct dirent *e; dir && (e = readdir(dir));)
        if (text_ends_with(e->d_name, ".safetensors") &&
            file_path(path, below, e->d_name) == STATUS_OK)
            add(&worst, verify_file(path, NULL));
    if (dir) closedir(dir);
    return worst;
}

/* Outputs that have a hash of their own are among the files. */
static status verify_recorded(const char *folder, const run_record *r) {
    const char *name, *text;
    stage_record s;
    uint64_t hash;
    bool rows = false;
    status worst = STATUS_OK;
    for (int i = 0; run_record_fact(r, "files", i, &name, &text); i++)
        add(&worst, verify_named(folder, name, r));
    for (int i = 0; run_record_stage(r, i, &s, NULL); i++) {
        rows = rows || s.rows > 0;
        if (s.output && !run_record_get_file(r, s.output, &hash))
            add(&worst, verify_named(folder, s.output, r));
    }
    if (rows) add(&worst, verify_named(folder, "metrics.csv", r));
    return worst;
}

status verify_folder(const char *folder) {
    char path[FILE_PATH];
    run_record *r = NULL;
    status worst = file_path(path, folder, "run.json");
    if (worst != STATUS_OK) return worst;
    if (!file_exists(path)) {
        log_error("%s: there is none: no folder of a run", path);
        return STATUS_DATA;
    }
    worst = run_record_look(&r, path);
    if (worst == STATUS_OK) worst = verify_file(path, NULL);
    if (r) add(&worst, verify_recorded(folder, r));
    add(&worst, verify_checkpoints(folder));
    run_record_close(r);
    return worst;
}
