/* A data set that is packed already, when its images are gone. Not collective: one process. */
#ifndef AUXSEG_APP_TOOLS_PACKED_H
#define AUXSEG_APP_TOOLS_PACKED_H

#include "io/files/run_record.h"
#include "src/base/settings.h"

#include <stdbool.h>
#include <stdint.h>

/* The key of packing with these settings what has this stamp (layout_stamp). */
uint64_t packed_key(const settings *s, uint64_t stamp);
/* Keeps the stamp of what was packed, so that the key can be made once nothing has one. */
status packed_keep(run_record *r, uint64_t stamp);
/* Whether the record has a packing with these very settings; *key: its key. */
bool packed_before(const run_record *r, const settings *s, uint64_t *key);
/* Whether none of the images is there any more: root is gone or empty of what the layout expects,
 * or nothing that is listed can be found. *stamp: of what is listed, else 0. A list that is there
 * and wrong is a message, and STATUS_DATA. */
status packed_sources(const settings *s, uint64_t *stamp, bool *gone);
/* Whether run.dir has a whole dataset.h5 with these settings and the images are gone. Writes
 * nothing. */
bool packed_alone(const settings *s);

#endif
