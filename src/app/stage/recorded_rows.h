/* The rows of metrics.csv beside the record of their run. Not collective. */
#ifndef AUXSEG_APP_STAGE_RECORDED_ROWS_H
#define AUXSEG_APP_STAGE_RECORDED_ROWS_H

#include "io/files/run_record.h"
#include "src/base/status.h"

/* Whether every stage that is done has as many rows in the file as it had then: STATUS_OUTPUT
 * where one has not, each of them told by `tell` (log_error, or log_warn of who goes on without
 * them). A file that is not there has none. r: the record of its folder; NULL: nothing is asked. */
status recorded_rows_check(
    const char *path, const run_record *r, void (*tell)(const char *format, ...));

#endif
