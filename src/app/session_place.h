/* A command's hold on its run's folder: no other job works in it, and all ranks are in the same one
 * with the same program. */
#ifndef AUXSEG_APP_SESSION_PLACE_H
#define AUXSEG_APP_SESSION_PLACE_H

#include "io/files/lock.h"
#include "mpi/comm.h"
#include "src/base/settings.h"

/* Takes the lock of run.dir, which exists, on rank 0 (*out; NULL elsewhere), and compares what each
 * rank sees there, the program that each one runs, its processor's instructions and its libraries
 * with rank 0's. STATUS_USAGE where another job has the folder or ranks differ: all of them are
 * named, with their hosts. Different numbers of threads are a warning. Collective. */
status session_place_take(file_lock **out, const comm *c, const settings *s);

#endif
