/* The watchdog's thread: it shows this rank's progress and judges that of the others.
 *
 * Time counts only while this thread runs: each beat adds at most two periods, however long the
 * process was suspended in between. So a job that was stopped as a whole and goes on finds nobody
 * late. What the others show is a count of beats, never a time: clocks are not compared.
 *
 * Who ends the job is one rank a node: it names what it has found, waits for the launcher to hand
 * on its words, and leaves with the code; the launcher ends the others. MPI_Abort would be MPI,
 * which is the main thread's. */
#include "mpi/watchdog.h"

#include "mpi/watchdog_look.h"
#include "mpi/watchdog_nodes.h"
#include "mpi/watchdog_table.h"
#include "src/base/hook.h"
#include "src/base/launcher.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/thread.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Beats in a limit, and the longest time from one to the next. FORWARDING: microseconds that the
 * launcher gets for the last words. */
enum { BEATS = 20, SLOWEST = 1, FORWARDING = 500000, TEXT = 256 };

/* A rank of this node, as this one sees it. */
typedef struct seen {
    unsigned beats;
    double silent;
    bool excused; /* it was told that a debugger has it */
} seen;

struct watchdog {
    watchdog_table *table;
    watchdog_row *own;
    watchdog_nodes *nodes; /* set once, under the mutex */
    int rank;
    char name[WATCHDOG_NAME], host[WATCHDOG_HOST];
    seen other[WATCHDOG_ROWS];
    uint64_t ticks;
    double idle, stuck; /* seconds since the last tick: all; those without an excuse */
    double still;       /* seconds in the wait for others that this rank is in */
    int whole;          /* ranks of the job, if all of them are on this node; else 0 */
    bool told;          /* that this rank waits for a file system */
    bool threaded, met, done;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
};

static hook apart = {.name = "NODE_EACH"};

static double limit_of(const watchdog *w) {
    return 1e-3 * atomic_load(&w->table->limit);
}

static double period_of(const watchdog *w) {
    return fmin(fmax(limit_of(w) / BEATS, 0.05), SLOWEST);
}

/* "rank 2 on node7 (process 312)": text [TEXT]. */
static void name_row(const watchdog *w, watchdog_row *r, char *text) {
    snprintf(text, TEXT, "rank %d on %s (process %d)", atomic_load(&r->rank), w->host,
        atomic_load(&r->process));
}

/* "in pretrain, step 57, after "forward"": the last phase that ended. text [TEXT]. */
static void name_place(const pulse *p, char *text) {
    int n = snprintf(text, TEXT, "%s%s", p->stage[0] ? "in " : "before any stage", p->stage);
    if (p->stage[0]) n += snprintf(text + n, TEXT - (size_t)n, ", step %lld", (long long)p->step);
    if (p->phase >= 0 && p->phase < PHASE_COUNT)
        n += snprintf(text + n, TEXT - (size_t)n, ", after \"%s\"", phase_name(p->phase));
    if (p->waiting) snprintf(text + n, TEXT - (size_t)n, ", waiting for other ranks");
}

/* Before all have met the table still has its name, which nobody else would take away. */
_Noreturn static void leave(const watchdog *w) {
    watchdog_table_hide(w->name);
    usleep(FORWARDING);
    _exit(STATUS_HUNG);
}

/* Whether this rank is the one of its node that speaks. The others leave a little later. */
static bool may_speak(watchdog *w) {
    return !atomic_exchange(&w->table->spoken, true);
}

static void say_end(void) {
    log_error("the job ends with code %d (run.watchdog); the same command goes on from what was "
              "saved last",
        STATUS_HUNG);
}

static bool is_late(watchdog *w, int i, double seconds) {
    watchdog_row *r = &w->table->row[i];
    if (atomic_load(&r->process) == 0 || atomic_load(&r->ended)) return false;
    return w->other[i].silent >= seconds || 1e-3 * atomic_load(&r->stuck) >= seconds;
}

/* Whoever is nearly as late as the one that was found is as much at fault. */
static void name_late(watchdog *w) {
    double limit = limit_of(w), nearly = limit - 3 * period_of(w);
    for (int i = 0; i < WATCHDOG_ROWS; i++) {
        char who[TEXT], place[TEXT];
        watchdog_row *r = &w->table->row[i];
        if (!is_late(w, i, nearly)) continue;
        pulse p = watchdog_row_read(r);
        double stuck = 1e-3 * atomic_load(&r->stuck), silent = w->other[i].silent;
        bool frozen = silent >= nearly;
        name_row(w, r, who);
        name_place(&p, place);
        log_error("watchdog: %s has made no progress for %.0f s: it %s; %s", who,
            frozen ? silent + stuck : stuck,
            frozen ? "does not run (stopped?)" : "runs, but gets nowhere", place);
    }
}

/* This rank's own progress. What may excuse it is looked for only after a quarter of the limit, so
 * that nothing is looked for in a rank that gets on. */
static void show(watchdog *w, double dt, double limit) {
    pulse p = pulse_now();
    char place[TEXT];
    bool ticked = p.ticks != w->ticks, moved = ticked || p.waiting;
    w->ticks = p.ticks;
    w->still = ticked || !p.waiting ? 0 : w->still + dt;
    w->idle = moved ? 0 : w->idle + dt;
    w->stuck = moved ? 0 : w->stuck + dt;
    if (moved) w->told = false;
    if (limit > 0 && fmax(w->stuck, w->still) > limit / 4) {
        bool files = watchdog_in_files();
        bool excused = files || p.library || watchdog_traced((int)getpid());
        if (excused) w->stuck = w->still = 0;
        if (excused) p.waiting = false;
        if (files && w->idle > limit && !w->told) {
            name_place(&p, place);
            log_warn("watchdog: this rank, on %s, has waited for a file system for %.0f s, %s",
                w->host, w->idle, place);
            w->told = true;
        }
    }
    watchdog_row_write(w->own, &p);
    atomic_store(&w->own->stuck, (unsigned)fmin(1000 * w->stuck, UINT_MAX));
    atomic_store(&w->own->still, (unsigned)fmin(1000 * w->still, UINT_MAX));
    atomic_store(&w->table->touched, (uint64_t)(timer_now() * 1000));
    atomic_fetch_add(&w->own->beats, 1);
}

/* A debugger stops all threads of a process, the beating one, too. */
static void excuse(watchdog *w, int i) {
    char who[TEXT];
    watchdog_row *r = &w->table->row[i];
    seen *s = &w->other[i];
    if (!watchdog_traced(atomic_load(&r->process))) return;
    s->silent = 0;
    if (!s->excused && w->own == &w->table->row[0]) {
        name_row(w, r, who);
        log_warn("watchdog: a debugger has %s: it is not counted as late", who);
    }
    s->excused = true;
}

/* The ranks of this node. A stuck rank is named by the others: itself only where there are none. */
static void judge_node(watchdog *w, double dt, double limit) {
    bool late = false;
    for (int i = 0; i < WATCHDOG_ROWS; i++) {
        watchdog_row *r = &w->table->row[i];
        seen *s = &w->other[i];
        unsigned beats = atomic_load(&r->beats);
        if (atomic_load(&r->process) == 0) break;
        s->silent = beats != s->beats || r == w->own ? 0 : s->silent + dt;
        s->beats = beats;
        if (limit <= 0) continue;
        if (s->silent > limit / 2) excuse(w, i);
        late = late || is_late(w, i, r == w->own ? limit + 3 * period_of(w) : limit);
    }
    if (late && may_speak(w)) {
        name_late(w);
        say_end();
        leave(w);
    }
}

/* What this node's first rank says of it. A process that was stopped while it waited has its mark
 * still, and waits for nobody: it is who the others wait for. */
static node_report report_of(watchdog *w, double limit) {
    node_report m = {.first = w->rank};
    m.behind.step = INT64_MAX;
    memcpy(m.host, w->host, sizeof m.host);
    for (int i = 0; i < WATCHDOG_ROWS && atomic_load(&w->table->row[i].process) != 0; i++) {
        pulse p = watchdog_row_read(&w->table->row[i]);
        m.ranks++;
        m.waiting += p.waiting && w->other[i].silent <= limit / 2;
        m.ticks += p.ticks;
        if (p.step < m.behind.step) m.behind = p;
    }
    return m;
}

/* The rank that has come least far may be the one that took another turn. */
static void say_deadlock(const node_report *about, double seconds) {
    char place[TEXT];
    name_place(&about->behind, place);
    log_error("watchdog: all ranks wait for each other for %.0f s; rank %d on %s is behind the "
              "others, %s",
        seconds, about->first, about->host, place);
}

/* A job on one node: all of its ranks are in calls that wait for others, and none has come back for
 * as long. Who is stopped, computes, or waits for a file does not wait for others. */
static void judge_whole(watchdog *w, double limit) {
    double least = HUGE_VAL;
    node_report m = {.behind.step = INT64_MAX};
    int ranks = 0;
    for (; ranks < WATCHDOG_ROWS && atomic_load(&w->table->row[ranks].process) != 0; ranks++) {
        watchdog_row *r = &w->table->row[ranks];
        pulse p = watchdog_row_read(r);
        if (!p.waiting || w->other[ranks].silent > limit / 2) return;
        least = fmin(least, 1e-3 * atomic_load(&r->still));
        if (p.step >= m.behind.step) continue;
        m.behind = p;
        m.first = atomic_load(&r->rank);
    }
    if (ranks != w->whole || least < limit + 3 * period_of(w) || !may_speak(w)) return;
    memcpy(m.host, w->host, sizeof m.host);
    say_deadlock(&m, least);
    say_end();
    leave(w);
}

static void judge_nodes(watchdog *w, double dt, double limit) {
    char place[TEXT];
    double seconds = 0;
    node_report about, mine = report_of(w, limit);
    node_verdict v = watchdog_nodes_beat(w->nodes, &mine, dt, limit, &about, &seconds);
    if (v == NODES_FINE || limit <= 0 || !may_speak(w)) return;
    name_place(&about.behind, place);
    if (v == NODES_WAIT)
        say_deadlock(&about, seconds);
    else if (about.ranks > 1)
        log_error("watchdog: ranks %d and %d more on %s have not been heard of for %.0f s: they do "
                  "not run, or cannot be reached; %s",
            about.first, about.ranks - 1, about.host, seconds, place);
    else
        log_error("watchdog: rank %d on %s has made no progress for %.0f s: it does not run, or "
                  "cannot be reached; %s",
            about.first, about.host, seconds, place);
    say_end();
    leave(w);
}

/* Under the mutex but for the sleep, so that what is set before a wake is seen. */
static void *watch(void *context) {
    watchdog *w = context;
    double last = timer_now();
    pthread_mutex_lock(&w->mutex);
    while (!w->done) {
        double period = period_of(w), now = timer_now(), dt = fmin(now - last, 2 * period);
        double limit = limit_of(w);
        struct timespec until;
        last = now;
        if (atomic_load(&w->table->spoken)) leave(w);
        show(w, dt, limit);
        judge_node(w, dt, limit);
        if (w->nodes) judge_nodes(w, dt, limit);
        if (w->whole && limit > 0) judge_whole(w, limit);
        clock_gettime(CLOCK_MONOTONIC, &until);
        long long at = until.tv_nsec + (long long)(period * 1e9);
        until.tv_sec += at / 1000000000;
        until.tv_nsec = at % 1000000000;
        pthread_cond_timedwait(&w->wake, &w->mutex, &until);
    }
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

static bool start_thread(watchdog *w) {
    pthread_condattr_t clock;
    pthread_mutex_init(&w->mutex, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&w->wake, &clock);
    pthread_condattr_destroy(&clock);
    w->threaded = thread_start(&w->thread, watch, w) == 0;
    return w->threaded;
}

/* NULL without memory of either kind: the job then goes on without a watch. */
static watchdog *begin(const char *name, int rank, double seconds) {
    watchdog *w = memory_alloc(1, sizeof *w, "watchdog");
    if (!w) return NULL;
    w->rank = rank;
    snprintf(w->name, sizeof w->name, "%s", name);
    if (gethostname(w->host, sizeof w->host - 1) != 0) strcpy(w->host, "unknown host");
    w->table = watchdog_table_open(w->name, rank, &w->own);
    if (w->table) {
        atomic_store(&w->table->limit, (unsigned)(1000 * seconds));
        if (start_thread(w)) return w;
        /* Nothing beats for this rank: the others must not take that for a stop. */
        atomic_store(&w->own->ended, true);
        watchdog_table_close(w->table);
    }
    memory_free(w);
    return NULL;
}

watchdog *watchdog_begin(double seconds) {
    char name[WATCHDOG_NAME];
    const char *rank = launcher_rank();
    if (!rank || seconds <= 0 || hook_now(&apart) || !watchdog_table_name(name)) return NULL;
    return begin(name, atoi(rank), seconds);
}

/* The table that could not be had by the launcher's words. In tests each rank is a node. */
static watchdog *begin_late(const comm *c, double seconds) {
    char name[WATCHDOG_NAME];
    int64_t number = (int64_t)timer_now() ^ (int64_t)getpid() << 24;
    comm_broadcast(c, &number, sizeof number);
    if (hook_from_now(&apart)) number += comm_rank(c) + 1;
    watchdog_table_name_of((uint64_t)number, name);
    return begin(name, comm_rank(c), seconds);
}

/* Lowest of the ranks in this one's table, which all of its node's are in. */
static bool is_first(const watchdog *w) {
    for (int i = 0; i < WATCHDOG_ROWS && atomic_load(&w->table->row[i].process) != 0; i++)
        if (atomic_load(&w->table->row[i].rank) < w->rank) return false;
    return true;
}

/* Until the nodes that listen have answered, or some time is over: from here on a node that has
 * fallen silent is missed. Collective. */
static status meet(watchdog *w, const comm *c, watchdog_nodes *nodes) {
    enum { LOOKS = 60, PAUSE = 50000 };
    int64_t missing = nodes != NULL;
    for (int i = 0; nodes && missing && i < LOOKS; i++) {
        pthread_mutex_lock(&w->mutex);
        w->nodes = nodes;
        missing = !watchdog_nodes_reached(nodes);
        pthread_cond_signal(&w->wake);
        pthread_mutex_unlock(&w->mutex);
        if (missing) usleep(PAUSE);
    }
    comm_sum_i64(c, &missing, 1);
    if (missing > 0 && comm_root(c))
        log_warn(
            "watchdog: %lld node(s) cannot be reached by UDP: ranks there are watched by those "
            "of their own node alone",
            (long long)missing);
    return STATUS_OK;
}

/* How many ranks this one's table has. */
static int ranks_here(const watchdog *w) {
    int n = 0;
    while (n < WATCHDOG_ROWS && atomic_load(&w->table->row[n].process) != 0) n++;
    return n;
}

/* Once every rank is in its table. Collective. */
static status find_nodes(watchdog *w, const comm *c) {
    watchdog_nodes *nodes = NULL;
    bool first = w && is_first(w);
    if (first) watchdog_table_hide(w->name);
    status st = watchdog_nodes_create(&nodes, c, first);
    if (st != STATUS_OK) return st;
    if (w) {
        pthread_mutex_lock(&w->mutex);
        w->whole = ranks_here(w) == comm_size(c) ? comm_size(c) : 0;
        w->met = true;
        pthread_mutex_unlock(&w->mutex);
    }
    return meet(w, c, nodes);
}

/* Ranks that have no shared memory are not watched, and are no reason to end the job. */
status watchdog_connect(watchdog **out, const comm *c, double seconds) {
    int32_t missing = *out == NULL;
    if (seconds <= 0 || comm_size(c) == 1) {
        watchdog_end(*out);
        *out = NULL;
        return STATUS_OK;
    }
    comm_max_i32(c, &missing, 1);
    if (missing) { /* all begin anew, so that all are in one table */
        watchdog_end(*out);
        *out = begin_late(c, seconds);
    }
    watchdog *w = *out;
    if (!w) log_warn("watchdog: no shared memory: this rank is not watched");
    if (w) atomic_store(&w->table->limit, (unsigned)(1000 * seconds));
    if (!missing && w->met) return STATUS_OK;
    comm_barrier(c);
    return find_nodes(w, c);
}

void watchdog_end(watchdog *w) {
    if (!w) return;
    atomic_store(&w->own->ended, true);
    pthread_mutex_lock(&w->mutex);
    w->done = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->mutex);
    pthread_join(w->thread, NULL);
    pthread_mutex_destroy(&w->mutex);
    pthread_cond_destroy(&w->wake);
    watchdog_nodes_destroy(w->nodes);
    watchdog_table_hide(w->name);
    watchdog_table_close(w->table);
    memory_free(w);
}
