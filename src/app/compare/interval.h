/* Means of few values with their 95 % intervals. Not collective. Results depend on the arguments
 * alone. */
#ifndef AUXSEG_APP_COMPARE_INTERVAL_H
#define AUXSEG_APP_COMPARE_INTERVAL_H

typedef struct interval {
    int n;            /* values that are finite */
    double mean;      /* NAN: of none */
    double deviation; /* standard, of a sample; NAN below two values */
    double low, high; /* of the mean, by Student's t; NAN below two values */
} interval;

/* Of the finite ones of x [n]. Of differences of pairs it is the paired interval. */
interval interval_of(const double *x, int n);
/* The value that |t| of Student's distribution with `degrees` > 0 of freedom exceeds in one of
 * twenty cases: 12.706, 4.303 ... */
double interval_student(int degrees);

#endif
