/* Whether all ranks see the data set that rank 0 has listed. */
#ifndef AUXSEG_IO_DATASET_DATASET_THERE_H
#define AUXSEG_IO_DATASET_DATASET_THERE_H

#include "io/dataset/layout.h"
#include "mpi/comm.h"

/* STATUS_USAGE, naming ranks and hosts, where the list's first image is of another size for a rank
 * than for rank 0, or not there. l is the same on every rank. Collective. */
status dataset_there(const comm *c, const settings *s, const layout *l);

#endif
