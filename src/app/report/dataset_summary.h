/* What the data set is, for the report: images, labels, sizes, and how many pixels each class has.
 */
#ifndef AUXSEG_APP_REPORT_DATASET_SUMMARY_H
#define AUXSEG_APP_REPORT_DATASET_SUMMARY_H

#include "io/dataset/label_oddities.h"
#include "io/page/page.h"
#include "src/app/stage/stage.h"

/* Label maps of a split whose pixels are counted, at most: evenly spaced over it. */
enum { SUMMARY_MAPS = 2000 };

typedef struct dataset_summary {
    page_split split[SPLIT_COUNT]; /* those that have images */
    int splits;
    int labelled_used; /* training images whose labels fine-tuning uses; -1: it has not run */
    int64_t *pixels;   /* [SPLIT_COUNT, classes + 1] */
    char sizes[SPLIT_COUNT][64];
    label_oddity note[SPLIT_COUNT];
} dataset_summary;

/* Every rank decodes its share of the label maps; the counts are exact and do not depend on the
 * number of ranks. Collective. STATUS_DATA where a label map is damaged. out is destroyed by the
 * caller, whatever is returned. */
status dataset_summary_create(dataset_summary *out, const stage *t);
/* NULL-safe members. */
void dataset_summary_destroy(dataset_summary *s);

#endif
