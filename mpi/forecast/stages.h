/* Simulated ranks' stages: the loops of the program around its exchanges, the computing as time.
 * Collective. */
#ifndef AUXSEG_MPI_FORECAST_STAGES_H
#define AUXSEG_MPI_FORECAST_STAGES_H

#include "mpi/comm.h"

#include <stdint.h>

typedef struct simulated_work {
    int steps;    /* of a training; iterations */
    int images;   /* a training step's, of all ranks; whole of an extraction */
    int deal;     /* images that a rank holds together */
    int64_t pool; /* rows of the contrastive loss, of all ranks; 0: none */
    int64_t rows; /* of k-means, of all ranks */
} simulated_work;

/* What is told of all steps together: of a training, iterations, an extraction. Seconds are rank
 * 0's; exchange: those in which it waits for others; sent: bytes that all ranks have handed to MPI
 * in these seconds. */
typedef struct simulated_times {
    double seconds, exchange, sent;
} simulated_times;

/* Bytes that all ranks together have handed to MPI so far, the same on each. It takes simulated
 * time: not within what is timed. */
double simulated_sent(const comm *c);

status simulated_train(const comm *c, const simulated_work *w, simulated_times *out);
status simulated_cluster(const comm *c, const simulated_work *w, simulated_times *out);
status simulated_extract(const comm *c, const simulated_work *w, simulated_times *out);

#endif
