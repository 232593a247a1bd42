/* Runs side by side: what each came to, and each cell beside the one that it is compared with. Not
 * collective: rank 0 reads. compare.csv, the table and the page are made of it. Everything but
 * seconds depends on the runs' results alone. */
#ifndef AUXSEG_APP_COMPARE_RESULTS_H
#define AUXSEG_APP_COMPARE_RESULTS_H

#include "src/app/compare/interval.h"
#include "src/app/compare/rank_correlation.h"
#include "src/base/settings.h"

enum {
    COMPARE_SCORES = 7,
    COMPARE_UNFINISHED = -1,
    COMPARE_CELLS_FROM = 3, /* from which on a rank correlation, or a line, says something */
};
/* Names of the score's figures, as in run.json: "positive" ... */
extern const char *const compare_score_names[COMPARE_SCORES];

/* One run: a cell with one seed. Figures are those of the last round, NAN where there are none. */
typedef struct compare_run {
    int64_t seed;
    char *folder; /* with report.html, if the run went so far */
    int code;     /* STATUS_OK; why it failed; COMPARE_UNFINISHED: not begun, or interrupted */
    double miou, macc, aacc;
    double baseline; /* mIoU of the run's own baseline */
    double gain;     /* mIoU less that of the reference cell with the same seed */
    double score[COMPARE_SCORES];
    double seconds[STAGE_COUNT]; /* of a stage, all rounds, in the start that did it; NAN: none */
    /* Of all that the result rests on: without the baseline, unless it is the result. */
    double seconds_in_all, contrastive_images, finetune_images;
    char weights[17]; /* hash of the weights that were evaluated; "" */
    char **value;     /* [varying] */
} compare_run;

typedef struct compare_cell {
    char *name, *about;
    char *settings; /* "pretrain.steps=10, cluster.k=5": what makes it differ; "" */
    char *group;    /* "": none */
    bool best;      /* of its group: the highest mean of those with most results */
    int reference;  /* index of the cell that it is compared with; -1: none */
    bool referred;  /* another cell is compared with it */
    compare_run *run;
    int runs;
    interval miou, gain; /* over seeds; gain: of pairs of the same seed */
    double score[COMPARE_SCORES], seconds, contrastive_images, finetune_images; /* means */
} compare_cell;

typedef struct compare_results {
    char *name, *about, *folder; /* folder: of compare.csv */
    compare_cell *cell;
    int cells;
    char **key; /* [varying]: settings in which cells differ */
    int varying;
    /* Of each figure of the score with mIoU: means of cells. */
    rank_correlation predicts[COMPARE_SCORES];
    int64_t images, images_off; /* that every cell was to see, within so many; 0: as it is set */
} compare_results;

/* Reads run.json of every run whose folder, seed and code are set, and reckons what follows. */
status compare_results_fill(compare_results *r);
/* Finished runs: those whose settings differ in the seed alone are a cell. STATUS_DATA where a
 * folder is none of a run, STATUS_USAGE where one is given twice; runs of one cell and seed, and
 * those that have no result yet, are warned of. out is destroyed by the caller, whatever is
 * returned. */
status compare_results_of(compare_results *out, char **folder, int folders);
void compare_results_destroy(compare_results *r);

#endif
