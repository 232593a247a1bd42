/* What the ranks of one node know of each other, in memory that they share without MPI: a row a
 * rank, written by its own thread of the watchdog. For mpi/watchdog.c alone. Not collective. */
#ifndef AUXSEG_MPI_WATCHDOG_TABLE_H
#define AUXSEG_MPI_WATCHDOG_TABLE_H

#include "src/base/pulse.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { WATCHDOG_ROWS = 1024, WATCHDOG_WORDS = PULSE_STAGE / 8 };

/* All zero before its rank is there. */
typedef struct watchdog_row {
    atomic_int process; /* its number; 0: no rank has this row */
    atomic_int rank;
    atomic_uint beats;   /* of the rank's own thread: the process runs */
    atomic_uint stuck;   /* milliseconds in which it ran, without progress and without an excuse */
    atomic_uint still;   /* milliseconds in one and the same wait for others, without an excuse */
    atomic_bool waiting; /* for others, in MPI */
    atomic_bool ended;   /* its command is over */
    atomic_int phase;    /* that ended last */
    _Atomic uint64_t ticks; /* pieces of work */
    _Atomic int64_t step;
    _Atomic uint64_t stage[WATCHDOG_WORDS];
} watchdog_row;

typedef struct watchdog_table {
    _Atomic uint64_t touched; /* milliseconds of the node's clock: any rank's last beat */
    atomic_uint limit;        /* milliseconds; 0: not known yet, or off */
    atomic_uint next;         /* rows that are taken */
    atomic_bool spoken;       /* somebody has named a rank, and the job ends */
    watchdog_row row[WATCHDOG_ROWS];
} watchdog_table;

enum { WATCHDOG_NAME = 64 };

/* A name that the ranks of this job on this node, and no others, have in common, by what their
 * launcher tells them; false where it tells nothing that would do. */
bool watchdog_table_name(char *name);
/* Another one, of a number that they have agreed on. */
void watchdog_table_name_of(uint64_t number, char *name);
/* The table of that name, made by whoever comes first; *own: a row of it, with rank and process
 * set. NULL where there is no shared memory, or no row left. */
watchdog_table *watchdog_table_open(const char *name, int rank, watchdog_row **own);
/* Every rank has come: the name goes, so that nothing is left of it even if the job is killed. */
void watchdog_table_hide(const char *name);
/* NULL-safe. */
void watchdog_table_close(watchdog_table *t);

/* Writes the pulse into a row, and reads it from one. */
void watchdog_row_write(watchdog_row *r, const pulse *p);
pulse watchdog_row_read(watchdog_row *r);

#endif
