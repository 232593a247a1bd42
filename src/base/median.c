/* What is measured is told by its median: one window that the system disturbed does not count. */
#include "src/base/median.h"

#include <stdlib.h>

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double median_sort(double *value, int n) {
    qsort(value, (size_t)n, sizeof *value, by_value);
    return (value[(n - 1) / 2] + value[n / 2]) / 2;
}
