/* Features averaged over views of an image: other sizes of it, and their mirror images
 * (extract.scales, extract.flip), as segmentation networks are tested. */
#ifndef AUXSEG_APP_FEATURES_EXTRACT_VIEWS_H
#define AUXSEG_APP_FEATURES_EXTRACT_VIEWS_H

#include "src/app/stage/inference.h"
#include "src/app/stage/stage.h"

/* Whether the image itself is the only view. */
bool extract_views_plain(const settings *s);

/* The grid of the image itself, which all views' maps are brought to. */
typedef struct view_grid {
    int height, width, d;
} view_grid;
/* mean [count, height, width, D]: of images first .. first + count - 1 of the data set, which have
 * one shape and are no more than the network takes at once. Views are added in a fixed order, scale
 * by scale, each followed by its mirror image; an image's mean depends on it alone. Not collective.
 */
status extract_views_mean(
    const stage *t, inference *net, int first, int count, const view_grid *grid, float *mean);

/* sum [height, width, D] += the map [h, w, D], resized by bilinear interpolation (align_corners =
 * False), mirrored if flip; a map of the grid's own size is added as it is. */
void extract_views_add(
    const float *map, int h, int w, bool flip, const view_grid *grid, float *sum);

#endif
