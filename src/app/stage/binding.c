/* Where ranks compute. Most slow runs of hybrid programs are ranks that share cores unknowingly:
 * each rank says which cores it may use, and a host with more threads than cores is named. A rank's
 * cores are those of OpenMP's places, as the calling thread may be bound to one of them already.
 * binding_print tells people, binding_place tells run.json; both gather one struct a rank. Nothing
 * here changes where a rank computes. */
#include "src/app/stage/binding.h"

#include "src/base/log.h"
#include "src/base/memory.h"

#include <omp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Bytes of a host's name and of a list of cores; lines of ranks in the log in all, and those of
 * them that are told without run.verbose. */
enum { HOST = 64, CORES_TEXT = 256, LINES = 64, FEW = 4 };

typedef struct place {
    char host[HOST];
    int threads;
    cpu_set_t cores; /* empty: unknown */
} place;

/* With OMP_PROC_BIND the thread that asks is on one core by now, and the kernel would answer with
 * that alone: the places that OpenMP was given are the rank's cores. */
void binding_cores(cpu_set_t *cores) {
    int places = omp_get_num_places();
    CPU_ZERO(cores);
    for (int p = 0; p < places; p++) {
        int id[CPU_SETSIZE], n = omp_get_place_num_procs(p);
        if (n > CPU_SETSIZE) continue;
        omp_get_place_proc_ids(p, id);
        for (int i = 0; i < n; i++)
            if (id[i] >= 0 && id[i] < CPU_SETSIZE) CPU_SET((size_t)id[i], cores);
    }
    if (CPU_COUNT(cores) == 0 && sched_getaffinity(0, sizeof *cores, cores) != 0) CPU_ZERO(cores);
}

/* Compared as bytes, so that all of it, padding too, is set. */
static place place_here(int threads) {
    place p;
    memset(&p, 0, sizeof p);
    p.threads = threads;
    if (gethostname(p.host, sizeof p.host - 1) != 0) strcpy(p.host, "unknown host");
    binding_cores(&p.cores);
    return p;
}

/* "0-3,8": text [CORES_TEXT]. A list that does not fit is cut at a core's end; 16 bytes hold the
 * longest range with its comma and the end of the text. */
static void print_cores(const cpu_set_t *cores, char *text) {
    size_t used = 0, end;
    strcpy(text, "unknown");
    for (size_t i = 0; i < CPU_SETSIZE && used < CORES_TEXT - 16; i = end) {
        end = i + 1;
        if (!CPU_ISSET(i, cores)) continue;
        while (end < CPU_SETSIZE && CPU_ISSET(end, cores)) end++;
        const char *comma = used ? "," : "";
        used += (size_t)(end > i + 1 ? snprintf(text + used, CORES_TEXT - used, "%s%zu-%zu", comma,
                                           i, end - 1)
                                     : snprintf(text + used, CORES_TEXT - used, "%s%zu", comma, i));
    }
}

/* A line for each run of ranks in the same place. Only neighbours are joined: ranks are mostly
 * placed block by block, and a line then stands for a node's worth of them. With thousands of ranks
 * the log would be nothing else, so lines are limited. */
static void print_places(const place *all, int size) {
    char cores[CORES_TEXT], ranks[32];
    int lines = 0;
    for (int rank = 0, end; rank < size && lines < LINES; rank = end, lines++) {
        for (end = rank + 1; end < size && memcmp(&all[rank], &all[end], sizeof *all) == 0;) end++;
        print_cores(&all[rank].cores, cores);
        int used = snprintf(ranks, sizeof ranks, "%d", rank);
        if (end - rank > 1) snprintf(ranks + used, sizeof ranks - (size_t)used, "-%d", end - 1);
        (lines < FEW ? log_info : log_detail)(
            "  rank%s %s: %s, cores %s", end - rank > 1 ? "s" : "", ranks, all[rank].host, cores);
        if (lines == FEW - 1 && end < size)
            log_info("  and %d more, which run.verbose names", size - end);
        if (lines == LINES - 1 && end < size) log_detail("  ... and %d more ranks", size - end);
    }
}

static bool same_host(const place *a, const place *b) {
    return strcmp(a->host, b->host) == 0;
}

/* Two ranks that share cores take each other's time, at every barrier: often the whole run takes
 * twice as long, and nothing else tells. Looks at a host at its first rank. Cores are joined over
 * the ranks of a host: two ranks on the same two cores have two cores between them. */
static void warn_oversubscribed(const place *all, int size) {
    for (int i = 0; i < size; i++) {
        cpu_set_t cores = all[i].cores;
        int threads = all[i].threads, first = 0;
        while (!same_host(&all[first], &all[i])) first++;
        if (first < i) continue;
        for (int j = i + 1; j < size; j++) {
            if (!same_host(&all[j], &all[i])) continue;
            CPU_OR(&cores, &cores, &all[j].cores);
            threads += all[j].threads;
        }
        int available = CPU_COUNT(&cores);
        if (available > 0 && threads > available)
            log_warn("%s: %d threads on %d cores: set OMP_NUM_THREADS or run.threads", all[i].host,
                threads, available);
    }
}

/* Of every rank, owned by the caller (memory_free); NULL on all ranks if one has no memory.
 * Collective. */
static place *gather_places(const comm *c, int threads) {
    int size = comm_size(c);
    place mine = place_here(threads);
    place *all = memory_alloc((size_t)size, sizeof *all, "places of ranks");
    size_t *bytes = memory_alloc((size_t)size, sizeof *bytes, "places of ranks");
    status st = comm_agree(c, all && bytes ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK) {
        for (int i = 0; i < size; i++) bytes[i] = sizeof mine;
        comm_gather(c, &mine, bytes, all);
    } else {
        memory_free(all);
        all = NULL;
    }
    memory_free(bytes);
    return all;
}

status binding_print(const comm *c, int threads) {
    int size = comm_size(c);
    place *all = gather_places(c, threads);
    if (!all) return STATUS_FAILED;
    if (comm_root(c)) {
        log_info("ranks x threads: %d x %d", size, threads);
        print_places(all, size);
        warn_oversubscribed(all, size);
    }
    memory_free(all);
    return STATUS_OK;
}

/* Whether the host of rank i has a rank before it. Ranks mostly stand host by host. */
static bool host_again(const place *all, int i) {
    for (int j = i - 1; j >= 0; j--)
        if (same_host(&all[j], &all[i])) return true;
    return false;
}

/* "n001,n002": owned by the caller; NULL without memory. */
static char *list_hosts(const place *all, int size, int *nodes) {
    char *text = memory_alloc((size_t)size, HOST + 1, "names of nodes");
    size_t used = 0;
    *nodes = 0;
    for (int i = 0; text && i < size; i++) {
        if (host_again(all, i)) continue;
        used += (size_t)sprintf(text + used, "%s%s", used ? "," : "", all[i].host);
        ++*nodes;
    }
    return text;
}

status binding_place(const comm *c, int threads, run_place *out, char **hosts) {
    int size = comm_size(c), nodes = 0;
    place *all = gather_places(c, threads);
    if (!all) return STATUS_FAILED;
    char *text = comm_root(c) ? list_hosts(all, size, &nodes) : NULL;
    memory_free(all);
    status st = comm_agree(c, text || !comm_root(c) ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK) {
        *out = (run_place){.nodes = nodes, .ranks = size, .threads = threads, .hosts = text};
        *hosts = text;
    }
    return st;
}
