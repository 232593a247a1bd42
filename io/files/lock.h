/* One job at a time in a folder: a file LOCK that names its owner and is touched every few seconds.
 * Made by a link to a whole file, of which NFS, Lustre and GPFS let one win, or with O_EXCL where
 * there are no links; fcntl's locks are not used, which some of these grant to everybody. Not
 * collective: one rank calls.
 *
 * A lock is taken over where its owner is gone: its process on this host no longer lives; or, on
 * another host, it is an earlier start of the same batch job, which was requeued, or has not been
 * touched for LOCK_STALE seconds, by the file system's own clock. An owner that finds his lock
 * taken over asks his run to stop. */
#ifndef AUXSEG_IO_FILES_LOCK_H
#define AUXSEG_IO_FILES_LOCK_H

#include "src/base/status.h"

#include <stdbool.h>

#define LOCK_NAME "LOCK"
enum { LOCK_TOUCH = 10, LOCK_STALE = 90 }; /* seconds */
enum { LOCK_LINE = 640 };                  /* longest line, with its end */

typedef struct file_lock file_lock;

typedef struct file_lock_options {
    const char *job; /* the batch system's name of this job, "" outside of one; borrowed */
    int start;       /* how often the job was requeued before */
    double
        patience; /* seconds to wait for another owner: what is killed may take a moment to end */
    bool quiet;   /* no message where another one has it */
} file_lock_options;

/* Of the batch job that this process is of, without patience; the name's NULL is "". */
file_lock_options file_lock_this_job(void);
/* The batch system's name of this job; NULL outside of one. */
const char *file_lock_job_name(void);

/* Takes folder/LOCK and keeps touching it, in a thread of its own, which calls neither MPI nor
 * anything else of the program. STATUS_USAGE where another one has it: the message says who.
 * STATUS_OUTPUT where the folder cannot be written. */
status file_lock_take(file_lock **out, const char *folder, const file_lock_options *o);
/* What the file says, for others to compare: no two locks say the same. */
const char *file_lock_line(const file_lock *l);
/* Removes it, if it is still this one. NULL-safe. */
void file_lock_release(file_lock *l);
/* Whether folder/LOCK, as this process sees it, says `line`. By anyone. */
bool file_lock_says(const char *folder, const char *line);

/* Whether somebody has folder/LOCK who is not gone, as far as can be told from here. */
bool file_lock_held(const char *folder);

#endif
