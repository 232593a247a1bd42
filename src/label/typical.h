/* The most typical pixels of each cluster: those nearest to its centroid, each from an image of its
 * own. Local selection; mpi/typical.h does it over all ranks. Not collective. */
#ifndef AUXSEG_LABEL_TYPICAL_H
#define AUXSEG_LABEL_TYPICAL_H

#include "src/base/status.h"

#include <stddef.h>
#include <stdint.h>

enum { TYPICAL = 8 }; /* P: pixels a cluster */

/* Ordered by (distance, image, pixel), so that selections merge in any order to the same. Without
 * padding: its bytes can be hashed and sent. */
typedef struct typical_pixel {
    float distance; /* squared, to the centroid; infinity: none */
    uint32_t image; /* index over all ranks; UINT32_MAX: none */
    uint32_t pixel; /* of its label map, row by row; UINT32_MAX: none */
} typical_pixel;

/* Whether there is a pixel. */
int typical_is(const typical_pixel *p);
/* list [K, P] of no pixels yet. */
void typical_clear(typical_pixel *list, int k);
/* Adds the pixels of one image, which is in no list yet: label [n] in [0, K) or LABEL_NONE,
 * distance [n] finite. first [K] is scratch: zeros before and after. */
void typical_add(typical_pixel *list, uint32_t image, const uint16_t *label, const float *distance,
    size_t n, uint32_t *first);
/* Of two selections [K, P] from different images, the nearest P a cluster: into `into`. */
void typical_merge(const typical_pixel *from, typical_pixel *into, int k);

#endif
