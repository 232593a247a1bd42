/* run.json: what a run did, with what, and what came out (every key: io/files/README.md). It is
 * also the memory by which `run` skips what is done. Not collective: rank 0 alone; a NULL record
 * swallows what is set and knows nothing, so that other ranks need no branch.
 *
 * Names of stages, groups and hashes are the caller's; a later round appends its number
 * ("cluster-2"). Setters change memory only; run_record_save publishes. Moments are UTC, as
 * "2025-01-31T23:59:59Z". What was recorded by a version that knew less is NULL, 0 or NAN. */
#ifndef AUXSEG_IO_FILES_RUN_RECORD_H
#define AUXSEG_IO_FILES_RUN_RECORD_H

#include "mpi/phases.h"
#include "src/base/settings.h"
#include "src/base/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { RUN_RECORD_TIME = 32 };

/* Where something ran. */
typedef struct run_place {
    int nodes, ranks, threads; /* threads of a rank */
    const char *hosts;         /* names of the nodes in the order of ranks, "n001,n002" */
} run_place;

/* Texts are borrowed; when read, they are the record's until it changes. */
typedef struct stage_record {
    const char *name;
    uint64_t key;         /* hash of inputs and settings */
    const char *output;   /* file name below run.json's folder; NULL: none */
    uint64_t output_hash; /* of the contents that matter; 0: none */
    const char *within;  /* the stage that did this one's work on its way; NULL: it ran by itself */
    const char *started; /* NULL: not known */
    const char *finished; /* only when read: run_record_set_stage takes the present moment */
    double seconds;       /* without those of stages within it */
    run_place place;
    const phases *phases; /* NULL: not measured */
    double peak_memory;   /* MiB, of the rank that held most during the stage; NAN: not known */
    int peak_rank;        /* the lowest of them */
    double bytes_sent;    /* handed to MPI by all ranks, timed steps alone; NAN: not known */
    int64_t rows;         /* of its own in metrics.csv; 0: none, or not known */
    double fom;           /* figure of merit, "images/s" ...; NAN: none */
    const char *fom_unit; /* NULL: none */
} stage_record;

/* One start of a command in the run's folder. */
typedef struct start_record {
    const char *started;
    const char *command; /* with its arguments, as a shell reads them */
    const char *version; /* "0.1.0" */
    const char *commit;  /* of the source; NULL: not known */
    const char *job;     /* the batch system's number; NULL: none */
    run_place place;
    const char *ended; /* NULL: runs still, or was killed; the rest is then without meaning */
    double seconds;
    double peak_memory; /* MiB, of the rank that held most */
    int exit_code;
} start_record;

typedef struct run_record run_record;

/* Loads path, or starts anew if there is no such file. A file whose text is no record, or not the
 * one that its checksum was made of, is named, kept as path + ".damaged", and the record starts
 * anew. STATUS_OUTPUT, and the file stays, where it cannot be read or is a later version's;
 * STATUS_FAILED without memory. *out is owned by the caller. */
status run_record_open(run_record **out, const char *path);
/* The same for who only looks: nothing is changed or set aside. *out NULL if there is no such file;
 * STATUS_OUTPUT if it is damaged. */
status run_record_look(run_record **out, const char *path);
/* Whether path is a whole record, by its checksum: STATUS_OUTPUT, naming what is wrong. Changes
 * nothing. */
status run_record_verify(const char *path);
/* NULL-safe. Does not save. */
void run_record_close(run_record *r);
/* Atomic: temporary, fsync, rename. STATUS_OUTPUT with a message. */
status run_record_save(const run_record *r);

/* The present moment: text [RUN_RECORD_TIME]. */
void run_record_time(char *text);

/* Program, machine and effective settings; ranks and threads, for readers that look at the top:
 * what last finished a stage. */
status run_record_begin(run_record *r, const settings *s, int ranks, int threads);

/* One more start, which has not ended. */
status run_record_add_start(run_record *r, const start_record *start);
/* How the start with this moment and command ended (`ended` is the present moment); nothing where
 * another process has written the record without it. */
status run_record_end_start(run_record *r, const start_record *start);
/* Starts from the first on; false past the last. */
bool run_record_start(const run_record *r, int index, start_record *out);

/* Whether this stage is recorded with this key and its output file, if it has one, still exists.
 * *output_hash (may be NULL) is then written. */
bool run_record_stage_done(
    const run_record *r, const char *stage, uint64_t key, uint64_t *output_hash);
/* Replaces what was recorded under the stage's name; everything is copied. */
status run_record_set_stage(run_record *r, const stage_record *stage);
/* Takes a stage over from another run's record, with those that were done within it, the hash of
 * its output's file, and the results and hashes that have the stage's name. */
status run_record_import_stage(run_record *r, const run_record *from, const char *stage);
/* The same for one member of "results" or "hashes"; nothing where there is none. */
status run_record_import_member(
    run_record *r, const run_record *from, const char *section, const char *name);
/* The stage counts as not done: its entry goes. */
void run_record_forget_stage(run_record *r, const char *stage);
/* The settings of these groups ("run,dataset") that a result can depend on, kept with the stage,
 * which is recorded. */
status run_record_set_stage_settings(
    run_record *r, const char *stage, const settings *s, const char *groups);
/* Those of a stage, from index 0 on; false past the last. Texts are borrowed. */
bool run_record_stage_setting(
    const run_record *r, const char *stage, int index, const char **key, const char **text);

/* By which arithmetic the run computes, as texts ("type": "bf16"): NULL if it is not known. */
const char *run_record_get_arithmetic(const run_record *r, const char *key);
status run_record_set_arithmetic(run_record *r, const char *key, const char *text);
/* How a stage's network was given images (image_input_text): of the last start that did it. */
status run_record_set_input(run_record *r, const char *stage, const char *text);

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

/* Hashes of whole files that the run has written (file_hash), by their names in its folder. */
status run_record_set_file(run_record *r, const char *name, uint64_t hash);
bool run_record_get_file(const run_record *r, const char *name, uint64_t *hash);

/* For the report, in the order in which they were first set; index from 0, false past the end.
 * Texts are borrowed until the record changes. spread (may be NULL): written if the stage has
 * phases, out->phases then points to it. */
bool run_record_stage(const run_record *r, int index, stage_record *out, phases *spread);
bool run_record_result(
    const run_record *r, int index, const char **group, const char **name, double *value);
/* section: "machine", "settings", "hashes" (texts). */
bool run_record_fact(
    const run_record *r, const char *section, int index, const char **key, const char **text);
/* At the top: "program", "started" (of the first start); NULL if absent. */
const char *run_record_text(const run_record *r, const char *key);
/* At the top: "ranks", "threads"; NAN if absent. */
double run_record_number(const run_record *r, const char *key);

#endif
