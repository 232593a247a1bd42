/* Which file is an image's: for extract_maps.c alone. Not collective. */
#ifndef AUXSEG_APP_FEATURES_EXTRACT_MAP_NAMES_H
#define AUXSEG_APP_FEATURES_EXTRACT_MAP_NAMES_H

#include "src/app/features/extract_maps.h"

typedef struct map_names map_names;
/* images: borrowed. */
status map_names_create(map_names **out, const extract_images *images);
void map_names_destroy(map_names *n);
/* The file of an image: *path, owned by the caller; where it is not there, the one that was looked
 * for first. */
status map_names_find(
    const map_names *n, const char *folder, int64_t image, char **path, bool *there);
/* Warns of .npy files below the folder that are no image's. */
void map_names_surplus(const map_names *n, const char *folder);

#endif
