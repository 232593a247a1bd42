/* Shared memory as MPI 3 has it, and what it takes to use it for gathers: groups, leaders, fences.
 * A window that grows is made anew, which is rare: sizes come from the settings.
 *
 * Where there is no room for a window (containers often give 64 MiB), some MPI libraries fail on
 * one rank and leave the others waiting: the room is looked at before. */
#include "mpi/node.h"

#include "src/base/hook.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/pulse.h"

#include <assert.h>
#include <sys/statvfs.h>

/* As if a node had no more ranks than this. */
static hook ranks_of_node = {.name = "NODE"};
static hook no_room = {.name = "NO_SHARED_MEMORY"};

/* Rank 0 of the node, as everybody numbers it. Collective. */
static int leader_of(const comm *c) {
    MPI_Comm together;
    int leader = c->rank;
    pulse_wait();
    MPI_Comm_split_type(c->mpi, MPI_COMM_TYPE_SHARED, c->rank, MPI_INFO_NULL, &together);
    MPI_Bcast(&leader, 1, MPI_INT, 0, together);
    MPI_Comm_free(&together);
    pulse_go();
    return leader;
}

/* From each rank's leader [ranks] to the groups' first ranks: a group ends where the next rank has
 * another leader, or it has `most` ranks. */
static void find_groups(node *n, const int *leader, int most) {
    n->groups = 0;
    for (int r = 0; r < n->all->size; r++) {
        bool full = n->groups > 0 && r - n->first[n->groups - 1] == most;
        if (r == 0 || leader[r] != leader[r - 1] || full) n->first[n->groups++] = r;
    }
    n->first[n->groups] = n->all->size;
}

/* Groups of more than one rank on the node with that leader. */
static int count_groups(const node *n, const int *leader, int node_leader) {
    int count = 0;
    for (int g = 0; g < n->groups; g++)
        count += leader[n->first[g]] == node_leader && n->first[g + 1] - n->first[g] > 1;
    return count;
}

/* The group of a rank. */
static int group_of(const node *n, int rank) {
    int g = 0;
    while (n->first[g + 1] <= rank) g++;
    return g;
}

/* One communicator of those with the same colour. Collective. */
static status split(const comm *c, int colour, comm **out) {
    MPI_Comm part;
    status st = STATUS_OK;
    pulse_wait();
    MPI_Comm_split(c->mpi, colour, c->rank, &part);
    pulse_go();
    if (part != MPI_COMM_NULL) {
        st = comm_create(out, part);
        MPI_Comm_free(&part);
    }
    return comm_agree(c, st);
}

/* Groups of at most `most` ranks. Collective. */
static status make_groups(node *n, int most) {
    const comm *c = n->all;
    int *leader = memory_alloc((size_t)c->size, sizeof *leader, "ranks of a node");
    status st = comm_agree(c, leader ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK) {
        int mine = leader_of(c);
        pulse_wait();
        MPI_Allgather(&mine, 1, MPI_INT, leader, 1, MPI_INT, c->mpi);
        pulse_go();
        find_groups(n, leader, most);
        n->sharing = count_groups(n, leader, mine);
        st = split(c, group_of(n, c->rank), &n->ranks);
    }
    memory_free(leader);
    if (st != STATUS_OK) return st;
    bool leads = n->ranks->rank == 0;
    n->shared = n->ranks->size > 1;
    return split(c, leads ? 0 : MPI_UNDEFINED, &n->leaders);
}

static void forget_groups(node *n) {
    comm_destroy(n->leaders);
    comm_destroy(n->ranks);
    n->leaders = n->ranks = NULL;
}

status node_create(node **out, const comm *c) {
    node *n = memory_alloc(1, sizeof *n, "ranks of a node");
    status st = n ? STATUS_OK : STATUS_FAILED;
    if (n) {
        size_t ranks = (size_t)comm_size(c);
        n->all = c;
        n->first = memory_alloc(ranks + 1, sizeof *n->first, "ranks of a node");
        n->bytes = memory_alloc(ranks, sizeof *n->bytes, "ranks of a node");
        if (!n->first || !n->bytes) st = STATUS_FAILED;
    }
    st = comm_agree(c, st);
    int most = (int)hook_number(&ranks_of_node);
    if (st == STATUS_OK && c) st = make_groups(n, most > 0 ? most : c->size);
    if (st != STATUS_OK) {
        node_destroy(n);
        return st;
    }
    *out = n;
    return STATUS_OK;
}

/* A window's end is collective, too. */
static void release(node *n) {
    if (n->shared && n->size > 0) {
        pulse_wait();
        MPI_Win_unlock_all(n->window);
        MPI_Win_free(&n->window);
        pulse_go();
    } else {
        memory_free(n->memory);
    }
    n->memory = NULL;
    n->size = 0;
}

void node_destroy(node *n) {
    if (!n) return;
    release(n);
    forget_groups(n);
    memory_free(n->first);
    memory_free(n->bytes);
    memory_free(n);
}

int node_rank(const node *n) {
    return comm_rank(n->ranks);
}

int node_size(const node *n) {
    return comm_size(n->ranks);
}

/* Where Open MPI and MPICH take it from, on Linux. All groups of this node take theirs at once. */
static bool has_room(const node *n, size_t bytes) {
    struct statvfs about;
    if (!n->shared || n->ranks->rank > 0) return true;
    if (hook_now(&no_room)) return false;
    if (statvfs("/dev/shm", &about) != 0) return true; /* it is somewhere else */
    return (double)about.f_bavail * (double)about.f_frsize > (double)bytes * n->sharing;
}

/* The group's first rank has the whole of it. */
static void make_window(node *n, size_t bytes) {
    MPI_Aint size;
    int unit;
    void *own;
    pulse_wait();
    MPI_Win_allocate_shared(n->ranks->rank == 0 ? (MPI_Aint)bytes : 0, 1, MPI_INFO_NULL,
        n->ranks->mpi, &own, &n->window);
    MPI_Win_shared_query(n->window, 0, &size, &unit, &n->memory);
    MPI_Win_lock_all(MPI_MODE_NOCHECK, n->window);
    pulse_go();
    n->size = bytes;
}

/* An eighth more than is asked for: pools of two steps differ by a few rows. Never nothing: a group
 * meets at its window. */
status node_reserve(node *n, size_t bytes) {
    enum { LEAST = 64 };
    if (n->size > 0 && bytes <= n->size) return STATUS_OK;
    release(n);
    bytes += bytes / 8 + LEAST;
    if (comm_agree(n->all, has_room(n, bytes) ? STATUS_OK : STATUS_FAILED) != STATUS_OK) {
        if (comm_root(n->all))
            log_warn("no room for %zu MiB of shared memory: each rank holds its own",
                bytes / 1048576 + 1);
        forget_groups(n);
        status st = make_groups(n, 1);
        if (st != STATUS_OK) return st;
    }
    if (n->shared) {
        make_window(n, bytes);
    } else {
        n->memory = memory_alloc(bytes, 1, "memory of a node");
        if (n->memory) n->size = bytes;
    }
    return comm_agree(n->all, n->memory ? STATUS_OK : STATUS_FAILED);
}

/* A fence of the memory on both sides of the meeting, as MPI wants it of windows. */
void node_meet(const node *n) {
    if (!n->shared) return;
    MPI_Win_sync(n->window);
    pulse_wait();
    MPI_Barrier(n->ranks->mpi);
    pulse_go();
    MPI_Win_sync(n->window);
}

void node_gather(const node *n, const size_t *bytes, void *all) {
    size_t before = 0, mine = 0;
    if (!n->leaders) return;
    for (int g = 0; g < n->groups; g++) {
        n->bytes[g] = 0;
        for (int r = n->first[g]; r < n->first[g + 1]; r++) n->bytes[g] += bytes[r];
        if (g == n->leaders->rank) mine = before;
        before += n->bytes[g];
    }
    comm_gather(n->leaders, (char *)all + mine, n->bytes, all);
}
