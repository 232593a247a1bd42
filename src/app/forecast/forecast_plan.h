/* What a forecast asks: the stages' work, the node, the numbers of nodes. Not collective. */
#ifndef AUXSEG_APP_FORECAST_FORECAST_PLAN_H
#define AUXSEG_APP_FORECAST_FORECAST_PLAN_H

#include "io/files/file.h"
#include "src/app/stage/arguments.h"
#include "src/base/settings.h"
#include "src/base/status.h"

enum { FORECAST_NODES = 32, FORECAST_STAGES = 4, FORECAST_SPLITS = 8 };

typedef struct forecast_plan {
    arguments line;
    const char *platform; /* borrowed */
    settings *s;          /* owned */
    int nodes[FORECAST_NODES], points;
    stage_id stage[FORECAST_STAGES];
    int stages;
    int64_t cores;       /* of a node */
    int64_t ranks;       /* of a node */
    int64_t batch;       /* images a node and training step */
    int64_t images;      /* of the data set */
    int64_t rows;        /* of k-means */
    int64_t dimensions;  /* of a row */
    const char *profile; /* a file that is there; NULL: it is measured. Borrowed */
    const char *data;    /* a packed data set whose decoding is measured, too; or NULL. Borrowed */
    char out[FILE_PATH];
} forecast_plan;

/* Names every mistake: STATUS_USAGE. Destroyed by the caller after either result. */
status forecast_plan_read(forecast_plan *out, int argc, char **argv);
void forecast_plan_destroy(forecast_plan *p);

/* Measures what computing takes here, one thread's processor time, into the file. */
status forecast_profile_make(const forecast_plan *p, const char *path);
/* Adds to it what decoding images of p->data and cutting views takes. */
status forecast_input(const forecast_plan *p, const char *path);
/* Whether a file of an earlier call was measured for these settings. STATUS_USAGE, with a message.
 */
status forecast_profile_check(const forecast_plan *p, const char *path);

/* A stage on `nodes` nodes of `ranks` ranks each, simulated. */
typedef struct forecast_point {
    int nodes, ranks;  /* ranks of a node */
    double seconds;    /* of a step, an iteration, an extraction */
    double exchange;   /* of these, waiting for other ranks: rank 0's */
    double sent;       /* bytes of all ranks in these seconds */
    double memory;     /* MiB of a rank that the exchanges hold */
    double efficiency; /* against the first number of nodes */
} forecast_point;

/* The path of auxseg-forecast [FILE_PATH]. STATUS_FAILED, with a message, where it is missing. */
status forecast_program(char *path);
/* profile: the file. STATUS_FAILED, with a message, where smpirun or auxseg-forecast is missing. */
status forecast_run(const forecast_plan *p, const char *profile, stage_id stage, int nodes,
    int ranks, forecast_point *out);
/* Work of a unit of a stage, in what its figure of merit counts. */
double forecast_work(const forecast_plan *p, stage_id stage, int nodes);

/* point [stages, points], splits [stages, FORECAST_SPLITS]: ranks of a node at one number of
 * nodes, 0 nodes: none. forecast.csv, then a table and words on standard output. */
status forecast_table(
    const forecast_plan *p, const forecast_point *point, const forecast_point *splits);

#endif
