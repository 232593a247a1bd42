/* What labels the views without labels of a step: a network with fixed weights, or with those of
 * the step as they are. */
#ifndef AUXSEG_APP_TRAINING_TEACHER_H
#define AUXSEG_APP_TRAINING_TEACHER_H

#include "src/app/training/batches.h"

typedef struct teacher {
    const trainer *t; /* borrowed */
    plan *plan;       /* PLAN_INFER: norms by their running statistics, no dropout */
    int images;       /* of a call */
    int places;       /* of this rank, without labels */
    int outputs;      /* networks in the graph */
    uint16_t *label;  /* [outputs, places, crop, crop]: each network's labels */
} teacher;

/* The trainer's network with parameters p (borrowed): its own, or others of the same graph.
 * Collective. */
status teacher_create(teacher *out, trainer *t, parameters *p);
/* NULL-safe members. Not collective. */
void teacher_destroy(teacher *e);
/* The parameters have changed. Not collective. */
status teacher_pack(teacher *e);
/* e->label of the batch: pixels of whose class the network is less sure than `confidence` are
 * LABEL_IGNORE; mixed as the views are. Not collective. */
status teacher_label(teacher *e, const batch *b, double confidence);
/* What network `output` says of place j. Not collective. */
const uint16_t *teacher_labels(const teacher *e, int output, int j);

#endif
