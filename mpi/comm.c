/* MPI in the few forms that the program needs. What is reduced is integers, maxima, or sums with
 * one term that is not zero: the order in which MPI combines ranks cannot show. Counts of MPI 3.1
 * are int, so that what is larger goes in pieces. Nothing here returns MPI's errors: its default
 * handler ends the job, which a lost rank leaves no other way to do. */
#include "mpi/comm.h"

#include "mpi/traffic.h"
#include "src/base/hook.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/pulse.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Elements of one message: MPI 3.1 counts are int, and no transfer reaches 2 GiB. */
enum { CHUNK = 1 << 27 };

static hook lost = {.name = "LOST"};

/* Everything that can fail on one rank comes before what all must do together. */
status comm_create(comm **out, MPI_Comm world) {
    int rank, size;
    MPI_Comm_rank(world, &rank);
    MPI_Comm_size(world, &size);
    comm *c = memory_alloc(1, sizeof *c, "communicator");
    int *count = memory_alloc((size_t)size, sizeof *count, "gather counts");
    int *offset = memory_alloc((size_t)size, sizeof *offset, "gather offsets");
    uint64_t *value = memory_alloc((size_t)size, sizeof *value, "values of ranks");
    int good = c && count && offset && value, all;
    pulse_wait();
    MPI_Allreduce(&good, &all, 1, MPI_INT, MPI_MIN, world);
    if (!all || MPI_Comm_dup(world, &c->mpi) != MPI_SUCCESS) {
        pulse_go();
        log_error("a communicator cannot be made");
        memory_free(c);
        memory_free(count);
        memory_free(offset);
        memory_free(value);
        return STATUS_FAILED;
    }
    /* Ranks that share memory are counted through a communicator of their own, which goes at once.
     */
    MPI_Comm node;
    MPI_Comm_split_type(c->mpi, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &node);
    MPI_Comm_size(node, &c->node);
    MPI_Comm_free(&node);
    pulse_go();
    c->rank = rank;
    c->size = size;
    c->count = count;
    c->offset = offset;
    c->value = value;
    *out = c;
    return STATUS_OK;
}

/* Collective, as MPI_Comm_free is. */
void comm_destroy(comm *c) {
    if (!c) return;
    pulse_wait();
    MPI_Comm_free(&c->mpi);
    pulse_go();
    memory_free(c->count);
    memory_free(c->offset);
    memory_free(c->value);
    memory_free(c);
}

/* A NULL communicator is rank 0 of 1: code above has no second way for it. */
int comm_rank(const comm *c) {
    return c ? c->rank : 0;
}

int comm_size(const comm *c) {
    return c ? c->size : 1;
}

/* For shares of a node's memory. */
int comm_node_size(const comm *c) {
    return c ? c->node : 1;
}

bool comm_root(const comm *c) {
    return comm_rank(c) == 0;
}

/* As if this rank had come to a message that nobody sends, while the others go on. */
static void get_lost(const comm *c) {
    enum { NOBODYS = 7 };
    char byte;
    if (!hook_now(&lost)) return;
    pulse_wait();
    MPI_Recv(&byte, 1, MPI_BYTE, MPI_ANY_SOURCE, NOBODYS, c->mpi, MPI_STATUS_IGNORE);
    pulse_go();
}

/* The worst of all, as one integer whose order is that of the codes, a stop below all errors. */
status comm_agree(const comm *c, status mine) {
    if (!c) return mine;
    /* An error outweighs a request to stop. */
    int code = mine == STATUS_STOPPED ? 1 : mine == STATUS_OK ? 0 : (int)mine + 1, worst;
    if (c->size > 1) traffic_add(sizeof code);
    get_lost(c);
    pulse_wait();
    MPI_Allreduce(&code, &worst, 1, MPI_INT, MPI_MAX, c->mpi);
    pulse_go();
    return worst == 0 ? STATUS_OK : worst == 1 ? STATUS_STOPPED : (status)(worst - 1);
}

/* A maximum of the value and of its complement: equal only if all are. */
static bool same(const comm *c, uint64_t value) {
    uint64_t pair[2] = {value, ~value}, most[2];
    pulse_wait();
    MPI_Allreduce(pair, most, 2, MPI_UINT64_T, MPI_MAX, c->mpi);
    pulse_go();
    return most[0] == ~most[1];
}

void comm_same(const comm *c, const char *what, uint64_t value) {
#ifndef NDEBUG
    if (!c) return;
    bool all = same(c, value);
    if (!all) log_error("%s differs between ranks: here %llu", what, (unsigned long long)value);
    assert(all);
#else
    (void)c, (void)what, (void)value;
#endif
}

/* How many ranks have the value of rank r. */
static int votes(const comm *c, int r) {
    int n = 0;
    for (int i = 0; i < c->size; i++) n += c->value[i] == c->value[r];
    return n;
}

/* The ranks that have another value than rank `most`: "rank 3", "ranks 3, 7". */
static void name_ranks(const comm *c, int most, char *text, size_t size) {
    int others = c->size - votes(c, most);
    int n = snprintf(text, size, others > 1 ? "ranks " : "rank ");
    bool first = true;
    for (int i = 0; i < c->size && n < (int)size; i++) {
        if (c->value[i] == c->value[most]) continue;
        n += snprintf(text + n, size - (size_t)n, first ? "%d" : ", %d", i);
        first = false;
    }
}

/* Who has another value is asked where one has: the gathering and counting of it would cost more
 * with every rank. Of two ranks neither is known to be right. */
status comm_compare(const comm *c, const char *what, uint64_t value) {
    enum { NAMES = 256 };
    char names[NAMES];
    if (!c || c->size == 1) return STATUS_OK;
    traffic_add(2 * sizeof value);
    if (same(c, value)) return STATUS_OK;
    pulse_wait();
    MPI_Allgather(&value, 1, MPI_UINT64_T, c->value, 1, MPI_UINT64_T, c->mpi);
    pulse_go();
    int most = 0;
    for (int i = 1; i < c->size; i++)
        if (votes(c, i) > votes(c, most)) most = i;
    if (c->rank != 0) return STATUS_FAILED;
    name_ranks(c, most, names, sizeof names);
    if (2 * votes(c, most) > c->size)
        log_error("%s are others on %s than on all other ranks: its memory or processor may be at "
                  "fault",
            what, names);
    else
        log_error(
            "%s are not the same on all ranks (%s and others differ): a memory or a processor "
            "may be at fault",
            what, names);
    return STATUS_FAILED;
}

/* In place; one rank has nothing to do. */
static void reduce(const comm *c, void *x, size_t n, size_t size, MPI_Datatype type, MPI_Op op) {
    if (!c || c->size == 1) return;
    traffic_add(n * size);
    for (size_t done = 0; done < n; done += CHUNK) {
        size_t part = n - done < CHUNK ? n - done : CHUNK;
        pulse_wait();
        MPI_Allreduce(MPI_IN_PLACE, (char *)x + done * size, (int)part, type, op, c->mpi);
        pulse_go();
    }
}

/* Integers wrap: callers have chosen scales that cannot. */
void comm_sum_i64(const comm *c, int64_t *x, size_t n) {
    reduce(c, x, n, sizeof *x, MPI_INT64_T, MPI_SUM);
}

void comm_max_i32(const comm *c, int32_t *x, size_t n) {
    reduce(c, x, n, sizeof *x, MPI_INT32_T, MPI_MAX);
}

void comm_max_f64(const comm *c, double *x, size_t n) {
    reduce(c, x, n, sizeof *x, MPI_DOUBLE, MPI_MAX);
}

void comm_min_f64(const comm *c, double *x, size_t n) {
    reduce(c, x, n, sizeof *x, MPI_DOUBLE, MPI_MIN);
}

/* Zero plus a number is the number, in any order; but for the sign of zero. */
void comm_sum_f64_disjoint(const comm *c, double *x, size_t n) {
    reduce(c, x, n, sizeof *x, MPI_DOUBLE, MPI_SUM);
}

/* In pieces, as an int counts bytes. */
void comm_broadcast(const comm *c, void *x, size_t bytes) {
    if (!c || c->size == 1) return;
    if (c->rank == 0) traffic_add(bytes);
    for (size_t done = 0; done < bytes; done += CHUNK) {
        size_t part = bytes - done < CHUNK ? bytes - done : CHUNK;
        pulse_wait();
        MPI_Bcast((char *)x + done, (int)part, MPI_BYTE, 0, c->mpi);
        pulse_go();
    }
}

/* Offsets of MPI 3.1 are int, too: what is larger goes as broadcasts, a rank's part after the
 * other. */
void comm_gather(const comm *c, const void *mine, const size_t *bytes, void *all) {
    size_t total = 0;
    for (int r = 0; r < comm_size(c); r++) total += bytes[r];
    size_t before = 0;
    for (int r = 0; r < comm_rank(c); r++) before += bytes[r];
    bool placed = mine == (const char *)all + before;
    if (!c || c->size == 1) {
        if (total > 0 && !placed) memcpy(all, mine, total);
        return;
    }
    traffic_add(bytes[c->rank]);
    if (total <= INT_MAX) {
        int sum = 0;
        for (int r = 0; r < c->size; r++) {
            c->count[r] = (int)bytes[r];
            c->offset[r] = sum;
            sum += c->count[r];
        }
        pulse_wait();
        MPI_Allgatherv(placed ? MPI_IN_PLACE : mine, (int)bytes[c->rank], MPI_BYTE, all, c->count,
            c->offset, MPI_BYTE, c->mpi);
        pulse_go();
    } else {
        /* Too large for int displacements: each rank's part is broadcast in pieces. */
        size_t begin = 0;
        for (int r = 0; r < c->size; begin += bytes[r], r++) {
            if (r == c->rank && bytes[r] > 0 && !placed)
                memcpy((char *)all + begin, mine, bytes[r]);
            for (size_t done = 0; done < bytes[r]; done += CHUNK) {
                size_t part = bytes[r] - done < CHUNK ? bytes[r] - done : CHUNK;
                pulse_wait();
                MPI_Bcast((char *)all + begin + done, (int)part, MPI_BYTE, r, c->mpi);
                pulse_go();
            }
        }
    }
}

/* For files alone, which other ranks must not touch yet: data need none. */
void comm_barrier(const comm *c) {
    if (!c || c->size == 1) return;
    pulse_wait();
    MPI_Barrier(c->mpi);
    pulse_go();
}
