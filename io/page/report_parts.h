/* The sections of the report, in the order of the page; what there is no data for is left out.
 * Not collective. */
#ifndef AUXSEG_IO_PAGE_REPORT_PARTS_H
#define AUXSEG_IO_PAGE_REPORT_PARTS_H

#include "io/page/html.h"
#include "io/page/report.h"

/* Opens a section with its heading; close with "</section>". Texts are our own. */
void report_section(html *h, const char *id, const char *heading, const char *note);
/* A number as its kind is shown. */
void report_number(html *h, report_kind kind, double value);

void report_results(html *h, const report_data *d); /* headline and IoU per class */
void report_quality(html *h, const report_data *d); /* scores beside chance, tables */
/* An <img> of an encoded picture; its text is escaped. */
void report_image(html *h, const report_picture *p, const char *text);
void report_overlays(html *h, const report_data *d);    /* auxiliary labels on images */
void report_clusters(html *h, const report_data *d);    /* typical patches of each cluster */
void report_predictions(html *h, const report_data *d); /* predictions on images */
void report_stages(html *h, const report_data *d);      /* time of each stage, its phases */
void report_facts(html *h, const report_data *d);       /* settings, machine, hashes */
/* Curves of metrics.csv; STATUS_OUTPUT or STATUS_DATA if it cannot be read. */
status report_curves(html *h, const report_data *d);

extern const char report_style[];

#endif
