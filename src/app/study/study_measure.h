/* Measurements of a study: each is done once and kept, under the key of program, settings,
 * amount of work and launcher. Not collective. */
#ifndef AUXSEG_APP_STUDY_STUDY_MEASURE_H
#define AUXSEG_APP_STUDY_STUDY_MEASURE_H

#include "io/files/run_record.h"
#include "src/app/study/study_plan.h"

/* One stage, once, at one point. */
typedef struct study_measurement {
    double median, least,
        most;                /* seconds of a unit: a training step, a clustering, an extraction */
    double work;             /* of a unit, in what the figure of merit counts */
    double seconds;          /* of the stage as a whole */
    double sent, peak, loss; /* bytes of all ranks; MiB; loss or objective at the end */
    phases spread;
    int nodes;
    int processors; /* that the study had where it was measured; 0: not known */
    char host[64], version[64], processor[128], arithmetic[16];
    uint64_t hash; /* of the result */
} study_measurement;

/* What the processors could do at the point, in billions a second: multiply and add in fp32, in
 * bf16 (0: they have no instructions for it), bytes read. */
typedef struct study_roof {
    double fp32, bf16, read;
} study_roof;

/* Fills p->key. */
status study_measure_key(study_plan *p);
/* Does what is missing of repetition `repeat` (from 0) at this point: the roof, then each stage.
 * STATUS_STOPPED when asked to stop; what is measured stays. */
status study_measure_point(const study_plan *p, study_point at, int64_t repeat);
/* Reads what was measured; false: it is not there, or was made with another key. */
bool study_measure_find(
    const study_plan *p, study_point at, stage_id stage, int64_t repeat, study_measurement *out);
bool study_measure_find_roof(const study_plan *p, study_point at, int64_t repeat, study_roof *out);
/* "images/s" of a stage's figure of merit, and what its time is of: "a step". */
const char *study_measure_fom_unit(stage_id stage);
const char *study_measure_unit(stage_id stage);

#endif
