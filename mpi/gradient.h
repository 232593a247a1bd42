/* The gradient of a step summed over all ranks, exactly (src/nn/gradient.h): messages go out while
 * earlier layers still compute.
 * gradient_sync_begin -> plan_backward (which calls ready and poll) -> gradient_sync_end.
 * Between the calls `sum` of a parameter that was reported ready must rest.
 * The exchange has a communicator of its own: collectives of others may happen meanwhile. */
#ifndef AUXSEG_MPI_GRADIENT_H
#define AUXSEG_MPI_GRADIENT_H

#include "mpi/comm.h"
#include "src/nn/gradient.h"

typedef struct gradient_sync gradient_sync;

/* Collective. Borrows g for its life; `bucket`: bytes of a message, the same on every rank. */
status gradient_sync_create(gradient_sync **out, const comm *c, gradient *g, size_t bucket);
/* Collective. NULL-safe. */
void gradient_sync_destroy(gradient_sync *s);

/* Zeroes the sums and installs the ready hook. Not collective. */
void gradient_sync_begin(gradient_sync *s, int units);
/* Makes communication progress; the poll hook of step_context. Not collective. */
void gradient_sync_poll(void *sync);
/* Ends the exchange. Collective. *repeat: scales were unknown or did not fit and have been set, the
 * whole step must be done again (the same answer on every rank); otherwise g->value is the
 * gradient of the global batch. STATUS_NONFINITE names the parameter, on every rank. Ranks with no
 * unit of the batch call begin and end alone.
 * The gradient is the same bits for any number of ranks and any size of the messages. */
status gradient_sync_end(gradient_sync *s, bool *repeat);

#endif
