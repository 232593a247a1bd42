/* compare.html: one self-contained page about runs side by side. As report.html (page.h) it loads
 * nothing and runs nothing; its links lead to the runs' own pages, by relative addresses. Every
 * text is escaped. Not collective: one rank calls. The page depends on the data alone. */
#ifndef AUXSEG_IO_PAGE_COMPARE_PAGE_H
#define AUXSEG_IO_PAGE_COMPARE_PAGE_H

#include "io/page/page_strip.h"
#include "io/page/plot.h"
#include "src/base/status.h"

/* One run of a cell. */
typedef struct compare_page_run {
    const char *name;    /* "seed 1" */
    const char *address; /* of its report, relative to the page's folder; NULL: none */
    const char *failure; /* why it has no result; NULL: it has one */
} compare_page_run;

/* What is compared: the same settings, once a seed. Figures NAN: there is none. */
typedef struct compare_page_cell {
    const char *name, *about;    /* about: a sentence; NULL, "": nothing */
    const char *settings;        /* what differs from the configuration; NULL, "": nothing */
    const char *reference;       /* the cell that it is compared with; NULL: none */
    bool referred;               /* others are compared with it */
    double miou, deviation;      /* over its seeds, of a hundred */
    int results;                 /* seeds that have a result */
    plot_value gain;             /* paired with the reference's, in points of a hundred */
    const double *point;         /* [runs]: the gain of each seed */
    double score;                /* of the auxiliary labels, of a hundred */
    double seconds;              /* that a run takes */
    double contrastive_images;   /* that pretraining shows */
    double finetune_images;      /* and fine-tuning */
    const compare_page_run *run; /* [runs] */
    int runs;
} compare_page_cell;

/* How a figure of the score goes with the result, over cells. */
typedef struct compare_page_correlation {
    const char *name;
    double rho, low, high; /* Spearman's; low, high NAN: no interval */
    int cells;
} compare_page_correlation;

/* mIoU over a setting, and a line about it. */
typedef struct compare_page_lines {
    plot_lines plot;
    const char *note;
} compare_page_lines;

/* All borrowed; what is NULL or empty is left out. */
typedef struct compare_page {
    const char *title;
    const char *about; /* what is compared with what */
    const char *score; /* which of its figures is shown */
    const compare_page_cell *cell;
    int cells;
    const plot_scatter *scatter; /* score against mIoU */
    const char *scatter_note;    /* with the rank correlation of what is drawn */
    const compare_page_correlation *correlation;
    int correlations;
    const compare_page_lines *lines; /* over the settings that vary */
    int line_plots;
    const page_strip *strip; /* labellings of the same image by each cell */
    int strips;
    const char *strip_note;
    const char *command; /* that makes the page again */
    const char *command_note;
} compare_page;

/* Writes `path` atomically. STATUS_OUTPUT, with a message, if it cannot be written; on failure an
 * older page stays. */
status compare_page_write(const char *path, const compare_page *d);

#endif
