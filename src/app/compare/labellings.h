/* Auxiliary labels of several runs on the same images, for the page of a comparison. One rank
 * calls; not collective. */
#ifndef AUXSEG_APP_COMPARE_LABELLINGS_H
#define AUXSEG_APP_COMPARE_LABELLINGS_H

#include "io/page/page_strip.h"
#include "src/base/settings.h"

typedef struct labelling_run {
    const char *name;   /* of the cell */
    const char *folder; /* of one of its runs */
} labelling_run;

typedef struct labellings {
    page_strip *strip; /* [strips]; two an image: by cluster, by the clusters' classes */
    int strips;
    page_picture *picture; /* their pictures, owned */
    int pictures;
    char *texts; /* titles and captions */
} labellings;

/* report.overlays training images, at most LABELLINGS_IMAGES, evenly spaced: image, ground truth,
 * and the labels of each run's last round over it; below them the same with each cluster in the
 * colour of its commonest class, where the score has told it. Runs with the same labels share a
 * picture; runs without labels, or of another data set than the first one's, are left out. Without
 * any there are no strips. out is destroyed by the caller, whatever is returned. */
enum { LABELLINGS_IMAGES = 3 };
status labellings_create(labellings *out, const settings *s, const labelling_run *run, int runs);
/* NULL-safe members. */
void labellings_destroy(labellings *l);

#endif
