/* scaling.csv, and the table and figures of merit on standard output. Not collective. */
#ifndef AUXSEG_APP_STUDY_STUDY_TABLE_H
#define AUXSEG_APP_STUDY_STUDY_TABLE_H

#include "src/app/study/study_rows.h"

/* scaling.csv in the study's folder, at once. rows [stages, points]. */
status study_table_write(const study_plan *p, const study_row *rows);
/* A table a stage, and a line for each point that programs look for (jobs/README.md). */
void study_table_print(const study_plan *p, const study_row *rows);

#endif
