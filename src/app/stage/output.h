/* Whether what stages have left is still there, and what run.json says of it. Not collective: rank
 * 0, which has the record. */
#ifndef AUXSEG_APP_STAGE_OUTPUT_H
#define AUXSEG_APP_STAGE_OUTPUT_H

#include "io/files/run_record.h"
#include "src/base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether a file is compared as a whole; of dataset.h5 and features.h5, which may be of any size
 * and carry checksums of every image, the tables alone are. */
bool output_by_hash(const char *path);
/* Keeps the hash of a file of the run's folder that was just written, if it is compared by it. */
status output_record(run_record *r, const char *path);
/* Whether run.json has recorded a file of this name. */
bool output_known(const run_record *r, const char *path);
/* Whether the file is what run.json has recorded under its name, or nothing is recorded.
 * STATUS_OUTPUT: it is not; a message says what differs. STATUS_FAILED: that could not be told,
 * for lack of memory, or as the system does not give the file, which may be whole. Reads all of it,
 * but for the two: of those the tables. */
status output_same(const run_record *r, const char *path);
/* *found: whether the file is there and the same, for who can do without it. Fails only where
 * output_same cannot tell. */
status output_find(const run_record *r, const char *path, bool *found);
/* Whether the output of a stage, if it has one, is in `folder` as it was recorded; errors are
 * those of output_same. Tables and headers of HDF5 files are compared in little time, arrays where
 * they are read and by `auxseg verify`; other files are compared as a whole. */
status output_left(const run_record *r, const char *folder, const char *stage);
/* The stage whose output a file of the run's folder is; NULL: of none. Borrowed from the record. */
const char *output_maker(const run_record *r, const char *name);
/* The group of run.json that has the figures of a fine-tuning's looks at images
 * (finetune.validate). Not collective. */
enum { OUTPUT_GROUP = 96 };
void output_looks_group(const char *stage, char group[OUTPUT_GROUP]);

#endif
