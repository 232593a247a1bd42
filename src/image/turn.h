/* The eight ways in which a picture can lie. Not collective. */
#ifndef AUXSEG_IMAGE_TURN_H
#define AUXSEG_IMAGE_TURN_H

#include "src/image/image.h"

#include <stdbool.h>

/* An orientation as EXIF numbers it: what must be done to the stored picture so that it stands
 * upright. 1 nothing, 2 mirror left and right, 3 turn by 180 degrees, 4 mirror top and bottom, 5
 * swap rows and columns, 6 turn clockwise by 90 degrees, 7 swap rows and columns and turn by 180, 8
 * turn anticlockwise by 90. */
enum { ORIENTATION_UPRIGHT = 1, ORIENTATIONS = 8 };

/* Whether height and width change places. */
bool orientation_swaps(int orientation);
/* Stands m upright, in new memory: on failure m is as it was. */
status image_turn(image *m, int orientation);
status labelmap_turn(labelmap *m, int orientation);

#endif
