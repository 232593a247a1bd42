/* What goes wrong in silence on a cluster: a folder on a node's own disk, a rank that was started
 * in another working folder, an old program on one node, two jobs in one folder. Each would end in
 * a hang or in wrong files much later, so it is looked for before anything is written. Rank 0
 * writes a line into the lock's file, and all others look for that very line in what they take for
 * the same folder. Programs are compared by a hash of the file that runs,
 * processors and libraries by what they tell of themselves. */
#include "src/app/stage/place.h"

#include "io/files/file.h"
#include "io/files/machine.h"
#include "mpi/ranks_where.h"
#include "src/base/log.h"
#include "src/base/timer.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Seconds: for an owner that was killed to end; for a new file to be seen through a network file
 * system's caches. */
enum { PATIENCE = 5, VISIBLE = 10 };
static const char program_path[] = "/proc/self/exe";

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

/* Collective. The lowest rank that differs speaks for all that do. */
static status same_folder(const comm *c, const char *name, const char *folder, const char *line) {
    char here[FILE_PATH];
    ranks_where w = ranks_where_true(c, !sees(folder, line));
    if (w.count == 0) return STATUS_OK;
    if (w.lowest == comm_rank(c)) {
        if (!getcwd(here, sizeof here)) strcpy(here, "?");
        log_error("%s = \"%s\" is another folder on %s, than on rank 0 (working folder here: %s). "
                  "All ranks need the same one, on a shared file system",
            name, folder, w.text, here);
    }
    return STATUS_USAGE;
}

/* Collective. */
static status same_program(const comm *c) {
    uint64_t mine = 0;
    char path[FILE_PATH] = "";
    status st = comm_agree(c, file_hash(program_path, &mine));
    if (st != STATUS_OK) return st;
    ranks_where w = ranks_where_other(c, mine);
    if (w.count == 0) return STATUS_OK;
    if (w.lowest == comm_rank(c)) {
        ssize_t n = readlink(program_path, path, sizeof path - 1);
        log_error("%s: the program on %s, is not that of rank 0: all ranks need the same build",
            n > 0 ? path : "auxseg", w.text);
    }
    return STATUS_USAGE;
}

/* What the same arithmetic is done by. Ranks compute the same weights each for itself: one whose
 * processor or library rounds in another way would be found hundreds of steps later, and taken for
 * one with a broken memory. Collective. */
static status same_arithmetic(const comm *c) {
    static const char *const facts[] = {"instructions", "onednn", "mpi", "hdf5"};
    char mine[MACHINE_TEXT], root[MACHINE_TEXT];
    const char *key;
    for (int i = 0; machine_fact(i, &key, mine); i++) {
        bool wanted = false;
        for (size_t k = 0; k < sizeof facts / sizeof *facts; k++)
            wanted = wanted || strcmp(key, facts[k]) == 0;
        if (!wanted) continue;
        memcpy(root, mine, sizeof root);
        comm_broadcast(c, root, sizeof root);
        ranks_where w = ranks_where_true(c, strcmp(mine, root) != 0);
        if (w.count == 0) continue;
        if (w.lowest == comm_rank(c))
            log_error("%s on %s: \"%s\"; on rank 0: \"%s\". Ranks that compute in different ways "
                      "come to different results: all need nodes of one kind",
                key, w.text, mine, root);
        return STATUS_USAGE;
    }
    return STATUS_OK;
}

/* Results do not depend on threads, but the slowest rank is what all wait for. Collective. */
static void compare_threads(const comm *c, int mine) {
    int root = mine;
    comm_broadcast(c, &root, sizeof root);
    ranks_where w = ranks_where_true(c, mine != root);
    if (w.lowest == comm_rank(c))
        log_warn("%d threads on %s, %d on rank 0: is OMP_NUM_THREADS the same everywhere?", mine,
            w.text, root);
}

status place_take(
    file_lock **out, const comm *c, const char *name, const char *folder, int threads) {
    char line[LOCK_LINE] = "";
    file_lock_options job = file_lock_this_job();
    file_lock *l = NULL;
    job.patience = PATIENCE;
    status st = comm_agree(c, comm_root(c) ? file_lock_take(&l, folder, &job) : STATUS_OK);
    if (st != STATUS_OK) return st; /* rank 0 has it not */
    if (l) snprintf(line, sizeof line, "%s", file_lock_line(l));
    comm_broadcast(c, line, sizeof line);
    st = same_folder(c, name, folder, line);
    if (st == STATUS_OK) st = same_program(c);
    if (st == STATUS_OK) st = same_arithmetic(c);
    if (st == STATUS_OK) compare_threads(c, threads);
    if (st == STATUS_OK)
        *out = l;
    else
        file_lock_release(l);
    return st;
}
