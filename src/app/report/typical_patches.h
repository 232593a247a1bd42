/* Typical patches of the largest clusters, cut from the images as they are stored. One rank calls.
 */
#ifndef AUXSEG_APP_REPORT_TYPICAL_PATCHES_H
#define AUXSEG_APP_REPORT_TYPICAL_PATCHES_H

#include "io/hdf5/labels.h"
#include "io/page/page.h"
#include "src/app/report/label_quality.h"
#include "src/app/stage/stage.h"

typedef struct typical_text {
    char name[80], note[120];
} typical_text;

typedef struct typical_patches {
    int clusters;
    page_cluster *cluster;        /* [clusters] */
    page_patch (*patch)[TYPICAL]; /* [clusters], JPEG bytes owned */
    typical_text *text;           /* [clusters] */
    char note[512];
} typical_patches;

/* Patches of up to QUALITY_CLUSTERS clusters, the largest first; none where labels.h5 has no
 * typical pixels. q: of the same K. out is destroyed by the caller, whatever is returned. */
status typical_patches_create(
    typical_patches *out, const stage *t, const labels *aux, const label_quality *q);
/* NULL-safe members. */
void typical_patches_destroy(typical_patches *r);

#endif
