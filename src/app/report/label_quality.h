/* Tables of label quality for the report, from run.json. Not collective. */
#ifndef AUXSEG_APP_REPORT_LABEL_QUALITY_H
#define AUXSEG_APP_REPORT_LABEL_QUALITY_H

#include "io/page/page.h"
#include "src/app/clusters/score_record.h"
#include "src/app/stage/stage.h"

enum {
    QUALITY_SCORES = 8,
    QUALITY_CLUSTERS = 50 /* most clusters that the report shows */
};

/* What is known of one cluster, at full resolution; NAN: nothing. */
typedef struct cluster_quality {
    int label;
    double share, precision, chance, purity;
    const char *majority; /* name of its commonest class, NULL: none; borrowed */
} cluster_quality;

typedef struct label_quality {
    page_score score[SCORE_RESOLUTIONS * QUALITY_SCORES];
    char title[SCORE_RESOLUTIONS][48];
    page_table table[2]; /* classes, clusters: most frequent first */
    int scores, tables;
    int k;
    cluster_quality *cluster; /* [K], by label */
    int *majority;            /* [K], class or -1 */
    /* What the tables show, owned. */
    const char **class_name, **cluster_name, **cluster_class;
    char (*cluster_text)[16];
    char cluster_note[400];
    double *class_value, *cluster_value;
} label_quality;

/* Scores of a round with K clusters; without any in run.json no scores and no tables. out is
 * destroyed by the caller, whatever is returned. */
status label_quality_create(label_quality *out, const stage *t, int round, int k);
/* NULL-safe members. */
void label_quality_destroy(label_quality *q);

#endif
