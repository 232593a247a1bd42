/* Turning and mirroring by whole quarters: pixels change places and nothing else, so that an image
 * and its label map that are turned alike stay together exactly. */
#include "src/image/turn.h"

#include <stddef.h>
#include <string.h>

bool orientation_swaps(int orientation) {
    return orientation >= 5 && orientation <= ORIENTATIONS;
}

/* Where in the stored picture the upright one's first pixel lies, and how far from it the next one
 * of a row and of a column. In pixels. */
typedef struct walk {
    ptrdiff_t first, along, down;
} walk;

static walk walk_of(int orientation, int height, int width) {
    ptrdiff_t h = height, w = width;
    switch (orientation) {
    case 2:
        return (walk){w - 1, -1, w};
    case 3:
        return (walk){h * w - 1, -1, -w};
    case 4:
        return (walk){(h - 1) * w, 1, -w};
    case 5:
        return (walk){0, w, 1};
    case 6:
        return (walk){(h - 1) * w, -w, 1};
    case 7:
        return (walk){h * w - 1, -w, -1};
    case 8:
        return (walk){w - 1, w, -1};
    default:
        return (walk){0, 1, w};
    }
}

/* The upright picture's rows are written in order; what is read jumps. */
status image_turn(image *m, int orientation) {
    image out;
    bool swaps = orientation_swaps(orientation);
    walk k = walk_of(orientation, m->height, m->width);
    if (orientation == ORIENTATION_UPRIGHT) return STATUS_OK;
    status st = image_create(&out, swaps ? m->width : m->height, swaps ? m->height : m->width);
    if (st != STATUS_OK) return st;
    uint8_t *to = out.data;
    for (int y = 0; y < out.height; y++)
        for (int x = 0; x < out.width; x++, to += 3)
            memcpy(to, m->data + 3 * (k.first + y * k.down + x * k.along), 3);
    image_destroy(m);
    *m = out;
    return STATUS_OK;
}

status labelmap_turn(labelmap *m, int orientation) {
    labelmap out;
    bool swaps = orientation_swaps(orientation);
    walk k = walk_of(orientation, m->height, m->width);
    if (orientation == ORIENTATION_UPRIGHT) return STATUS_OK;
    status st = labelmap_create(&out, swaps ? m->width : m->height, swaps ? m->height : m->width);
    if (st != STATUS_OK) return st;
    uint16_t *to = out.data;
    for (int y = 0; y < out.height; y++)
        for (int x = 0; x < out.width; x++) *to++ = m->data[k.first + y * k.down + x * k.along];
    labelmap_destroy(m);
    *m = out;
    return STATUS_OK;
}
