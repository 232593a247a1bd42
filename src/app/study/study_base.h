/* The folders of a study: what its points read, and where each works. Not collective. */
#ifndef AUXSEG_APP_STUDY_STUDY_BASE_H
#define AUXSEG_APP_STUDY_STUDY_BASE_H

#include "src/app/study/study_plan.h"

/* The run that the points of so many ranks read from, below the study's folder: one for all, or,
 * where the images grow with the ranks, one a number of ranks. path [FILE_PATH]. */
status study_base_path(const study_plan *p, int ranks, char *path);
/* Whether the images grow with the ranks. */
bool study_base_grows(const study_plan *p);
/* Makes it, or what is missing of it, on the point's ranks: all stages before the last that is
 * measured. */
status study_base_make(const study_plan *p, study_point at);
/* Whether every rank of the points that are to be measured has an image of the base: STATUS_USAGE,
 * naming each point that has ranks without. Nothing where there is no base. */
status study_base_check(const study_plan *p);
/* An empty folder with just what the stage reads, linked, and with the record of what was done
 * before it. work [FILE_PATH] is written. */
status study_base_open(const study_plan *p, study_point at, stage_id stage, char *work);
/* Removes it. NULL-safe; a folder that cannot be removed is only named. */
void study_base_close(const char *work);

#endif
