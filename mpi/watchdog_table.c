/* The table lies in shared memory under a name that the ranks of a job agree on without a word to
 * each other, as it has to be there before MPI is: MPI's start is one of the places where a job
 * hangs. The name is made of what the launcher tells each rank of its job. A table that nobody has
 * touched for a while is what a killed job has left, and is made anew; so a job's ranks have STALE
 * milliseconds to find each other, counted from the last beat of any. */
#include "mpi/watchdog_table.h"

#include "src/base/hash.h"
#include "src/base/timer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STALE = 60000 };

/* Of the job, or of the step of one: no two that run on a node at the same time have the same. */
bool watchdog_table_name(char *name) {
    static const char *const names[] = {"OMPI_MCA_ess_base_jobid", "PMIX_NAMESPACE",
        "OMPI_MCA_orte_precondition_transports", "SLURM_JOB_ID", "SLURM_STEP_ID"};
    uint64_t hash = 0;
    bool any = false;
    /* Several launchers that are not Slurm's may run in one allocation. */
    bool step = getenv("SLURM_STEP_ID");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value) hash = hash_append(hash, value, strlen(value) + 1);
        any = any || (value && (step || strcmp(names[i], "SLURM_JOB_ID") != 0));
    }
    watchdog_table_name_of(hash, name);
    return any;
}

void watchdog_table_name_of(uint64_t number, char *name) {
    snprintf(
        name, WATCHDOG_NAME, "/auxseg-%u-%016llx", (unsigned)geteuid(), (unsigned long long)number);
}

/* Under the file's lock. Where it fails the descriptor goes, and the lock with it. */
static watchdog_table *map(int fd, const char *name) {
    struct stat about;
    uint64_t now = (uint64_t)(timer_now() * 1000);
    if (flock(fd, LOCK_EX) != 0 || fstat(fd, &about) != 0) return NULL;
    if (about.st_uid != geteuid()) return NULL;
    if (about.st_size != sizeof(watchdog_table) && ftruncate(fd, sizeof(watchdog_table)) != 0)
        return NULL;
    /* Where there is no room the first touch of a page would be a SIGBUS. */
    if (posix_fallocate(fd, 0, sizeof(watchdog_table)) != 0) {
        if (about.st_size == 0) shm_unlink(name); /* nobody has a watch by it */
        return NULL;
    }
    watchdog_table *t = mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (t == MAP_FAILED) return NULL;
    uint64_t touched = atomic_load(&t->touched);
    if (touched > now + STALE || touched + STALE < now) memset(t, 0, sizeof *t);
    atomic_store(&t->touched, now);
    flock(fd, LOCK_UN); /* the mapping keeps what the descriptor stood for, and its lock, too */
    return t;
}

watchdog_table *watchdog_table_open(const char *name, int rank, watchdog_row **own) {
    int fd = shm_open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    watchdog_table *t = fd >= 0 ? map(fd, name) : NULL;
    if (fd >= 0) close(fd);
    if (!t) return NULL;
    unsigned row = atomic_fetch_add(&t->next, 1);
    if (row >= WATCHDOG_ROWS) {
        watchdog_table_close(t);
        return NULL;
    }
    *own = &t->row[row];
    atomic_store(&(*own)->rank, rank);
    atomic_store(&(*own)->phase, -1);
    atomic_store(&(*own)->process, (int)getpid());
    return t;
}

void watchdog_table_hide(const char *name) {
    shm_unlink(name);
}

void watchdog_table_close(watchdog_table *t) {
    if (t) munmap(t, sizeof *t);
}

void watchdog_row_write(watchdog_row *r, const pulse *p) {
    uint64_t word[WATCHDOG_WORDS];
    memcpy(word, p->stage, sizeof word);
    for (int i = 0; i < WATCHDOG_WORDS; i++) atomic_store(&r->stage[i], word[i]);
    atomic_store(&r->waiting, p->waiting);
    atomic_store(&r->phase, p->phase);
    atomic_store(&r->step, p->step);
    atomic_store(&r->ticks, p->ticks);
}

pulse watchdog_row_read(watchdog_row *r) {
    pulse p = {.ticks = atomic_load(&r->ticks),
        .waiting = atomic_load(&r->waiting),
        .phase = atomic_load(&r->phase),
        .step = atomic_load(&r->step)};
    uint64_t word[WATCHDOG_WORDS];
    for (int i = 0; i < WATCHDOG_WORDS; i++) word[i] = atomic_load(&r->stage[i]);
    memcpy(p.stage, word, sizeof p.stage);
    p.stage[PULSE_STAGE - 1] = '\0';
    return p;
}
