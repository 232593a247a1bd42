/* The command `compare`. A plan's runs are the command `run` with a cell's settings, in folders of
 * their own below the configuration's, one after another in this process. Rank 0 alone knows the
 * plan: it says to the others which run comes next, and its settings travel as any run's do.
 *
 * A run that fails is named, and the others go on; its code is the command's at the end. A request
 * to stop ends the plan with 75, as it ends a run, and the same command goes on. Every run keeps
 * how it ended in its folder (src/app/compare/elements.h). */
#include "src/app/compare.h"

#include "io/files/file.h"
#include "io/files/lock.h"
#include "mpi/settings_share.h"
#include "src/app/compare/compare_csv.h"
#include "src/app/compare/compare_report.h"
#include "src/app/compare/elements.h"
#include "src/app/compare/plans.h"
#include "src/app/compare_words.h"
#include "src/app/run.h"
#include "src/app/session.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/pulse.h"
#include "src/base/stop.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The command under way. What rank 0 alone has is empty elsewhere. */
typedef struct comparison {
    const comm *c;
    compare_words words;
    command_line line;
    plan_file plan; /* rank 0's */
    elements e;     /* rank 0's */
    settings *s;    /* of the run that is next */
    status failed;  /* of the first run that failed */
    bool again;     /* the last one was another task's, which has ended by now */
} comparison;

/* What the words ask for, as far as it needs no MPI. Rank 0. */
static status open_plan(comparison *x) {
    const compare_words *w = &x->words;
    status st = plans_read(&x->plan, w->plan);
    if (st == STATUS_OK && w->seeds) st = plan_file_seeds(&x->plan, w->seeds);
    x->e =
        (elements){.plan = &x->plan, .config = w->config, .set = w->line.set, .sets = w->line.sets};
    return st == STATUS_OK ? elements_create(&x->e) : st;
}

static void close_plan(comparison *x) {
    elements_destroy(&x->e);
    plan_file_destroy(&x->plan);
}

/* Number, cell, seed and folder of each run, between tabs. */
static status print_list(comparison *x) {
    for (int i = 1; i <= elements_count(&x->e); i++) {
        char *folder = elements_folder(&x->e, i);
        if (!folder) return STATUS_FAILED;
        printf("%d\t%s\t%lld\t%s\n", i, x->plan.cell[elements_cell(&x->e, i)].name,
            (long long)elements_seed(&x->e, i), folder);
        memory_free(folder);
    }
    return STATUS_OK;
}

/* compare.csv, the table and the page of what there is. Rank 0. */
static status show(const compare_results *r, const compare_words *w) {
    char **words = memory_alloc((size_t)compare_words_most(w), sizeof *words, "command line");
    if (!words) return STATUS_FAILED;
    const command_line line = {"compare", compare_words_again(w, (const char **)words), words};
    char *again = command_line_text(&line);
    status st = again ? compare_csv_write(r) : STATUS_FAILED;
    if (st == STATUS_OK) compare_table_print(r);
    if (st == STATUS_OK) st = compare_report_write(r, again);
    memory_free(again);
    memory_free(words);
    return st;
}

static status collect(comparison *x) {
    compare_results r;
    status st = elements_results(&x->e, &r);
    if (st == STATUS_OK) st = compare_results_fill(&r);
    if (st == STATUS_OK) st = file_make_folder(r.folder);
    if (st == STATUS_OK) st = show(&r, &x->words);
    compare_results_destroy(&r);
    return st;
}

/* The code of the first run that failed; STOPPED where runs are missing. */
static status worst_code(const comparison *x) {
    status worst = STATUS_OK;
    for (int i = 1, code; i <= elements_count(&x->e); i++) {
        status st = elements_code(&x->e, i, &code);
        if (st != STATUS_OK) return st;
        if (code > 0) return (status)code;
        if (code == COMPARE_UNFINISHED) worst = STATUS_STOPPED;
    }
    return worst;
}

/* A run whose output this one reads, and that another task of the same array is at: until it has
 * done it, or is gone. Rank 0. STATUS_STOPPED: this process is to stop. */
static status wait_for(const comparison *x, int number) {
    char *folder = elements_folder(&x->e, number);
    int code;
    status st = folder ? elements_code(&x->e, number, &code) : STATUS_FAILED;
    for (bool told = false; st == STATUS_OK && code != STATUS_OK && file_lock_held(folder);) {
        if (!told) log_info("compare: waits for %s, which another job does", folder);
        told = true;
        sleep(1);
        pulse_tick(); /* this is no hang */
        st = stop_requested() ? STATUS_STOPPED : elements_code(&x->e, number, &code);
    }
    memory_free(folder);
    return st;
}

/* Settings of run `number` to all ranks. Collective. */
static status share_settings(comparison *x, int number) {
    char **set = NULL;
    int sets = 0;
    status st = comm_root(x->c) ? elements_settings(&x->e, number, &set, &sets) : STATUS_OK;
    st = comm_agree(x->c, st);
    if (st == STATUS_OK)
        st = settings_share(x->c, x->s, x->words.config, (const char *const *)set, sets);
    elements_free_settings(set, sets);
    return st;
}

/* The code is kept whatever it is: that of a failed run is shown, and the run is tried again by the
 * next start. */
static status end_run(comparison *x, int number, status st) {
    const char *cell = x->plan.cell[elements_cell(&x->e, number)].name;
    long long seed = (long long)elements_seed(&x->e, number);
    if (st == STATUS_STOPPED) return st;
    if (st == STATUS_OK)
        log_info("compare: cell \"%s\", seed %lld: done", cell, seed);
    else
        log_error("compare: cell \"%s\", seed %lld: failed with code %d (%s)", cell, seed, (int)st,
            status_text(st));
    return elements_keep_code(&x->e, number, st);
}

/* A task that had to do what it needs has come to a run before the run's own task: that is no
 * failure. Waits for the end of the other, whatever that is. st: of the run. Collective. */
static bool was_taken(const comparison *x, int number, status st) {
    int32_t taken = 0;
    if (comm_root(x->c) && x->words.cell && st == STATUS_USAGE) {
        char *folder = elements_folder(&x->e, number);
        taken = folder && file_lock_held(folder);
        memory_free(folder);
        if (taken) wait_for(x, number);
    }
    comm_broadcast(x->c, &taken, sizeof taken);
    return taken;
}

/* One run. STATUS_OK also where it failed, which x->failed keeps. Collective. */
static status do_run(comparison *x, int number) {
    const session_work work = {command_run, &x->line};
    if (comm_root(x->c))
        log_info("compare: run %d of %d: cell \"%s\", seed %lld", number, elements_count(&x->e),
            x->plan.cell[elements_cell(&x->e, number)].name,
            (long long)elements_seed(&x->e, number));
    status st = share_settings(x, number);
    if (st == STATUS_OK) st = session_job(x->c, x->s, &work);
    x->again = was_taken(x, number, st);
    if (x->again) return STATUS_OK;
    if (st != STATUS_OK && st != STATUS_STOPPED && x->failed == STATUS_OK) x->failed = st;
    status kept = comm_agree(x->c, comm_root(x->c) ? end_run(x, number, st) : STATUS_OK);
    return st == STATUS_STOPPED ? st : kept;
}

/* What comes next of the runs that `number` needs, and itself; 0: nothing. Rank 0. STATUS_STOPPED:
 * this job is to stop, while it waits for another's run. */
static status next_of(const comparison *x, int number, int *next) {
    int code;
    *next = 0;
    status st = elements_code(&x->e, number, &code);
    if (st != STATUS_OK || code == STATUS_OK) return st;
    *next = number;
    /* All runs of a plan are done in an order in which nothing is needed before it is there. */
    for (int i = 0, other; x->words.cell && (other = elements_needs(&x->e, number, i)); i++) {
        st = elements_code(&x->e, other, &code);
        if (st == STATUS_OK && code == STATUS_OK) continue;
        if (st == STATUS_OK) st = wait_for(x, other);
        if (st == STATUS_OK) st = next_of(x, other, next);
        if (*next == 0) *next = number;
        return st;
    }
    return STATUS_OK;
}

/* Runs `first` to `last`, and with --cell those that it needs. Collective. */
static status do_runs(comparison *x, int first, int last) {
    status st = STATUS_OK;
    for (int number = first; number <= last && st == STATUS_OK; number++) {
        int next = 0, before = -1;
        do {
            int32_t stop = stop_requested();
            comm_max_i32(x->c, &stop, 1);
            if (stop) return STATUS_STOPPED;
            if (comm_root(x->c)) st = next_of(x, number, &next);
            st = comm_agree(x->c, st);
            comm_broadcast(x->c, &next, sizeof next);
            if (st != STATUS_OK) return st;
            /* One that has failed is not tried twice by one start. */
            if (next == 0 || next == before) break;
            st = do_run(x, next);
            before = x->again ? -1 : next;
        } while (st == STATUS_OK && (next != number || x->again));
    }
    return st;
}

/* Requests to stop: signals, run.max_hours from the beginning, a file STOP in the plan's folder.
 * And the watchdog's limit outside of runs. Collective. */
static status watch(comparison *x) {
    char path[FILE_PATH] = "";
    double hours = 0, limit = 0;
    status st = STATUS_OK;
    if (comm_root(x->c)) {
        st = settings_read(x->s, x->words.config, x->words.line.set, x->words.line.sets);
        if (st == STATUS_OK) st = file_make_folder(x->e.folder);
        if (st == STATUS_OK) st = file_path(path, x->e.folder, "STOP");
        hours = st == STATUS_OK ? x->s->run.max_hours : 0;
        limit = st == STATUS_OK ? x->s->run.watchdog : 0;
        if (st == STATUS_OK && file_exists(path)) {
            log_warn("%s is there: nothing goes on before it is removed", path);
            st = STATUS_STOPPED;
        }
    }
    st = comm_agree(x->c, st);
    comm_broadcast(x->c, path, sizeof path);
    comm_broadcast(x->c, &hours, sizeof hours);
    comm_broadcast(x->c, &limit, sizeof limit);
    if (st != STATUS_OK) return st;
    stop_set_file(path);
    stop_set_deadline(hours * 3600);
    return session_limit(x->c, limit);
}

/* One job for the whole plan; tasks of an array have the locks of their runs. Rank 0. */
static status take_plan(const comparison *x, file_lock **lock) {
    file_lock_options o = file_lock_this_job();
    o.patience = 10;
    return x->words.cell ? STATUS_OK : file_lock_take(lock, x->e.folder, &o);
}

/* first, last: all, or the one that the words name. Collective. */
static status find_runs(const comparison *x, int32_t *first, int32_t *last) {
    int32_t span[2] = {1, 0};
    status st = STATUS_OK;
    if (comm_root(x->c)) {
        int count = elements_count(&x->e), one = x->words.cell;
        if (one > count) {
            log_error("--cell %d: the plan has %d runs", one, count);
            st = STATUS_USAGE;
        }
        span[0] = one ? one : 1;
        span[1] = one ? one : count;
    }
    comm_broadcast(x->c, span, sizeof span);
    *first = span[0];
    *last = span[1];
    return comm_agree(x->c, st);
}

/* Everything that was done is shown, also of a plan that was stopped. Collective. */
static status run_plan(comparison *x) {
    int32_t first, last;
    file_lock *lock = NULL;
    status st = comm_agree(x->c, comm_root(x->c) ? open_plan(x) : STATUS_OK);
    if (st == STATUS_OK) st = find_runs(x, &first, &last);
    if (st == STATUS_OK) st = watch(x);
    if (st == STATUS_OK) st = comm_agree(x->c, comm_root(x->c) ? take_plan(x, &lock) : STATUS_OK);
    if (st != STATUS_OK) return st;
    st = do_runs(x, first, last);
    status shown = comm_root(x->c) && !x->words.cell ? collect(x) : STATUS_OK;
    shown = comm_agree(x->c, shown);
    file_lock_release(lock);
    if (st == STATUS_OK) st = x->failed;
    return st == STATUS_OK ? shown : st;
}

/* Collective. */
static status work(const comm *c, int argc, char **argv) {
    comparison x = {.c = c, .line = {"compare", argc, argv}};
    log_set_times(true);
    status st = comm_root(c) ? compare_words_read(&x.words, argc, argv) : STATUS_OK;
    int32_t cell = x.words.cell;
    st = comm_agree(c, st);
    comm_broadcast(c, &cell, sizeof cell);
    x.words.cell = cell;
    x.s = memory_alloc(1, sizeof *x.s, "settings");
    st = comm_agree(c, st == STATUS_OK && !x.s ? STATUS_FAILED : st);
    if (st == STATUS_OK) st = run_plan(&x);
    close_plan(&x);
    memory_free(x.s);
    compare_words_destroy(&x.words);
    log_result(st);
    return st;
}

static status side_by_side(const compare_words *w) {
    compare_results r;
    status st = compare_results_of(&r, w->run, w->runs);
    if (st == STATUS_OK) st = show(&r, w);
    compare_results_destroy(&r);
    return st;
}

/* Of a plan what needs no computing: its list, or its results. */
static status look(const compare_words *w) {
    comparison x = {.words = *w};
    status st = open_plan(&x);
    if (st == STATUS_OK && w->list) st = print_list(&x);
    if (st == STATUS_OK && w->collect) {
        st = collect(&x);
        if (st == STATUS_OK) st = worst_code(&x);
    }
    close_plan(&x);
    return st;
}

status command_compare(int argc, char **argv) {
    compare_words w;
    bool quick = compare_words_quick(argc, argv);
    if (!quick) return session_run_plan(work, argc, argv);
    status st = compare_words_read(&w, argc, argv);
    if (st == STATUS_OK && w.plans)
        st = plans_print();
    else if (st == STATUS_OK)
        st = w.runs > 0 ? side_by_side(&w) : look(&w);
    compare_words_destroy(&w);
    return st;
}
