/* The sections of the page, each in a file of its own name or of its neighbour's. What there is no
 * data for is left out: a section that appends nothing has no heading either (page.c). A failure is
 * kept in the html. Not collective. */
#ifndef AUXSEG_IO_PAGE_PAGE_SECTIONS_H
#define AUXSEG_IO_PAGE_PAGE_SECTIONS_H

#include "io/page/html.h"
#include "io/page/page.h"

void page_results(html *h, const page_data *d);     /* headline, figures per class, confusion */
void page_confusions(html *h, const page_data *d);  /* a part of the results */
void page_dataset(html *h, const page_data *d);     /* splits, classes and their pixels */
void page_quality(html *h, const page_data *d);     /* scores beside chance, tables */
void page_overlays(html *h, const page_data *d);    /* auxiliary labels on images */
void page_clusters(html *h, const page_data *d);    /* typical patches of each cluster */
void page_predictions(html *h, const page_data *d); /* predictions on images */
void page_curves(html *h, const page_data *d);      /* metrics.csv */
void page_stages(html *h, const page_data *d);      /* time of each stage, its phases */
void page_settings(html *h, const page_data *d);    /* those that differ, all of them */
void page_machine(html *h, const page_data *d);     /* machine, libraries, hashes of results */

/* The colour of class y in pictures: [3]. */
const uint8_t *page_colour(const page_data *d, int y);

extern const char page_style[];

#endif
