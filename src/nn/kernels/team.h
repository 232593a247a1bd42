/* Threads of one parallel region that compute an image together, where a rank has fewer images than
 * threads: each its share of a node's rows, channels or matrices; they meet between the nodes.
 * Shares are such that each element is computed as one thread would compute it: the same bits for
 * teams of any size. Not collective. */
#ifndef AUXSEG_NN_KERNELS_TEAM_H
#define AUXSEG_NN_KERNELS_TEAM_H

#include <stdatomic.h>
#include <stddef.h>

/* Where the threads of a team wait for each other. Zero-initialised. */
typedef struct team_meeting {
    _Alignas(64) atomic_int waiting;
    _Alignas(64) atomic_uint meetings;
} team_meeting;

/* A thread's place in its team. */
typedef struct team {
    int thread; /* in the parallel region */
    int leader; /* the first thread of the team */
    int rank, size;
    team_meeting *meeting; /* of the team; NULL where it is one thread */
    void *scratch;         /* memory of this thread */
    void *shared;          /* of the team: its leader's `scratch` */
} team;

static inline team team_alone(int thread, void *scratch) {
    return (team){
        .thread = thread, .leader = thread, .size = 1, .scratch = scratch, .shared = scratch};
}

/* Team of thread `thread` of `threads` that share `images` images, fewer than threads: *image is
 * the one that it computes. Neither memory nor meeting is set. */
static inline team team_of(int thread, int threads, int images, int *image) {
    int i = (int)(((long)(thread + 1) * images - 1) / threads);
    int first = (int)((long)i * threads / images), end = (int)((long)(i + 1) * threads / images);
    *image = i;
    return (team){.thread = thread, .leader = first, .rank = thread - first, .size = end - first};
}

/* Returns when all of the team have called it: what they wrote is seen by all. */
void team_meet(const team *t);

/* This thread's share of n elements, in whole units but for the last: *begin .. *end - 1. */
static inline void team_share(const team *t, size_t n, size_t unit, size_t *begin, size_t *end) {
    size_t units = (n + unit - 1) / unit, rank = (size_t)t->rank, size = (size_t)t->size;
    *begin = units * rank / size * unit;
    *end = units * (rank + 1) / size * unit;
    if (*begin > n) *begin = n;
    if (*end > n) *end = n;
}

#endif
