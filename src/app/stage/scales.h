/* Lists of scales, as settings have them: "0.75, 1, 1.5". Not collective. */
#ifndef AUXSEG_APP_STAGE_SCALES_H
#define AUXSEG_APP_STAGE_SCALES_H

#include <stdbool.h>

/* The next number of *list, which begins as the setting's text and becomes the rest of it; false:
 * there is none. An empty text is one 1. */
bool scales_next(const char **list, double *scale);
/* How many, and the largest of them. */
int scales_count(const char *list, double *largest);
/* The size of an image of height x width at a scale. */
void scales_size(int height, int width, double scale, int *scaled_height, int *scaled_width);

#endif
