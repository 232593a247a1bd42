/* Numbers as text for pages. The same text whatever the locale is: a point before decimals, thin
 * spaces between thousands. Not collective. */
#ifndef AUXSEG_IO_PAGE_NUMBER_H
#define AUXSEG_IO_PAGE_NUMBER_H

#include "io/page/html.h"

enum { NUMBER_TEXT = 400 }; /* the longest double, with its end */

/* How a number is shown; what is not finite is a dash. */
typedef enum number_kind {
    NUMBER_SHARE,   /* in [0, 1], as per cent, one decimal */
    NUMBER_COUNT,   /* integer, thousands set apart */
    NUMBER_SECONDS, /* one decimal; "<0.1" where there is something, but less than is shown */
    NUMBER_PLAIN,   /* four significant digits */
} number_kind;

/* "-12.50": so many decimals; never a negative zero. value is finite. text [NUMBER_TEXT]. */
void number_fixed(char *text, double value, int decimals);
/* The same with four significant digits, no exponent below 10^15. */
void number_significant(char *text, double value);

/* Appended to the page. */
void html_number(html *h, number_kind kind, double value);
/* With its sign, a true minus, and so many decimals; what is rounded to 0 has none. Returns the
 * sign that was shown: -1, 0, 1. */
int html_signed(html *h, double value, int decimals);
/* Of markup: coordinates, widths. */
void html_fixed(html *h, double value, int decimals);

#endif
