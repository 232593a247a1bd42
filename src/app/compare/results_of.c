/* Finished runs by their folders, as cells: runs whose records have the same settings, but for the
 * seed and for what changes no result, are one cell. The cell's name is the last of its first
 * run's folder, or all of it where others have the same. The first cell is what the others are
 * compared with. */
#include "src/base/copy.h"
#include "src/app/compare/results.h"

#include "io/files/file.h"
#include "io/files/run_record.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/settings_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Files that a result depends on. Stages' keys have what is in them, so that where they lie is
 * aside; of two runs only that is known here. */
static bool is_input(const char *key) {
    static const char *const inputs[] = {"model.weights", "extract.weights", "extract.files",
        "extract.files_order", "cluster.start", "finetune.teacher", "finetune.weights",
        "evaluate.weights"};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        if (strcmp(key, inputs[i]) == 0) return true;
    return false;
}

/* Whether a setting tells cells apart. run.until and run.rounds say how far a run went: they are in
 * no stage's key, but make another result. */
static bool tells(const char *key) {
    if (strcmp(key, "run.seed") == 0) return false;
    if (strcmp(key, "run.until") == 0 || strcmp(key, "run.rounds") == 0) return true;
    const setting *e = setting_find(key, strlen(key));
    return !e || !e->aside || is_input(key);
}

/* Whether two values are one, but for the seed of a run in a path: runs/a/seed-1/x,
 * runs/a/seed-2/x.
 */
static bool same_value(const char *a, const char *b) {
    static const char seed[] = "seed-";
    const char *begin = a;
    for (; *a && *a == *b; a++, b++) {
    }
    if (*a == *b) return true;
    /* The first difference lies in the digits of both, or not at all in a seed's. */
    while (a > begin && a[-1] >= '0' && a[-1] <= '9') a--, b--;
    size_t before = (size_t)(a - begin), n = sizeof seed - 1;
    size_t digits = strspn(a, "0123456789"), others = strspn(b, "0123456789");
    return before >= n && strncmp(a - n, seed, n) == 0 && digits > 0 && others > 0 &&
           strcmp(a + digits, b + others) == 0;
}

/* "" where the record has no such setting. */
static const char *value_of(const run_record *r, const char *wanted) {
    const char *key, *text;
    for (int i = 0; run_record_fact(r, "settings", i, &key, &text); i++)
        if (strcmp(key, wanted) == 0) return text;
    return "";
}

/* Whether every setting of a that tells cells apart is b's. */
static bool within(const run_record *a, const run_record *b) {
    const char *key, *text;
    for (int i = 0; run_record_fact(a, "settings", i, &key, &text); i++)
        if (tells(key) && !same_value(text, value_of(b, key))) return false;
    return true;
}

/* Records of different versions may have different keys: one more key is a difference. */
static bool alike(const run_record *a, const run_record *b) {
    return within(a, b) && within(b, a);
}

/* The folder without slashes at its end: its last name. */
static char *name_of(const char *folder) {
    size_t n = strlen(folder);
    while (n > 1 && folder[n - 1] == '/') n--;
    char *whole = copy_print("%.*s", (int)n, folder);
    const char *slash = whole ? strrchr(whole, '/') : NULL;
    char *name = whole ? copy_text(slash && slash[1] ? slash + 1 : whole) : NULL;
    memory_free(whole);
    return name;
}

/* Folders of several cells may have the same last name (cells of plans: seed-1): then all of the
 * folder is the name. */
static status name_apart(compare_results *r) {
    bool *again = memory_alloc((size_t)r->cells, sizeof *again, "names of cells");
    status st = again ? STATUS_OK : STATUS_FAILED;
    for (int i = 0; again && i < r->cells; i++)
        for (int k = 0; k < r->cells; k++)
            if (i != k && strcmp(r->cell[i].name, r->cell[k].name) == 0) again[i] = true;
    for (int i = 0; again && i < r->cells; i++) {
        if (!again[i]) continue;
        memory_free(r->cell[i].name);
        r->cell[i].name = copy_text(r->cell[i].run[0].folder);
        if (!r->cell[i].name) st = STATUS_FAILED;
    }
    memory_free(again);
    return st;
}

/* owner [runs]: the index of the first run that is like it. */
static int first_alike(run_record *const *record, int i) {
    for (int k = 0; k < i; k++)
        if (alike(record[k], record[i])) return k;
    return i;
}

static bool known_key(const compare_results *r, const char *key) {
    for (int i = 0; i < r->varying; i++)
        if (strcmp(r->key[i], key) == 0) return true;
    return false;
}

/* Keys in which any run differs from the first. */
static status find_keys(compare_results *r, run_record *const *record, int runs) {
    const char *key, *text;
    int most = 0;
    while (setting_at(most)) most++;
    r->key = memory_alloc((size_t)most, sizeof *r->key, "settings that vary");
    if (!r->key) return STATUS_FAILED;
    for (int i = 1; i < runs; i++)
        for (int k = 0; run_record_fact(record[i], "settings", k, &key, &text); k++) {
            bool same = !tells(key) || same_value(text, value_of(record[0], key));
            if (same || known_key(r, key) || r->varying == most) continue;
            r->key[r->varying] = copy_text(key);
            if (!r->key[r->varying++]) return STATUS_FAILED;
        }
    return STATUS_OK;
}

static status add_run(
    compare_cell *cell, const compare_results *r, const run_record *record, const char *folder) {
    compare_run *run = &cell->run[cell->runs++];
    run->folder = copy_text(folder);
    run->seed = atoll(value_of(record, "run.seed"));
    run->value = memory_alloc((size_t)r->varying, sizeof *run->value, "settings that vary");
    if (!run->folder || !run->value) return STATUS_FAILED;
    for (int i = 0; i < r->varying; i++)
        if (!(run->value[i] = copy_text(value_of(record, r->key[i])))) return STATUS_FAILED;
    return STATUS_OK;
}

/* "a.b=c, d.e=f" of what varies. */
static char *describe(const compare_results *r, const compare_run *run) {
    char *text = copy_text("");
    for (int i = 0; i < r->varying && text; i++) {
        char *longer = copy_print("%s%s%s=%s", text, i > 0 ? ", " : "", r->key[i], run->value[i]);
        memory_free(text);
        text = longer;
    }
    return text;
}

static status add_cells(compare_results *r, run_record *const *record, char **folder, int runs) {
    status st = STATUS_OK;
    r->cell = memory_alloc((size_t)runs, sizeof *r->cell, "cells");
    if (!r->cell) return STATUS_FAILED;
    for (int i = 0; i < runs && st == STATUS_OK; i++) {
        if (first_alike(record, i) != i) continue;
        compare_cell *cell = &r->cell[r->cells++];
        cell->reference = r->cells > 1 ? 0 : -1;
        cell->name = name_of(folder[i]);
        cell->about = copy_text("");
        cell->run = memory_alloc((size_t)(runs - i), sizeof *cell->run, "runs of a cell");
        if (!cell->name || !cell->about || !cell->run) return STATUS_FAILED;
        for (int k = i; k < runs && st == STATUS_OK; k++)
            if (first_alike(record, k) == i) st = add_run(cell, r, record[k], folder[k]);
        if (st == STATUS_OK && !(cell->settings = describe(r, &cell->run[0]))) st = STATUS_FAILED;
    }
    return st;
}

/* All are open at once: each is compared with each. They are only looked at. */
static status open_records(run_record **record, char **folder, int runs) {
    char path[FILE_PATH];
    status st = STATUS_OK;
    for (int i = 0; i < runs && st == STATUS_OK; i++) {
        st = file_path(path, folder[i], "run.json");
        if (st == STATUS_OK) st = run_record_look(&record[i], path);
        if (st != STATUS_OK || record[i]) continue;
        log_error("%s: no folder of a run: it has no run.json", folder[i]);
        st = STATUS_DATA;
    }
    return st;
}

/* A run that counted twice would make a deviation of 0; runs/a and runs/a/ are one. */
static status check_folders(char **folder, int folders) {
    for (int i = 0; i < folders; i++)
        for (int k = 0; k < i; k++) {
            bool same = strcmp(folder[k], folder[i]) == 0;
            if (!same && !file_same(folder[k], folder[i])) continue;
            log_error("--of: %s is given twice%s%s", folder[i], same ? "" : ", first as ",
                same ? "" : folder[k]);
            return STATUS_USAGE;
        }
    return STATUS_OK;
}

/* Such runs are one result, found twice: an interval of them is too narrow. What has no result
 * counts in none. */
static void warn_seeds(const compare_cell *cell) {
    for (int i = 1; i < cell->runs; i++)
        for (int k = 0; k < i; k++) {
            const compare_run *a = &cell->run[k], *b = &cell->run[i];
            if (a->seed != b->seed || !isfinite(a->miou) || !isfinite(b->miou)) continue;
            log_warn("%s and %s have the same settings and the same seed, %lld: their difference "
                     "says nothing of other seeds",
                a->folder, b->folder, (long long)a->seed);
            break;
        }
}

/* A run of images without labels ends as it should and has no mIoU. */
static void warn_missing(const compare_cell *cell) {
    char done[FILE_PATH];
    for (int i = 0; i < cell->runs; i++) {
        const char *folder = cell->run[i].folder;
        if (isfinite(cell->run[i].miou)) continue;
        bool ended = file_path(done, folder, "DONE") == STATUS_OK && file_exists(done);
        log_warn(ended ? "%s: its images have no labels, so it has no mIoU"
                       : "%s: no result yet: this run has not come to its evaluation",
            folder);
    }
}

/* Commands that leave a run's figures as they are, also where they fail. */
static bool only_looks(const char *command) {
    static const char *const looks[] = {"predict", "report", "evaluate", "score"};
    char word[16] = "";
    if (sscanf(command, "%*s %15s", word) != 1) return false;
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
        if (strcmp(word, looks[i]) == 0) return true;
    return false;
}

/* A stage that is under way has left its settings in the record already, and the figures of later
 * ones are those of before: a run that was started again and stopped or killed shows both. */
static void warn_unended(const run_record *r, const char *folder) {
    start_record s, last = {0};
    for (int i = 0; run_record_start(r, i, &s); i++)
        if (!only_looks(s.command)) last = s;
    if (!last.command || (last.ended && last.exit_code == STATUS_OK)) return;
    log_warn("%s: its last start, of %s, has not come to its end: figures may be of the settings "
             "before",
        folder, last.started);
}

status compare_results_of(compare_results *out, char **folder, int folders) {
    *out = (compare_results){.name = copy_text("runs"),
        .about = copy_text("runs side by side"),
        .folder = copy_text(".")};
    run_record **record = memory_alloc((size_t)folders, sizeof *record, "records of runs");
    status st = record && out->name && out->about && out->folder ? STATUS_OK : STATUS_FAILED;
    if (st == STATUS_OK) st = check_folders(folder, folders);
    if (st == STATUS_OK) st = open_records(record, folder, folders);
    if (st == STATUS_OK) st = find_keys(out, record, folders);
    if (st == STATUS_OK) st = add_cells(out, record, folder, folders);
    if (st == STATUS_OK) st = name_apart(out);
    for (int i = 0; i < folders && st == STATUS_OK; i++) warn_unended(record[i], folder[i]);
    for (int i = 0; record && i < folders; i++) run_record_close(record[i]);
    memory_free(record);
    if (st == STATUS_OK) st = compare_results_fill(out);
    for (int i = 0; i < out->cells && st == STATUS_OK; i++) {
        warn_seeds(&out->cell[i]);
        warn_missing(&out->cell[i]);
    }
    return st;
}
