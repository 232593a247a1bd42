/* Averages of a network's weights over the steps of a training: an exponential moving average, of
 * parameters and norm statistics alike. Not collective: every rank does the same on the same
 * weights. */
#ifndef AUXSEG_NN_GRAPH_AVERAGE_H
#define AUXSEG_NN_GRAPH_AVERAGE_H

#include "src/nn/graph/parameter.h"

/* average = d * average + (1 - d) * p after `steps` >= 1 steps, with d = min(decay, 1 - 1 / (steps
 * + 1)), so that the first steps are averaged evenly and the initial weights are soon forgotten
 * (Tarvainen, Valpola 2017, arXiv:1703.01780, and their code). average: of the same graph as p, and
 * equal to it before the first step. Computed in float64, rounded once: the same bits for any
 * number of threads. */
void average_update(parameters *average, const parameters *p, double decay, int64_t steps);

#endif
