/* compare.html. Not collective: one rank calls. */
#ifndef AUXSEG_APP_COMPARE_COMPARE_REPORT_H
#define AUXSEG_APP_COMPARE_COMPARE_REPORT_H

#include "src/app/compare/results.h"

/* Writes compare.html into r->folder: plots, table, labellings, links to the runs' reports.
 * command: how to make it again, as a shell reads it; NULL: is not told. */
status compare_report_write(const compare_results *r, const char *command);

#endif
