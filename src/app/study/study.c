/* `auxseg study`: a study of scaling as one command. This process is no rank: it starts each point
 * by a launcher, one after another, so that no point shares its cores with another. Repetitions go
 * round over the points, not point by point: a machine that slows down in between slows all of them
 * alike.
 *
 * What is measured is kept, each by itself (study_measure.c): an interrupted study goes on, and
 * points that jobs have measured side by side are collected by one more call. */
#include "src/app/study/study.h"

#include "io/files/lock.h"
#include "src/app/study/study_base.h"
#include "src/app/stage/child_process.h"
#include "src/app/study/study_page.h"
#include "src/app/study/study_table.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/stop.h"

#include <stdio.h>
#include <stdlib.h>

/* Oversubscription is what the user asked for, and said: such a point shows what many ranks a core
 * cost, not how a stage scales. Who collects may sit on another machine than those that measured.
 */
static void tell_oversubscribed(const study_plan *p) {
    char name[STUDY_NAME];
    int cores = child_process_processors();
    for (int i = 0; i < p->points && !p->launch && p->part != STUDY_COLLECT; i++) {
        if (study_point_cores(p->point[i]) <= cores) continue;
        study_point_name(p->point[i], name);
        log_warn("study: %s: more than the %d cores of this machine: oversubscribed", name, cores);
    }
}

/* For scripts: nothing else goes to standard output. */
static void answer(const study_plan *p) {
    if (p->part == STUDY_FOLDER) puts(p->out);
    for (int i = 0; i < p->points && p->part == STUDY_LIST; i++)
        printf("%dx%d\n", p->point[i].ranks, p->point[i].threads);
}

static bool same_point(study_point a, study_point b) {
    return a.ranks == b.ranks && a.threads == b.threads;
}

/* One base is made by the point of most cores; where images grow with the ranks, each by the first
 * point of its number of ranks. */
static status prepare(const study_plan *p) {
    status st = STATUS_OK;
    study_point largest = p->point[0];
    for (int i = 1; i < p->points; i++)
        if (study_point_cores(p->point[i]) > study_point_cores(largest)) largest = p->point[i];
    if (!study_base_grows(p)) return study_base_make(p, largest);
    for (int i = 0; i < p->points && st == STATUS_OK; i++)
        if (i == 0 || p->point[i].ranks != p->point[i - 1].ranks)
            st = study_base_make(p, p->point[i]);
    return st;
}

/* With --only the repetitions of that point alone, one after another. */
static status measure(const study_plan *p) {
    status st = STATUS_OK;
    for (int64_t k = 0; k < p->repeats; k++)
        for (int i = 0; i < p->points && st == STATUS_OK; i++)
            if (p->only.ranks == 0 || same_point(p->only, p->point[i]))
                st = study_measure_point(p, p->point[i], k);
    return st;
}

/* What could be found out is shown, also where results differ. */
static status collect(const study_plan *p) {
    study_row *rows = NULL;
    status st = study_rows_collect(p, &rows), written = STATUS_OK;
    if (rows) {
        written = study_table_write(p, rows);
        if (written == STATUS_OK) written = study_page_write(p, rows);
        study_table_print(p, rows);
        if (written == STATUS_OK) log_info("study: %s: scaling.csv, scaling.html", p->out);
    }
    memory_free(rows);
    return st == STATUS_OK ? written : st;
}

/* One study in a folder at a time. Jobs that measure one point each, and one that collects, are
 * told apart by their names. */
static status study(const study_plan *p) {
    file_lock *lock = NULL;
    /* One that was told to stop may take a moment to leave. */
    file_lock_options o = file_lock_this_job();
    o.patience = 2;
    status st = file_make_folder(p->out);
    if (st == STATUS_OK && p->part == STUDY_ALL) st = file_lock_take(&lock, p->out, &o);
    if (st == STATUS_OK && (p->part == STUDY_ALL || p->part == STUDY_PREPARE)) st = prepare(p);
    if (st == STATUS_OK && p->part != STUDY_COLLECT) st = study_base_check(p);
    if (st == STATUS_OK && (p->part == STUDY_ALL || p->part == STUDY_MEASURE)) st = measure(p);
    if (st == STATUS_OK && (p->part == STUDY_ALL || p->part == STUDY_COLLECT)) st = collect(p);
    file_lock_release(lock);
    return st;
}

status command_study(int argc, char **argv) {
    study_plan *p = memory_alloc(1, sizeof *p, "study");
    status st = p ? study_plan_read(p, argc, argv) : STATUS_FAILED;
    if (st == STATUS_OK && (p->part == STUDY_LIST || p->part == STUDY_FOLDER)) {
        answer(p);
    } else if (st == STATUS_OK && getenv("OMPI_COMM_WORLD_SIZE")) {
        log_error("study: it starts mpirun itself, and cannot be started by it");
        st = STATUS_USAGE;
    } else if (st == STATUS_OK) {
        stop_install();
        tell_oversubscribed(p);
        st = study_measure_key(p);
        if (st == STATUS_OK) st = study(p);
        log_result(st);
    }
    if (p) study_plan_destroy(p);
    memory_free(p);
    return st;
}
