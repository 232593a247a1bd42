/* Names of ranks and hosts in one line. Nothing is gathered where there is nothing to name, which
 * is nearly always. Neighbours of one host are told together: ranks mostly lie node by node. */
#include "mpi/ranks_where.h"

#include "src/base/memory.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct place {
    int32_t is;
    char host[60];
} place;

/* From `first` on: the end of a run of ranks that are named alike. */
static int run_end(const place *all, int size, int first) {
    int end = first + 1;
    while (end < size && all[end].is && strcmp(all[end].host, all[first].host) == 0) end++;
    return end;
}

/* What does not fit is counted. */
static void write_names(const place *all, int size, ranks_where *w) {
    enum { LONGEST = 128, TAIL = 32 };
    int used = 0, named = 0;
    for (int r = 0, end; r < size; r = end) {
        end = r + 1;
        if (!all[r].is) continue;
        end = run_end(all, size, r);
        if (used > RANKS_WHERE_TEXT - LONGEST - TAIL) continue;
        const char *comma = used > 0 ? ", " : "";
        char *to = w->text + used;
        used += end > r + 1 ? snprintf(to, LONGEST, "%sranks %d to %d on %s", comma, r, end - 1,
                                  all[r].host)
                            : snprintf(to, LONGEST, "%srank %d on %s", comma, r, all[r].host);
        named += end - r;
    }
    if (named < w->count) snprintf(w->text + used, TAIL, ", and %d more", w->count - named);
}

/* Without memory for the names the lowest rank is told alone. */
ranks_where ranks_where_true(const comm *c, bool mine) {
    ranks_where w = {.lowest = -1};
    int size = comm_size(c);
    int64_t count = mine;
    double lowest = mine ? (double)comm_rank(c) : (double)size;
    comm_sum_i64(c, &count, 1);
    comm_min_f64(c, &lowest, 1);
    w.count = (int)count;
    if (count == 0) return w;
    w.lowest = (int)lowest;
    place here = {.is = mine}, *all = memory_alloc((size_t)size, sizeof *all, "names of hosts");
    size_t *bytes = memory_alloc((size_t)size, sizeof *bytes, "names of hosts");
    if (gethostname(here.host, sizeof here.host - 1) != 0) strcpy(here.host, "unknown host");
    if (comm_agree(c, all && bytes ? STATUS_OK : STATUS_FAILED) == STATUS_OK) {
        for (int r = 0; r < size; r++) bytes[r] = sizeof here;
        comm_gather(c, &here, bytes, all);
        write_names(all, size, &w);
    } else {
        snprintf(w.text, sizeof w.text, "rank %d, and %d more", w.lowest, w.count - 1);
    }
    memory_free(all);
    memory_free(bytes);
    return w;
}

ranks_where ranks_where_other(const comm *c, uint64_t mine) {
    uint64_t root = mine;
    comm_broadcast(c, &root, sizeof root);
    return ranks_where_true(c, mine != root);
}
