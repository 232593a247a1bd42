/* Figures of both models for the report: of run.json, and the confusion matrices beside it. Not
 * collective. */
#ifndef AUXSEG_APP_REPORT_RESULTS_H
#define AUXSEG_APP_REPORT_RESULTS_H

#include "io/page/page.h"
#include "src/app/evaluation/confusion_file.h"
#include "src/app/stage/stage.h"

enum { RESULT_MEASURES = 3, RESULT_MODELS = 2 };

typedef struct results {
    page_measure measure[RESULT_MEASURES];
    page_class *class_result; /* [classes] */
    int measures, classes;    /* 0: no model has been evaluated */
    page_confusion confusion[RESULT_MODELS];
    int confusions;
    int64_t *matrix; /* [RESULT_MODELS, classes, classes] */
    char file[RESULT_MODELS][CONFUSION_NAME];
} results;

/* Of the baseline, and of the model that round `round` has fine-tuned, which comes first. out is
 * destroyed by the caller, whatever is returned. */
status results_create(results *out, const stage *t, int round);
/* NULL-safe members. */
void results_destroy(results *r);

#endif
