/* The sections of the report, in the order of the page; what there is no data for is left out.
 * Not collective. */
#ifndef AUXSEG_IO_PAGE_PAGE_SECTIONS_H
#define AUXSEG_IO_PAGE_PAGE_SECTIONS_H

#include "io/page/html.h"
#include "io/page/page.h"

/* Opens a section with its heading; close with "</section>". Texts are our own. */
void page_section(html *h, const char *id, const char *heading, const char *note);
/* A number as its kind is shown. */
void page_number(html *h, page_kind kind, double value);

void page_results(html *h, const page_data *d); /* headline and IoU per class */
void page_quality(html *h, const page_data *d); /* scores beside chance, tables */
/* An <img> of an encoded picture; its text is escaped. */
void page_image(html *h, const page_picture *p, const char *text);
void page_overlays(html *h, const page_data *d);    /* auxiliary labels on images */
void page_clusters(html *h, const page_data *d);    /* typical patches of each cluster */
void page_predictions(html *h, const page_data *d); /* predictions on images */
void page_stages(html *h, const page_data *d);      /* time of each stage, its phases */
void page_facts(html *h, const page_data *d);       /* settings, machine, hashes */
/* Curves of metrics.csv; STATUS_OUTPUT or STATUS_DATA if it cannot be read. */
status page_curves(html *h, const page_data *d);

extern const char page_style[];

#endif
