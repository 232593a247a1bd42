/* Pictures of the report, encoded. One rank calls. */
#ifndef AUXSEG_APP_REPORT_REPORT_PICTURES_H
#define AUXSEG_APP_REPORT_REPORT_PICTURES_H

#include "io/hdf5/labels.h"
#include "io/page/report.h"
#include "src/app/stage/stage.h"

enum { PICTURES = 4, CAPTION = 48 }; /* most pictures of a strip */

typedef struct report_pictures {
    report_strip *strip;                 /* [strips] */
    report_picture (*picture)[PICTURES]; /* [strips], JPEG bytes owned */
    int strips;
} report_pictures;

/* NULL-safe members. */
void report_pictures_destroy(report_pictures *p);
/* report.overlays training images, evenly spaced, shrunk to a page's width: image, auxiliary labels
 * over it, the same with each cluster in the colour of its commonest class (majority [K], -1:
 * unknown), ground truth. */
status report_label_pictures(
    const stage *t, const labels *aux, const int *majority, report_pictures *out);
/* As many images of evaluate.split: image, ground truth, predictions of the models that are there;
 * nothing without a model. */
status report_prediction_pictures(const stage *t, int round, report_pictures *out);

#endif
