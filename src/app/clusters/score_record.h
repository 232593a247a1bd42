/* What a labelling's score is called in run.json, and what is printed of it. Not collective. */
#ifndef AUXSEG_APP_CLUSTERS_SCORE_RECORD_H
#define AUXSEG_APP_CLUSTERS_SCORE_RECORD_H

#include "src/app/stage/stage.h"
#include "src/label/score.h"

/* The two resolutions, each a family of groups in run.json:
 *   STAGE            at feature stride, the truth reduced to the features' grid
 *   STAGE/full       at the images' resolution (after dataset.scale), the labels enlarged to it
 * with the figures of the whole labelling, and below it, by number of the cluster, precision,
 * chance, share, purity, majority (number of a class); by name of the class, class_precision,
 * class_chance, class_share, recall, recall_chance (src/label/score.h). STAGE: "score",
 * "score-2". */
typedef enum score_resolution { SCORE_STRIDE, SCORE_FULL, SCORE_RESOLUTIONS } score_resolution;

enum { SCORE_GROUP = STAGE_NAME + 32 };

/* "score-2/full" + "/recall"; table "": the figures of the whole. name: of the stage.
 * text [SCORE_GROUP]. */
void score_group(char *text, const char *name, score_resolution at, const char *table);

/* Removes what an earlier labelling left, which may have had more clusters. */
void score_forget(stage *t);
/* Prints and records everything of one table. Nothing is recorded where t has no record. */
status score_record(stage *t, score_resolution at, const score_table *table);

#endif
