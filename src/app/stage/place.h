/* A command's hold on the folder of its results: no other job works in it, and all ranks are in the
 * same one with the same program. */
#ifndef AUXSEG_APP_STAGE_PLACE_H
#define AUXSEG_APP_STAGE_PLACE_H

#include "io/files/lock.h"
#include "mpi/comm.h"

/* Takes the lock of `folder`, which exists, on rank 0 (*out; NULL elsewhere), and compares what
 * each rank sees there, the program that each one runs, its processor's instructions and its
 * libraries with rank 0's. STATUS_USAGE where another job has the folder or ranks differ: all of
 * them are named, with their hosts. Other numbers of threads than rank 0's are a warning. name: as
 * the user gave the folder ("run.dir", "--out"). Collective. */
status place_take(
    file_lock **out, const comm *c, const char *name, const char *folder, int threads);

#endif
