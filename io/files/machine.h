/* What a result was made with: host, processor, libraries. For run.json, the report and --version.
 * Not collective. */
#ifndef AUXSEG_IO_FILES_MACHINE_H
#define AUXSEG_IO_FILES_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

enum { MACHINE_TEXT = 256 };

/* Facts in a fixed order: "auxseg", "compiler", "host", "system", "processor", "instructions",
 * "cores", "onednn", "mpi", "hdf5", ... with their text. index from 0; false past the end.
 * key is static; text [MACHINE_TEXT] is written. */
bool machine_fact(int index, const char **key, char *text);

#endif
