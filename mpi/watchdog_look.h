/* Excuses for a lack of progress, as Linux tells them. For mpi/watchdog.c alone. Not collective. */
#ifndef AUXSEG_MPI_WATCHDOG_LOOK_H
#define AUXSEG_MPI_WATCHDOG_LOOK_H

#include <stdbool.h>

/* Whether a debugger has the process (of this host). False where that cannot be told. */
bool watchdog_traced(int process);
/* Whether a thread of this process, the caller's aside, waits for a file system at this moment. */
bool watchdog_in_files(void);

#endif
