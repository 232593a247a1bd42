/* Pictures of the report, encoded. One rank calls. */
#ifndef AUXSEG_APP_REPORT_PICTURES_H
#define AUXSEG_APP_REPORT_PICTURES_H

#include "io/hdf5/labels.h"
#include "io/page/page.h"
#include "src/app/stage/stage.h"

enum { PICTURES = 4 }; /* most pictures of a strip */

typedef struct picture_set {
    page_strip *strip;                 /* [strips] */
    page_picture (*picture)[PICTURES]; /* [strips], JPEG bytes owned */
    int strips;
    const uint8_t (*colour)[3]; /* [256], of the classes, borrowed */
} picture_set;

/* NULL-safe members. */
void picture_set_destroy(picture_set *p);
/* report.overlays training images, evenly spaced, shrunk to a page's width: image, auxiliary labels
 * over it, the same with each cluster in the colour of its commonest class (majority [K], -1:
 * unknown), ground truth. colour [256]: of the classes (dataset_colours), borrowed. */
status pictures_of_labels(const stage *t, const uint8_t (*colour)[3], const labels *aux,
    const int *majority, picture_set *out);
/* As many images of evaluate.split: image, ground truth, predictions of the models that are there;
 * nothing without a model. */
status pictures_of_predictions(
    const stage *t, const uint8_t (*colour)[3], int round, picture_set *out);

#endif
