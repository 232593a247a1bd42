/* What a study has found, a row a stage and point. Not collective. */
#ifndef AUXSEG_APP_STUDY_STUDY_ROWS_H
#define AUXSEG_APP_STUDY_STUDY_ROWS_H

#include "src/app/study/study_measure.h"

typedef struct study_row {
    stage_id stage;
    study_point at;
    int cores;           /* that it computes on: no more than there were where it was measured */
    int repeats;         /* that are measured; 0: none, and all that follows is empty */
    bool same;           /* its repetitions, and points before it that do the same work, agree */
    study_measurement m; /* the repetition in the middle, by its time */
    double median, least, most; /* seconds of a unit, over the repetitions */
    double fastest, slowest;    /* medians of the fastest and the slowest repetition */
    double peak;                /* MiB, the most of them */
    double fom;                 /* work of a unit in its median time */
    double speedup, efficiency; /* against the stage's first point, per core */
    study_roof roof;            /* medians; NAN: not measured */
    double roof_efficiency;     /* of the roof, against the first point's, per core */
    double of_roof;             /* efficiency / roof_efficiency */
    double read_efficiency;     /* as roof_efficiency, of reads of memory */
    double imbalance;     /* slowest / mean rank, summed over the phases without the exchange */
    double communication; /* share of the exchange in all phases, means over ranks */
    bool oversubscribed;  /* more ranks x threads than cores there, without --launch */
} study_row;

/* rows [stages, points], a stage after the other, in the order of the plan; owned by the caller
 * (memory_free). STATUS_FAILED, the rows being there, where the results of two points, or of two
 * repetitions, differ: each is named. STATUS_USAGE, naming them, where points are not measured. */
status study_rows_collect(const study_plan *p, study_row **out);

#endif
