/* Typical patches of the largest clusters, cut from the images as they are stored. One rank calls.
 */
#ifndef AUXSEG_APP_REPORT_REPORT_TYPICAL_H
#define AUXSEG_APP_REPORT_REPORT_TYPICAL_H

#include "io/hdf5/labels.h"
#include "io/page/report.h"
#include "src/app/report/report_quality.h"
#include "src/app/stage/stage.h"

typedef struct typical_text {
    char name[80], note[120];
} typical_text;

typedef struct report_typical {
    int clusters;
    report_cluster *cluster;        /* [clusters] */
    report_patch (*patch)[TYPICAL]; /* [clusters], JPEG bytes owned */
    typical_text *text;             /* [clusters] */
    char note[512];
} report_typical;

/* Patches of up to QUALITY_CLUSTERS clusters, the largest first; none where labels.h5 has no
 * typical pixels. q: of the same K. out is destroyed by the caller, whatever is returned. */
status report_typical_create(
    report_typical *out, const stage *t, const labels *aux, const quality *q);
/* NULL-safe members. */
void report_typical_destroy(report_typical *r);

#endif
