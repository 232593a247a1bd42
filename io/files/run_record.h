/* run.json: what a run did, with what, and what came out. It is also the memory by which `run`
 * skips what is done. Not collective: rank 0 alone; a NULL record swallows what is set and knows
 * nothing, so that other ranks need no branch.
 *
 *   format, program, started (UTC), ranks, threads, machine {}, settings {},
 *   stages {name: {key, output, output_hash, seconds, phases {name: {min, mean, max, slowest}},
 *                  fom, fom_unit, finished}},
 *   results {group: {name: number | null}}, hashes {name: "16 hexadecimal digits"}
 *
 * Names of stages, groups and hashes are the caller's; a later round appends its number
 * ("cluster-2"). Setters change memory only; run_record_save publishes. */
#ifndef AUXSEG_IO_FILES_RUN_RECORD_H
#define AUXSEG_IO_FILES_RUN_RECORD_H

#include "mpi/phases.h"
#include "src/base/settings.h"
#include "src/base/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct stage_record {
    const char *name;     /* borrowed; when read: owned by the record until it changes */
    uint64_t key;         /* hash of inputs and settings */
    const char *output;   /* file name below run.json's folder; NULL: none */
    uint64_t output_hash; /* of the contents that matter; 0: none */
    double seconds;
    const phases *phases; /* NULL: not measured */
    double fom;           /* figure of merit, "images/s" ...; NAN: none */
    const char *fom_unit; /* NULL: none */
} stage_record;

typedef struct run_record run_record;

/* Loads path, or starts anew if there is no such file. A file that is no record is named in a
 * warning, kept as path + ".damaged", and the record starts anew. *out is owned by the caller. */
status run_record_open(run_record **out, const char *path);
/* NULL-safe. Does not save. */
void run_record_close(run_record *r);
/* Atomic: temporary, fsync, rename. STATUS_OUTPUT with a message. */
status run_record_save(const run_record *r);

/* Program, machine, ranks x threads, time of start and effective settings of this invocation. */
status run_record_begin(run_record *r, const settings *s, int ranks, int threads);

/* Whether this stage is recorded with this key and its output file, if it has one, still exists.
 * *output_hash (may be NULL) is then written. */
bool run_record_stage_done(
    const run_record *r, const char *stage, uint64_t key, uint64_t *output_hash);
/* Replaces what was recorded under the stage's name; everything is copied. */
status run_record_set_stage(run_record *r, const stage_record *stage);

/* Results in groups ("score", "baseline", "finetuned", "finetuned/iou" ...). NAN is kept as null.
 */
status run_record_set_result(run_record *r, const char *group, const char *name, double value);
/* NAN if there is none. */
double run_record_get_result(const run_record *r, const char *group, const char *name);
/* Removes a group before its stage fills it anew. */
void run_record_clear_group(run_record *r, const char *group);

/* Hashes of results ("labels", "weights"). */
status run_record_set_hash(run_record *r, const char *name, uint64_t hash);
bool run_record_get_hash(const run_record *r, const char *name, uint64_t *hash);

/* For the report, in the order in which they were first set; index from 0, false past the end.
 * Texts are borrowed until the record changes. spread (may be NULL): written if the stage has
 * phases, out->phases then points to it. */
bool run_record_stage(const run_record *r, int index, stage_record *out, phases *spread);
bool run_record_result(
    const run_record *r, int index, const char **group, const char **name, double *value);
/* section: "machine", "settings", "hashes" (texts). */
bool run_record_fact(
    const run_record *r, const char *section, int index, const char **key, const char **text);
/* At the top: "program", "started"; NULL if absent. */
const char *run_record_text(const run_record *r, const char *key);
/* At the top: "ranks", "threads"; NAN if absent. */
double run_record_number(const run_record *r, const char *key);

#endif
