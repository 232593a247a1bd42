/* The pictures of pages, one by one: what an overlay looks like is decided here, so that those of a
 * run's report and of a comparison can be laid side by side. */
#include "src/app/report/drawing.h"

#include "io/codecs/image_file.h"
#include "src/base/memory.h"
#include "src/image/palette.h"

#include <string.h>

enum { QUALITY = 88 /* of a JPEG */ };
static const double opacity = 0.6; /* of a label's colour */

status drawing_image(const image *m, const char *caption, page_picture *out) {
    void *jpeg = NULL;
    size_t bytes;
    status st = image_file_encode_jpeg(m, QUALITY, &jpeg, &bytes);
    if (st == STATUS_OK) *out = (page_picture){jpeg, bytes, caption};
    return st;
}

status drawing_overlay(const image *rgb, const labelmap *map, const uint8_t (*colour)[3],
    const char *caption, page_picture *out) {
    image mixed = {0};
    status st = palette_overlay(rgb, map, colour, opacity, &mixed);
    if (st == STATUS_OK) st = drawing_image(&mixed, caption, out);
    image_destroy(&mixed);
    return st;
}

/* A page borrows pictures as const; here they are owned. Copying the pointer's bytes takes the
 * const away without a cast that the compiler warns of. */
void drawing_free(page_picture *p) {
    void *bytes;
    memcpy(&bytes, &p->data, sizeof bytes);
    memory_free(bytes);
    *p = (page_picture){0};
}

status drawing_shrink(image *m, int longer) {
    int side = m->height > m->width ? m->height : m->width;
    image small = {0};
    if (side <= longer) return STATUS_OK;
    int height = m->height * longer / side, width = m->width * longer / side;
    status st = image_resize(m, height > 0 ? height : 1, width > 0 ? width : 1, &small);
    if (st != STATUS_OK) return st;
    image_destroy(m);
    *m = small;
    return STATUS_OK;
}

bool drawing_classes(labelmap *map, const int *majority) {
    bool known = false;
    for (size_t i = 0, n = (size_t)map->height * (size_t)map->width; i < n; i++) {
        if (map->data[i] == LABEL_IGNORE) continue;
        int class = majority[map->data[i]];
        map->data[i] = class < 0 ? LABEL_IGNORE : (uint16_t) class;
        known = known || class >= 0;
    }
    return known;
}
