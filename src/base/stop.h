/* Requests to stop early: SIGTERM, SIGUSR1, SIGUSR2, SIGHUP, SIGINT, a deadline, a file. Not
 * collective: stages agree on the answer, so one rank that was asked is enough. */
#ifndef AUXSEG_BASE_STOP_H
#define AUXSEG_BASE_STOP_H

#include <stdbool.h>

/* Installs the signal handlers; the second SIGINT ends the process. */
void stop_install(void);
/* stop_requested becomes true this many seconds from now; 0: no deadline. */
void stop_set_deadline(double seconds);
/* stop_requested becomes true once this file exists; "": none. Copied. */
void stop_set_file(const char *path);
/* stop_requested becomes true now. Thread-safe. */
void stop_now(void);
bool stop_requested(void);
/* The same without the deadline: somebody wants the program to end now. */
bool stop_asked(void);

#endif
