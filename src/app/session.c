/* A stage's command from MPI's start to its end: settings on all ranks, where they compute,
 * requests to stop, the result's last lines.
 *
 * The order in `begin` and `run` matters: the folder's lock is taken before a file is written to
 * it, a file STOP is looked for before the start is recorded, and the lock is released only after
 * the record's end has been written, as another job may begin at that moment. */
#include "src/app/session.h"

#include "io/files/file.h"
#include "io/hdf5/hdf5_library.h"
#include "mpi/settings_share.h"
#include "mpi/watchdog.h"
#include "src/app/address_space.h"
#include "src/app/session_record.h"
#include "src/app/session_watch.h"
#include "src/app/stage/binding.h"
#include "src/app/stage/repair.h"
#include "src/app/stage/place.h"
#include "src/app/stage/setup.h"
#include "src/base/launcher.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/pulse.h"
#include "src/base/stop.h"
#include "src/base/timer.h"
#include "src/base/version.h"

#include <omp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* mpirun throws away the lines that it has not forwarded yet when the first rank leaves with an
 * error: microseconds that it gets for the last ones. */
enum { FORWARDING = 300000 };

/* A process has one session. The limit is that of the command, where single jobs have others. */
static watchdog *watched;
static double own_limit;

/* Line by line. A text of many lines would get one time and one rank in front. */
static void log_lines(char *text) {
    for (char *line = text, *end; *line; line = end + 1) {
        end = line + strcspn(line, "\n");
        log_info("  %.*s", (int)(end - line), line);
        if (!*end) break;
    }
}

/* text: the effective settings. path names the file that has all of them. */
static status log_settings(const settings *s, char *text, const char *path) {
    char *changes = NULL;
    size_t bytes = 0;
    if (s->run.verbose) {
        log_info("settings:");
        log_lines(text);
        return STATUS_OK;
    }
    FILE *f = open_memstream(&changes, &bytes);
    status st = f ? settings_write_changes(s, f) : STATUS_FAILED;
    if (f && fclose(f) != 0) st = STATUS_FAILED;
    if (st == STATUS_OK) {
        log_info("settings that differ from the defaults (all of them: %s):", path);
        log_lines(changes);
    } else {
        log_error("settings: out of memory");
    }
    free(changes);
    return st;
}

/* The effective settings, to the log and to run.dir/settings.cfg. Rank 0. */
static status save_settings(const settings *s) {
    char path[FILE_PATH], *text = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&text, &bytes);
    if (!f) {
        log_error("settings: out of memory");
        return STATUS_FAILED;
    }
    settings_write(s, f, false);
    status st = fclose(f) == 0 ? setup_path(path, s, "settings.cfg", 1) : STATUS_FAILED;
    if (st == STATUS_OK) st = file_write(path, text, bytes);
    if (st == STATUS_OK) st = log_settings(s, text, path);
    free(text);
    return st;
}

/* Names the file that asks for a stop, if it is there: it is a standing request, which also keeps a
 * batch system from starting again what was to end. Rank 0. */
static bool name_stop_file(const settings *s) {
    char path[FILE_PATH];
    if (setup_path(path, s, "STOP", 1) != STATUS_OK || !file_exists(path)) return false;
    log_warn("%s is there: nothing goes on before it is removed", path);
    return true;
}

/* STATUS_STOPPED, nothing done, if a file STOP is there already. Collective. */
static status watch_for_stop(const comm *c, const settings *s) {
    char path[FILE_PATH];
    status st = setup_path(path, s, "STOP", 1);
    if (st == STATUS_OK && comm_root(c) && name_stop_file(s)) st = STATUS_STOPPED;
    st = comm_agree(c, st);
    if (st != STATUS_OK) return st;
    stop_set_file(path);
    stop_set_deadline(s->run.max_hours * 3600);
    return STATUS_OK;
}

/* *lock: rank 0's hold on the folder. Collective. */
static status begin(const comm *c, const settings *s, bool alone, file_lock **lock) {
    int threads = setup_threads(s);
    omp_set_num_threads(threads);
    log_set_verbose(s->run.verbose);
    log_info("auxseg %s (%s), run folder %s", AUXSEG_VERSION, version_commit, s->run.dir);
    status st = alone ? binding_print(c, threads) : STATUS_OK;
    if (st == STATUS_OK) st = setup_folder(c, s);
    if (st == STATUS_OK) st = place_take(lock, c, "run.dir", s->run.dir, setup_threads(s));
    if (st == STATUS_OK && alone) st = watch_for_stop(c, s);
    return st == STATUS_OK ? comm_agree(c, comm_root(c) ? save_settings(s) : STATUS_OK) : st;
}

/* The largest rank's highest memory, in MiB; *all: the sum over ranks. Collective. Bytes of the
 * ranks are summed as integers. */
static double peak_memory(const comm *c, double *all) {
    int64_t bytes = (int64_t)memory_peak();
    double largest = (double)bytes, mib = 1 << 20;
    comm_max_f64(c, &largest, 1);
    comm_sum_i64(c, &bytes, 1);
    *all = (double)bytes / mib;
    return largest / mib;
}

static void print_end(status st, double seconds, double peak, double all_peaks) {
    log_info("Time to solution [s]: %.3f", seconds);
    log_info("Peak memory [MiB]: %.0f (largest rank), %.0f (all ranks)", peak, all_peaks);
    log_result(st);
}

/* Collective. What has been begun is ended on every way out: the record of a start that failed gets
 * its code, and the lock goes. A stage that was stopped is told apart from one that failed, and the
 * file that asked for it, if one did, is named once more at the end. alone: the process does
 * nothing else. */
static status run_job(const comm *c, const settings *s, const session_work *work, bool alone) {
    double began = timer_now(), all_peaks;
    session_record record = {0};
    file_lock *lock = NULL;
    status st = begin(c, s, alone, &lock);
    if (st == STATUS_OK) st = session_record_begin(&record, c, s, work->line);
    if (st == STATUS_OK) {
        st = work->stage(c, s);
        if (st == STATUS_DATA) repair_dataset(c, s);
        if (st == STATUS_STOPPED && comm_root(c)) name_stop_file(s);
    }
    double seconds = timer_now() - began, peak = peak_memory(c, &all_peaks);
    st = session_record_end(&record, c, st, seconds, peak);
    file_lock_release(lock);
    if (alone) print_end(st, seconds, peak, all_peaks);
    return st;
}

status session_limit(const comm *c, double seconds) {
    own_limit = seconds;
    return watchdog_connect(&watched, c, seconds);
}

/* A job may have another limit than the command around it, which goes on by its own. */
status session_job(const comm *c, const settings *s, const session_work *work) {
    status st = watchdog_connect(&watched, c, s->run.watchdog);
    if (st == STATUS_OK) st = run_job(c, s, work, false);
    status back = watchdog_connect(&watched, c, own_limit);
    return st == STATUS_OK ? back : st;
}

/* Collective. */
static status run(const comm *c, const session_work *work, const arguments *a) {
    settings *s = memory_alloc(1, sizeof *s, "settings");
    status st = comm_agree(c, s ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK) st = settings_share(c, s, a->config, a->set, a->sets);
    if (st == STATUS_OK) st = watchdog_connect(&watched, c, s->run.watchdog);
    if (st == STATUS_OK)
        st = run_job(c, s, work, true);
    else
        print_end(st, 0, 0, 0);
    memory_free(s);
    return st;
}

/* MPI's libraries end the process where they get no memory, or leave the others waiting. The rank
 * is the launcher's, as MPI's is not known yet. */
static bool room_for_mpi(void) {
    const char *rank = launcher_rank();
    char what[64] = "MPI";
    if (rank) snprintf(what, sizeof what, "rank %.20s: MPI", rank);
    return memory_room(ADDRESS_SPACE_OF_MPI, what);
}

/* Open MPI 5 does not begin where HOME is not set, as in a job with an environment of its own. */
static void have_home(void) {
    if (getenv("HOME")) return;
    const struct passwd *user = getpwuid(getuid());
    setenv("HOME", user && user->pw_dir[0] ? user->pw_dir : "/", 1);
}

/* Starts MPI; *c is made, or MPI has not begun. Only the thread that began MPI calls it (FUNNELED):
 * OpenMP's threads compute beside it. The watchdog, whose limit as far as it is known is `limit`,
 * begins before: a rank that is stopped here would leave the others in MPI's start. */
static status open_session(comm **c, double limit) {
    int provided = MPI_THREAD_SINGLE;
    /* The launcher ends the other ranks when this one leaves before MPI has begun. */
    if (!room_for_mpi()) return STATUS_FAILED;
    have_home();
    hdf5_begin();   /* before MPI, which would otherwise have HDF5 tidy up at its end */
    stop_install(); /* MPI writes files, too, whose size may be limited */
    watched = watchdog_begin(limit);
    pulse_wait();
    MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
    pulse_go();
    stop_install(); /* once more: MPI has handlers of its own */
    status st = comm_create(c, MPI_COMM_WORLD);
    /* Without a communicator ranks cannot agree: the only way out together is to abort. */
    if (st != STATUS_OK) MPI_Abort(MPI_COMM_WORLD, (int)st);
    log_set_rank(comm_rank(*c), comm_size(*c));
    if (provided >= MPI_THREAD_FUNNELED) return STATUS_OK;
    if (comm_root(*c)) log_error("this MPI library allows no threads (MPI_THREAD_FUNNELED)");
    return STATUS_FAILED;
}

static void close_session(comm *c, status st) {
    if (st != STATUS_OK && comm_size(c) > 1) usleep(FORWARDING);
    pulse_wait();
    comm_destroy(c);
    MPI_Finalize();
    pulse_go();
    watchdog_end(watched);
    watched = NULL;
}

status session_run(
    const char *command, status (*stage)(const comm *c, const settings *s), int argc, char **argv) {
    const command_line line = {command, argc, argv};
    const session_work work = {stage, &line};
    comm *c = NULL;
    arguments a = {0};
    status st = open_session(&c, session_watch_limit(argc, argv));
    if (!c) return st;
    log_set_times(true);
    /* Every rank reads the same words: only one needs to complain. */
    if (st == STATUS_OK && comm_root(c)) st = arguments_read(&a, argc, argv);
    st = comm_agree(c, st);
    if (st == STATUS_OK) st = run(c, &work, &a);
    arguments_destroy(&a);
    close_session(c, st);
    return st;
}

/* limit: the watchdog's. */
static status run_words(
    status (*work)(const comm *c, int argc, char **argv), int argc, char **argv, double limit) {
    comm *c = NULL;
    status st = open_session(&c, limit);
    if (!c) return st;
    st = comm_agree(c, st);
    /* Each rank has looked for it by itself: one that could not has another one. */
    comm_broadcast(c, &limit, sizeof limit);
    own_limit = limit;
    if (st == STATUS_OK) st = watchdog_connect(&watched, c, limit);
    if (st == STATUS_OK) st = work(c, argc, argv);
    close_session(c, st);
    return st;
}

status session_run_words(
    status (*work)(const comm *c, int argc, char **argv), int argc, char **argv) {
    return run_words(work, argc, argv, session_watch_default());
}

status session_run_plan(
    status (*work)(const comm *c, int argc, char **argv), int argc, char **argv) {
    return run_words(work, argc, argv, session_watch_limit(argc, argv));
}
