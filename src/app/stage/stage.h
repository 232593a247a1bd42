/* A stage of a run: its data set, its name and round, its place in run.json.
 *
 *   stage t;
 *   status st = stage_begin(&t, c, s, STAGE_CLUSTER, round);
 *   ... stage_key(&t, ...);
 *   if (st == STATUS_OK) st = stage_done(&t, &done);
 *   if (st == STATUS_OK && !done) { ... st = stage_finish(&t, ...); }
 *   stage_end(&t);
 */
#ifndef AUXSEG_APP_STAGE_STAGE_H
#define AUXSEG_APP_STAGE_STAGE_H

#include "io/dataset/dataset.h"
#include "io/files/file.h"
#include "io/files/run_record.h"
#include "mpi/comm.h"
#include "src/app/stage/arithmetic.h"
#include "src/app/stage/stage_list.h"
#include "src/base/settings.h"
#include "src/base/timer.h"
#include "src/image/input.h"

enum { STAGE_NAME = 64 };

typedef struct stage {
    const comm *c;
    const settings *s;
    stage_id id;
    const char *base;      /* "cluster" */
    char name[STAGE_NAME]; /* "cluster" in round 1, "cluster-2" in round 2 */
    int round;
    dataset *d;              /* NULL: begun without one */
    run_record *record;      /* rank 0's, else NULL */
    uint64_t key;            /* hash of what the stage's result depends on */
    uint64_t checkpoint_key; /* of its checkpoints, for stage_done; 0: the same */
    arithmetic how;          /* of its networks */
    const char *within;      /* name of the stage on whose way this one is done; NULL: by itself */
    run_place place;         /* rank 0's, for the record */
    struct file_lock
        *hold;   /* of the stage in run.store while this run does it; rank 0's, or NULL */
    char *hosts; /* of place; owned by the stage that is not within another */
    /* Its clock: */
    char started[RUN_RECORD_TIME];
    timers time;
    double began, sent; /* the moment, and traffic_sent() at it */
} stage;

/* Opens the run's data set and run.json, and compares the two: STATUS_OUTPUT where the data set is
 * not the one that was packed. Safe to end after any status. Collective. */
status stage_begin(stage *t, const comm *c, const settings *s, stage_id id, int round);
/* The same without the data set, for the stage that makes it, which sets t->key itself.
 * Collective. */
status stage_begin_bare(stage *t, const comm *c, const settings *s, stage_id id);
/* A stage with its data set under another name than the stage's (borrowed): what depends on the
 * same settings and is recorded by itself. Collective. */
status stage_begin_as(
    stage *t, const comm *c, const settings *s, stage_id id, const char *base, int round);
/* NULL-safe members. */
void stage_end(stage *t);
/* The stage's clock, phases and peak memory begin anew: what came before was another stage's. Not
 * collective. */
void stage_clock(stage *t);
/* A stage whose work `whole` does on its way (features, which the clustering computes for itself):
 * with the same data set, round and record, but a name, key, clock and entry of its own; the stage
 * itself where id is its own. Lives as long as `whole`; not to be ended. Not collective. */
stage stage_within(const stage *whole, stage_id id, uint64_t key);

/* The stage's key: settings of its groups (stage_about), the data set, and the contents of a file
 * ("" or NULL: none) and the output hashes of earlier stages that it reads; with the group "model"
 * under model.dtype "auto" also the arithmetic, which run.json then keeps. STATUS_OUTPUT where the
 * file is one of the run's own and another than it has recorded. Collective. */
status stage_key(stage *t, const char *file, uint64_t input);
/* Another file that the stage reads, likewise: STATUS_OUTPUT, with a message, where it is one of
 * the run's own and another than it has recorded. hash: file_hash's of it. Rank 0's. */
status stage_file_same(const stage *t, const char *file, uint64_t hash);
/* Hash of an earlier stage's output; STATUS_USAGE naming the command to run first, if it is not
 * there, STATUS_OUTPUT if it is damaged. Collective. */
status stage_input(stage *t, stage_id from, uint64_t *hash);
/* Whether run.json has the stage with this key and its output is there, unless run.resume is
 * "never"; else whether it was taken from run.store. Says so, and removes checkpoints that a kill
 * has left. STATUS_FAILED: for lack of memory that could not be told. Collective. */
status stage_done(stage *t, bool *done);

/* Whether the stage was taken from run.store, for one that finds out by itself whether it is done;
 * if not, until store_leave no other run does it. Collective. */
bool stage_take(stage *t);

typedef struct stage_result {
    const char *output; /* path below run.dir, or NULL */
    uint64_t hash;      /* of its contents */
    double fom;         /* NAN: none */
    const char *unit;
    int64_t rows; /* that it has in metrics.csv */
} stage_result;

/* Records the stage as done, with its phases over ranks, and prints its figure of merit.
 * Collective. */
status stage_finish(stage *t, const stage_result *r);
/* A figure of this stage: in memory until stage_finish saves. Not collective. */
status stage_figure(stage *t, const char *group, const char *name, double value);
/* How the stage's network is given images, for run.json, saved like a figure. Not collective. */
status stage_images(stage *t, const image_input *input);
/* Path of a file of this round: path [FILE_PATH]. Agreed on by all ranks: collective. */
status stage_path(const stage *t, char *path, const char *name);
/* Names of the training images, owned by the caller (memory_free); NULL on every rank if one has no
 * memory. Collective. */
const char **stage_names(const stage *t);

#endif
