/* One file against its checksums and its run's record. Not collective. */
#ifndef AUXSEG_APP_TOOLS_VERIFY_FILE_H
#define AUXSEG_APP_TOOLS_VERIFY_FILE_H

#include "io/files/run_record.h"
#include "src/base/status.h"

/* Told about in one line of standard output, or in messages. r: the record of its folder; NULL:
 * none. */
status verify_file(const char *path, const run_record *r);

#endif
