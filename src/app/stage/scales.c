/* The one reading of a list of scales, for evaluation and extraction alike. settings_check has seen
 * to its form: what is no number is taken for the end of the list. */
#include "src/app/stage/scales.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

bool scales_next(const char **list, double *scale) {
    if (!*list) return false;
    char *end;
    *scale = strtod(*list, &end);
    if (end == *list) *scale = 1;
    end += strspn(end, " ,");
    *list = *end && end != *list ? end : NULL;
    return true;
}

int scales_count(const char *list, double *largest) {
    int count = 0;
    *largest = 0;
    for (double s; scales_next(&list, &s); count++)
        if (s > *largest) *largest = s;
    return count;
}

void scales_size(int height, int width, double scale, int *scaled_height, int *scaled_width) {
    *scaled_height = (int)fmax(1, floor(height * scale + 0.5));
    *scaled_width = (int)fmax(1, floor(width * scale + 0.5));
}
