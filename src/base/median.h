/* Medians of measured times. Not collective. */
#ifndef AUXSEG_BASE_MEDIAN_H
#define AUXSEG_BASE_MEDIAN_H

/* The median of value [n], n > 0, which is sorted: of an even number the mean of the two in the
 * middle. */
double median_sort(double *value, int n);

#endif
