/* Pictures of the report, encoded. One rank calls. */
#ifndef AUXSEG_APP_REPORT_PICTURES_H
#define AUXSEG_APP_REPORT_PICTURES_H

#include "io/hdf5/labels.h"
#include "io/page/page.h"
#include "src/app/stage/stage.h"

enum { PICTURES = 4, CAPTION = 48 }; /* most pictures of a strip */

typedef struct picture_set {
    page_strip *strip;                 /* [strips] */
    page_picture (*picture)[PICTURES]; /* [strips], JPEG bytes owned */
    int strips;
} picture_set;

/* NULL-safe members. */
void picture_set_destroy(picture_set *p);
/* report.overlays training images, evenly spaced, shrunk to a page's width: image, auxiliary labels
 * over it, the same with each cluster in the colour of its commonest class (majority [K], -1:
 * unknown), ground truth. */
status pictures_of_labels(const stage *t, const labels *aux, const int *majority, picture_set *out);
/* As many images of evaluate.split: image, ground truth, predictions of the models that are there;
 * nothing without a model. */
status pictures_of_predictions(const stage *t, int round, picture_set *out);

#endif
