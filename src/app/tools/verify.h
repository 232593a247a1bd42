/* The command that compares files with the checksums they carry, and with run.json. */
#ifndef AUXSEG_APP_TOOLS_VERIFY_H
#define AUXSEG_APP_TOOLS_VERIFY_H

#include "io/files/run_record.h"
#include "src/base/status.h"

/* argv [argc]: the files, or folders of runs. Not collective. */
status command_verify(int argc, char **argv);
/* One file, told about in one line of standard output or in messages. r: the record of its folder;
 * NULL: none. Not collective. */
status verify_file(const char *path, const run_record *r);

#endif
