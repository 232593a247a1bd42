/* How the report draws an image and a label map, encoded for a page. Not collective. */
#ifndef AUXSEG_APP_REPORT_DRAWING_H
#define AUXSEG_APP_REPORT_DRAWING_H

#include "io/page/page_strip.h"
#include "src/base/status.h"
#include "src/image/image.h"

#include <stdbool.h>

/* Encoded as JPEG; *out owns its bytes (drawing_free), caption is borrowed. Set on success alone.
 */
status drawing_image(const image *m, const char *caption, page_picture *out);
/* The label map over the image, drawn at the image's size, whatever its own; colour [256]. */
status drawing_overlay(const image *rgb, const labelmap *map, const uint8_t (*colour)[3],
    const char *caption, page_picture *out);
/* NULL-safe members. */
void drawing_free(page_picture *p);
/* In place: no larger than `longer` on its longer side; what a page weighs does not grow with the
 * images. */
status drawing_shrink(image *m, int longer);
/* In place: clusters become their commonest class. majority [K]: -1 where it is not known; such
 * pixels have no class. Returns whether any has one. */
bool drawing_classes(labelmap *map, const int *majority);

#endif
