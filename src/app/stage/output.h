/* Whether what a stage has left is still there, at a look. */
#ifndef AUXSEG_APP_STAGE_OUTPUT_H
#define AUXSEG_APP_STAGE_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the file at `path`, written as the result of a stage with this hash, is whole as far as
 * its size, its tables and headers and their checksums tell, in little time; arrays are compared
 * where they are read, and by `auxseg verify`. The hash is compared where the tables have it
 * (dataset.h5, labels.h5). Messages say what is wrong. Not collective. */
bool output_whole(const char *path, uint64_t hash);

#endif
