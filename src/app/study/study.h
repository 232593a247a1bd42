/* The command that measures how stages scale. */
#ifndef AUXSEG_APP_STUDY_STUDY_H
#define AUXSEG_APP_STUDY_STUDY_H

#include "src/base/status.h"

/* `auxseg study CONFIG --ranks LIST ...`: starts the points of a study one after another, each in
 * ranks of its own, and collects scaling.csv, scaling.html and a table. No MPI in this process.
 * STATUS_FAILED where the results of two points differ. Not collective. */
status command_study(int argc, char **argv);

#endif
