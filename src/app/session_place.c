/* What goes wrong in silence on a cluster: a folder on a node's own disk, a rank that was started
 * in another working folder, an old program on one node, two jobs in one folder. Each would end in
 * a hang or in wrong files much later, so it is looked for before anything is written. Rank 0
 * writes a line into the lock's file, and all others look for that very line in what they take for
 * the same folder. Programs are compared by a hash of the file that runs. */
#include "src/app/session_place.h"

#include "io/files/file.h"
#include "src/base/log.h"
#include "src/base/timer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Seconds: for an owner that was killed to end; for a new file to be seen through a network file
 * system's caches. */
enum { PATIENCE = 5, VISIBLE = 10 };
static const char program_path[] = "/proc/self/exe";

const char *session_place_job(void) {
    static const char *const names[] = {"SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (getenv(names[i])) return getenv(names[i]);
    return NULL;
}

static file_lock_options this_job(void) {
    const char *job = session_place_job(), *restarts = getenv("SLURM_RESTART_COUNT");
    return (file_lock_options){
        .job = job ? job : "", .start = restarts ? atoi(restarts) : 0, .patience = PATIENCE};
}

/* Whether this rank sees rank 0's lock. */
static bool sees(const char *folder, const char *line) {
    enum { PAUSE = 50000 }; /* microseconds */
    double until = timer_now() + VISIBLE;
    while (!file_lock_says(folder, line)) {
        if (timer_now() > until) return false;
        usleep(PAUSE);
    }
    return true;
}

/* The lowest rank that differs, and how many others; -1: none. Collective. In doubles, as ranks are
 * compared by a minimum: they are exact there. */
static int lowest(const comm *c, bool differs, int64_t *others) {
    double rank = differs ? comm_rank(c) : comm_size(c);
    *others = differs;
    comm_min_f64(c, &rank, 1);
    comm_sum_i64(c, others, 1);
    *others -= 1;
    return rank < comm_size(c) ? (int)rank : -1;
}

/* "rank 3 on node7, and 4 others": text [size]. */
static void describe(const comm *c, int64_t others, char *text, size_t size) {
    char host[128] = "", more[48] = "";
    if (gethostname(host, sizeof host - 1) != 0) host[0] = 0;
    if (others > 0) snprintf(more, sizeof more, ", and %lld others", (long long)others);
    snprintf(text, size, "rank %d on %s%s", comm_rank(c), host, more);
}

/* Collective. The lowest rank that differs speaks, by its host's name; all return the same. */
static status same_folder(const comm *c, const char *folder, const char *line) {
    int64_t others;
    char who[320], here[FILE_PATH];
    int rank = lowest(c, !sees(folder, line), &others);
    if (rank < 0) return STATUS_OK;
    if (rank == comm_rank(c)) {
        describe(c, others, who, sizeof who);
        if (!getcwd(here, sizeof here)) strcpy(here, "?");
        log_error("run.dir = \"%s\" is another folder on %s, than on rank 0 (working folder here: "
                  "%s). All ranks need the same one, on a shared file system",
            folder, who, here);
    }
    return STATUS_USAGE;
}

/* Collective. */
static status same_program(const comm *c) {
    uint64_t mine = 0, root;
    int64_t others;
    char who[320], path[FILE_PATH] = "";
    status st = comm_agree(c, file_hash(program_path, &mine));
    if (st != STATUS_OK) return st;
    root = mine;
    comm_broadcast(c, &root, sizeof root);
    int rank = lowest(c, mine != root, &others);
    if (rank < 0) return STATUS_OK;
    if (rank == comm_rank(c)) {
        ssize_t n = readlink(program_path, path, sizeof path - 1);
        describe(c, others, who, sizeof who);
        log_error("%s: the program on %s, is not that of rank 0: all ranks need the same build",
            n > 0 ? path : "auxseg", who);
    }
    return STATUS_USAGE;
}

status session_place_take(file_lock **out, const comm *c, const settings *s) {
    char line[LOCK_LINE] = "";
    file_lock_options job = this_job();
    file_lock *l = NULL;
    status st = comm_agree(c, comm_root(c) ? file_lock_take(&l, s->run.dir, &job) : STATUS_OK);
    if (st != STATUS_OK) return st; /* rank 0 has it not */
    if (l) snprintf(line, sizeof line, "%s", file_lock_line(l));
    comm_broadcast(c, line, sizeof line);
    st = same_folder(c, s->run.dir, line);
    if (st == STATUS_OK) st = same_program(c);
    if (st == STATUS_OK)
        *out = l;
    else
        file_lock_release(l);
    return st;
}
