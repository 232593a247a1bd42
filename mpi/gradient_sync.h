/* The gradient of a step summed over all ranks, exactly (src/nn/graph/exact_gradient.h): a chunk of
 * it is a message, which goes out while earlier layers still compute. Each rank gets the sums of a
 * part of it, turns them into values when the next parameter is ready, or a chunk wants new memory,
 * and sends these to the others; the memory of the sums serves the next chunk. gradient_sync_begin
 * -> plan_backward (which calls open, ready and poll) -> gradient_sync_end. A rank that runs ahead
 * of the others waits, in gradient_open, rather than hold more than GRADIENT_MESSAGES messages
 * beside the chunks that are not complete. The exchange has a communicator of its own: collectives
 * of others may happen meanwhile, in the same order on all ranks among the calls of the same step;
 * between the first gradient_ready and gradient_sync_end only where `alone` was not said
 * (mpi/exact_sum.h: a rank that waits elsewhere would keep others from what they wait for). */
#ifndef AUXSEG_MPI_GRADIENT_SYNC_H
#define AUXSEG_MPI_GRADIENT_SYNC_H

#include "mpi/exact_sum.h"
#include "src/nn/graph/exact_gradient.h"

typedef struct gradient_sync gradient_sync;

enum { GRADIENT_MESSAGES = 8 }; /* under way at once: about two of the largest layers */

/* Collective. Borrows g for its life; its chunks are the same on every rank. alone: nothing else is
 * exchanged while messages may be under way. */
status gradient_sync_create(gradient_sync **out, const comm *c, gradient *g, bool alone);
/* Collective. NULL-safe. */
void gradient_sync_destroy(gradient_sync *s);

/* How ranks sum, for the log, and bytes that a rank holds for it. Not collective. */
size_t gradient_sync_describe(const gradient_sync *s, char text[EXACT_SUM_TEXT]);

/* Begins the gradient's step and installs the hooks. Not collective. */
void gradient_sync_begin(gradient_sync *s, int units);
/* Makes communication progress, and no more: the poll hook of step_context, which is called inside
 * of parallel regions. Not collective. */
void gradient_sync_poll(void *sync);
/* Ends the exchange. Collective. *repeat: scales were unknown or did not fit and have been set, the
 * whole step must be done again (the same answer on every rank); otherwise g->value is the
 * gradient of the global batch. STATUS_NONFINITE on every rank, without a message (gradient_fault
 * has the parameter's name); values then mean nothing, and nothing else is changed. Ranks with no
 * unit of the batch call begin and end alone: chunks that a rank has not opened are zero in the
 * exchange.
 * The gradient is the same bits for any number of ranks and any size of the chunks. */
status gradient_sync_end(gradient_sync *s, bool *repeat);

#endif
