/* What a study measures: its points, stages and amount of work, from the words of the command line
 * and the settings. Not collective. */
#ifndef AUXSEG_APP_STUDY_STUDY_PLAN_H
#define AUXSEG_APP_STUDY_STUDY_PLAN_H

#include "io/files/file.h"
#include "src/app/stage/arguments.h"
#include "src/base/settings.h"
#include "src/base/status.h"

enum { STUDY_POINTS = 64, STUDY_STAGES = 4 };

typedef struct study_point {
    int ranks, threads; /* threads of a rank */
} study_point;

/* What this call does of a study: all of it; or a part, as a job of a chain does. */
typedef enum study_part {
    STUDY_ALL,
    STUDY_LIST,    /* prints the points */
    STUDY_FOLDER,  /* prints the study's folder */
    STUDY_PREPARE, /* what the points read */
    STUDY_MEASURE, /* points, prepared before */
    STUDY_COLLECT  /* of what is measured */
} study_part;

typedef struct study_plan {
    const char *config, *launch; /* borrowed; launch NULL: mpirun */
    arguments line;
    settings *s;                     /* effective; owned */
    study_point point[STUDY_POINTS]; /* in the order of the lists */
    int points;
    study_point only; /* of STUDY_MEASURE; ranks 0: all */
    stage_id stage[STUDY_STAGES];
    int stages;
    int64_t steps, untimed, repeats;
    bool weak;
    study_part part;
    char out[FILE_PATH]; /* the study's folder */
    uint64_t key;        /* of program, settings, amount of work and launcher: by which what is
                            measured is known again */
} study_plan;

/* Names every mistake: STATUS_USAGE. That includes each point at which ranks would have no work, as
 * far as the settings tell (study_base_check). Destroyed by the caller after either result. */
status study_plan_read(study_plan *out, int argc, char **argv);
void study_plan_destroy(study_plan *p);

/* Cores that a point computes on. */
int study_point_cores(study_point p);
/* "2 ranks x 1 thread": text [STUDY_NAME]. */
enum { STUDY_NAME = 64 };
void study_point_name(study_point p, char *text);
/* Of a stage that deals the training images to ranks, and a point of more ranks than images: 1, and
 * named; else 0. */
int study_plan_check_images(stage_id stage, study_point at, int images);
/* Images of a step of a training stage at so many ranks: as set, times the ranks where the study is
 * weak. */
int64_t study_batch(const study_plan *p, stage_id stage, int ranks);

#endif
