/* A folder a stage and key, NAME-KEY, with a file that names the run which has done it, and a lock
 * while one does. Nothing is kept there itself: a result stays in the run that made it, is compared
 * with that run's record before it is taken, and lies in the other run as a second name of the same
 * file where the file system can do that. A file of a run is never changed in place, only replaced,
 * so that runs stay independent. Whatever goes wrong here costs the time of doing the stage once
 * more, never the run: hence warnings alone.
 *
 * Evaluation and score are done in each run: they take seconds. */
#include "src/app/stage/store.h"

#include "io/files/lock.h"
#include "io/files/metrics.h"
#include "src/app/stage/output.h"
#include "src/app/stage/setup.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/pulse.h"
#include "src/base/stop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Those that take long. */
static bool shared(const stage *t) {
    const stage_id id = t->id;
    bool costly = id == STAGE_PACK || id == STAGE_BASELINE || id == STAGE_EXTRACT ||
                  id == STAGE_CLUSTER || id == STAGE_PRETRAIN || id == STAGE_FINETUNE;
    return t->record && t->s->run.store[0] && t->s->run.resume == RUN_RESUME_AUTO && costly;
}

/* path [FILE_PATH]: the folder of the stage and key, or a file in it. */
static status store_path(const stage *t, char *path, const char *file) {
    char name[STAGE_NAME + 40], key[17];
    hash_text(t->key, key);
    snprintf(name, sizeof name, "%s-%s%s%s", t->name, key, file[0] ? "/" : "", file);
    return file_path(path, t->s->run.store, name);
}

/* A file of features may be larger than memory. */
static status copy_file(const char *from, const char *temporary) {
    enum { PIECE = 16 << 20 };
    uint64_t bytes = 0;
    int in = -1, out = file_create_temporary(temporary);
    char *piece = memory_alloc(PIECE, 1, "a piece of a file");
    status st = out < 0 ? STATUS_OUTPUT : piece ? file_open(from, &in, &bytes) : STATUS_FAILED;
    for (uint64_t at = 0; st == STATUS_OK && at < bytes; at += PIECE) {
        size_t size = bytes - at < PIECE ? (size_t)(bytes - at) : PIECE;
        st = file_read_at(in, from, at, piece, size);
        if (st == STATUS_OK) st = file_write_at(out, temporary, at, piece, size);
    }
    if (in >= 0) file_close(in);
    if (out >= 0 && file_close(out) != 0 && st == STATUS_OK) st = STATUS_OUTPUT;
    memory_free(piece);
    return st;
}

/* A second name of a file, or a copy of it where there can be none: under the temporary name first,
 * as every file of a run. */
static status link_file(const char *from, const char *to) {
    char temporary[FILE_PATH];
    status st = file_temporary(temporary, to);
    if (st != STATUS_OK) return st;
    unlink(temporary);
    if (link(from, temporary) != 0) st = copy_file(from, temporary);
    if (st == STATUS_OK) return file_publish(temporary, to);
    unlink(temporary);
    return st;
}

/* The rows of the stage in the other run's metrics.csv. */
static status take_rows(const stage *t, const char *folder) {
    char from[FILE_PATH], to[FILE_PATH];
    metrics_row *row = NULL;
    metrics *m = NULL;
    int rows = 0;
    status st = file_path(from, folder, "metrics.csv");
    if (st == STATUS_OK) st = setup_path(to, t->s, "metrics.csv", 1);
    if (st != STATUS_OK || !file_exists(from)) return st;
    st = metrics_read(from, &row, &rows);
    if (st == STATUS_OK) st = metrics_open(&m, to, t->base, t->round, 0);
    for (int i = 0; st == STATUS_OK && i < rows; i++)
        if (strcmp(row[i].stage, t->base) == 0 && row[i].round == t->round)
            st = metrics_write(m, &row[i]);
    if (st == STATUS_OK) st = metrics_sync(m);
    metrics_close(m);
    memory_free(row);
    return st;
}

/* The name of the stage's output below its run's folder; NULL: it has none. */
static const char *output_name(const run_record *r, const char *name) {
    stage_record found;
    for (int i = 0; run_record_stage(r, i, &found, NULL); i++)
        if (strcmp(found.name, name) == 0) return found.output;
    return NULL;
}

/* Of looks on the way, as the other run had them; none, where it had none. */
static status take_looks(const stage *t, const run_record *from) {
    char group[OUTPUT_GROUP];
    output_looks_group(t->name, group);
    run_record_clear_group(t->record, group);
    return run_record_import_member(t->record, from, "results", group);
}

/* Hashes and figures that stand under names of their own: of a packing, of labels, of a PCA, of
 * looks. */
static status take_others(const stage *t, const run_record *from) {
    char features[STAGE_NAME] = "features";
    if (t->round > 1) snprintf(features, sizeof features, "features-%d", t->round);
    status st = STATUS_OK;
    if (t->id == STAGE_PACK) st = run_record_import_member(t->record, from, "hashes", "sources");
    if (t->id == STAGE_CLUSTER && t->round == 1)
        st = run_record_import_member(t->record, from, "hashes", "labels");
    if (st == STATUS_OK && (t->id == STAGE_CLUSTER || t->id == STAGE_EXTRACT))
        st = run_record_import_member(t->record, from, "results", features);
    if (st == STATUS_OK && (t->id == STAGE_BASELINE || t->id == STAGE_FINETUNE))
        st = take_looks(t, from);
    return st;
}

/* The file first, then its record: a kill in between repeats this. A file that is this run's
 * already was taken then; but one of which the tables alone have been compared may be here because
 * this run found it damaged, and so it is in the other's folder. */
static status take_file(const char *source, const char *own) {
    if (!file_exists(own) || !file_same(source, own)) return link_file(source, own);
    return output_by_hash(own) ? STATUS_OK : STATUS_DATA;
}

static status take_from(stage *t, const char *folder, const run_record *from) {
    char source[FILE_PATH], own[FILE_PATH];
    const char *output = output_name(from, t->name);
    status st = STATUS_OK;
    if (output) {
        st = file_path(source, folder, output);
        if (st == STATUS_OK) st = file_path(own, t->s->run.dir, output);
        if (st == STATUS_OK) st = take_file(source, own);
    }
    if (st == STATUS_OK) st = take_rows(t, folder);
    if (st == STATUS_OK) st = run_record_import_stage(t->record, from, t->name);
    if (st == STATUS_OK) st = take_others(t, from);
    return st == STATUS_OK ? run_record_save(t->record) : st;
}

/* Whether the other run still has what it had, and it has been taken. */
static bool take_whole(stage *t, const char *folder) {
    char path[FILE_PATH];
    run_record *from = NULL;
    bool taken = false;
    if (file_path(path, folder, "run.json") != STATUS_OK) return false;
    if (run_record_look(&from, path) == STATUS_OK && from &&
        run_record_stage_done(from, t->name, t->key, NULL) &&
        output_left(from, folder, t->name) == STATUS_OK)
        taken = take_from(t, folder, from) == STATUS_OK;
    run_record_close(from);
    return taken;
}

static bool take_done(stage *t) {
    char path[FILE_PATH];
    void *folder = NULL;
    size_t bytes;
    if (store_path(t, path, "run") != STATUS_OK || !file_exists(path)) return false;
    if (file_read(path, FILE_PATH, &folder, &bytes) != STATUS_OK) return false;
    bool taken = take_whole(t, folder);
    if (taken)
        log_info("%s: taken over from %s, which has done it for the same inputs and settings",
            t->name, (const char *)folder);
    memory_free(folder);
    return taken;
}

/* Waits for another run that does the stage, until that has done it or this one is to stop. */
bool store_take(stage *t) {
    char path[FILE_PATH];
    bool told = false;
    if (!shared(t) || store_path(t, path, "") != STATUS_OK) return false;
    if (file_make_folder(path) != STATUS_OK) return false;
    for (;;) {
        file_lock_options o = {.job = "", .patience = 1, .quiet = true};
        if (take_done(t)) return true;
        status st = file_lock_take(&t->hold, path, &o);
        if (st == STATUS_OK) break;
        if (st != STATUS_USAGE || stop_requested()) return false;
        if (!told) log_info("%s: another run does it: waiting for that", t->name);
        told = true;
        pulse_tick(); /* this is no hang */
    }
    /* Between the look and the lock it may have been done. */
    if (!take_done(t)) return false;
    store_leave(t);
    return true;
}

void store_give(const stage *t) {
    char path[FILE_PATH], *folder;
    if (!t->hold || store_path(t, path, "run") != STATUS_OK) return;
    folder = realpath(t->s->run.dir, NULL);
    if (folder && strlen(folder) < FILE_PATH) file_write(path, folder, strlen(folder));
    free(folder);
}

void store_leave(stage *t) {
    file_lock_release(t->hold);
    t->hold = NULL;
}
