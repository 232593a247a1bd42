/* compare.csv: a row a run (columns: README.md beside this file). Not collective: one rank. */
#ifndef AUXSEG_APP_COMPARE_COMPARE_CSV_H
#define AUXSEG_APP_COMPARE_COMPARE_CSV_H

#include "src/app/compare/results.h"

/* Writes it in r->folder, which is there. Columns that begin with "seconds" are measured in time;
 * all others are the same whenever and on however many ranks the runs were done. */
status compare_csv_write(const compare_results *r);
/* The table on standard output: a line a cell, then each figure of the score with its rank
 * correlation. */
void compare_table_print(const compare_results *r);

#endif
