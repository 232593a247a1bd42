/* Sums of int64 over all ranks, several at once, that go on while the caller computes. By messages
 * between pairs of ranks, since a library's non-blocking reductions are of varying quality: the sum
 * is halved over the nearest ranks first (a reduce-scatter, then an allgather: R. Rabenseifner,
 * "Optimization of Collective Reduction Operations", ICCS 2004), so that most of it stays within
 * nodes. Ranks that are no power of two: the number's prime factors instead of halves.
 *
 * A sum needs its ranks' calls to make progress, also those of ranks that wait for something else:
 * as long as one is under way, no rank may wait for a rank but here. EXACT_SUM_MPI is for those who
 * cannot promise this.
 *
 * The same bits for any number of ranks and both ways. What is made of a sum, element by element
 * and on all ranks alike, can be made of a rank's part before the allgather: shorter messages, and
 * each rank makes a part of it. */
#ifndef AUXSEG_MPI_EXACT_SUM_H
#define AUXSEG_MPI_EXACT_SUM_H

#include "mpi/comm.h"

typedef struct exact_sums exact_sums;

typedef enum exact_sum_way {
    EXACT_SUM_FACTORS, /* own messages, a round of them for each prime factor of the ranks */
    EXACT_SUM_MPI,     /* MPI_Iallreduce */
} exact_sum_way;

/* EXACT_SUM_FACTOR: messages of a round go to one rank less at once. EXACT_SUM_TEXT: bytes of what
 * exact_sums_describe writes. */
enum { EXACT_SUM_FACTOR = 61, EXACT_SUM_TEXT = 256 };

/* The way that is taken by so many ranks of which `node` share each node (0: not the same number on
 * all), never by what is measured: own messages, unless a prime factor of the ranks is above
 * EXACT_SUM_FACTOR. The length of a sum does not matter: a round's messages are as few as the tree
 * of a short sum has, and own ones were ahead or equal from 64 elements to a million. */
exact_sum_way exact_sum_choose(int ranks, int node);

/* For sums of at most `words` elements, `most` of them at once. Collective; c is only read here:
 * messages have a communicator of their own. `safe`: nobody waits elsewhere, as said above. */
status exact_sums_create(exact_sums **out, const comm *c, size_t words, int most, bool safe);
/* The same for sums of at most `rows` rows of `words` elements, which are not taken apart: a rank's
 * part is of whole rows. */
status exact_sums_create_rows(
    exact_sums **out, const comm *c, size_t rows, int words, int most, bool safe);
/* With nothing under way. NULL-safe. Collective. */
void exact_sums_destroy(exact_sums *s);
/* Bytes that a rank holds for them. */
size_t exact_sums_bytes(const exact_sums *s);
/* How ranks sum, for the log: "own messages, rounds of 2 x 2 x 3 ranks". */
void exact_sums_describe(const exact_sums *s, char text[EXACT_SUM_TEXT]);

/* What has become of a sum. */
typedef enum exact_sum_state {
    EXACT_SUM_DONE,   /* x is the sum, on all ranks */
    EXACT_SUM_PART,   /* x is the sum in [begin, end) alone, the part of this rank */
    EXACT_SUM_SPREAD, /* what all ranks have made of their parts is here */
} exact_sum_state;

typedef struct exact_sum_event {
    int id;
    exact_sum_state state;
    size_t begin, end; /* EXACT_SUM_PART: elements, or rows */
} exact_sum_event;

/* Sums that are under way. */
int exact_sums_flying(const exact_sums *s);
/* Begins to sum x [n] (or rows of it), in place; x is not to be touched until the sum is done.
 * Fewer than `most` are under way; all ranks begin their sums in the same order. id: the caller's.
 * Not collective. */
void exact_sums_begin(exact_sums *s, int64_t *x, size_t n, int id);
/* The same for those who need something shorter than the sum: where own messages are taken, each
 * rank gets the sum of a part of x (EXACT_SUM_PART), makes floats of it and spreads these; nobody
 * gets the rest. Else EXACT_SUM_DONE, as above. Not collective. */
void exact_sums_begin_part(exact_sums *s, int64_t *x, size_t n, int id);
/* The same of x [rows, words] by whole rows, of each of which `floats` floats are made: parts are
 * told in rows. After exact_sums_create_rows with as many words. Not collective. */
void exact_sums_begin_rows(exact_sums *s, int64_t *x, size_t rows, int floats, int id);
/* After EXACT_SUM_PART: y [n] or [rows, floats], of which this rank has written its part, is not to
 * be touched until EXACT_SUM_SPREAD; x is free. The sum is under way until then. Not collective. */
void exact_sums_spread(exact_sums *s, int id, float *y);
/* What has happened since the last call, to each sum that is under way one thing at most
 * (event [most]); returns how many. `wait`: until there is one, if any is under way; no part is to
 * be left unspread then. */
int exact_sums_test(exact_sums *s, bool wait, exact_sum_event *event);
/* Does what can be done now, and no more: what is done is told by exact_sums_test. */
void exact_sums_poll(exact_sums *s);

/* Elements of the pieces that exact_sums_whole makes of n elements, where `most` sums may be under
 * way: short sums are not cut, since more messages would cost more than they hide. */
size_t exact_sums_piece(size_t n, int most);
/* Sums x [n], or [n, words] after exact_sums_create_rows, in pieces, and waits for all of them;
 * nothing is under way before. Collective. */
void exact_sums_whole(exact_sums *s, int64_t *x, size_t n);

/* x [n] += y [n]: the local arithmetic of it (exact_sum_add.c), apart so that a simulation of many
 * ranks can put its time in its place. Not collective. */
void exact_sum_add(int64_t *x, const int64_t *y, size_t n);

#endif
