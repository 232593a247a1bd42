/* Pictures of tens of megapixels, of which a network sees a fraction: reduced once, when they are
 * packed, instead of at each reading. As dataset.scale reduces: the decoder's own reduction to no
 * less than the size that is wanted, then a mean over the pixels that each new one covers. What
 * was compressed with losses is so again, with few; what was not stays exact. */
#include "io/dataset/reduce.h"

#include "src/image/turn.h"

#include <string.h>

enum { QUALITY = 95 };

/* Of the shorter side, in whole numbers: half rounds up. */
static int share(int side, int longer, int max_side) {
    int64_t rounded = (2 * (int64_t)side * max_side + longer) / (2 * (int64_t)longer);
    return rounded < 1 ? 1 : (int)rounded;
}

bool reduce_shape(int *height, int *width, int max_side) {
    int longer = *height > *width ? *height : *width;
    if (max_side <= 0 || longer <= max_side) return false;
    *height = share(*height, longer, max_side);
    *width = share(*width, longer, max_side);
    return true;
}

status reduce_image(const void *bytes, size_t size, const char *name, const image_header *h,
    int max_side, void **out, size_t *out_size) {
    bool swaps = orientation_swaps(h->orientation);
    int height = swaps ? h->width : h->height, width = swaps ? h->height : h->width;
    image full = {0}, small = {0};
    reduce_shape(&height, &width, max_side);
    status st = image_file_decode_reduced(bytes, size, name, (int64_t)h->height * h->width,
        swaps ? width : height, swaps ? height : width, &full);
    if (st == STATUS_OK) st = image_turn(&full, h->orientation);
    if (st == STATUS_OK) st = image_resize(&full, height, width, &small);
    image_destroy(&full);
    if (st != STATUS_OK) return st;
    st = strcmp(h->format, "jpeg") == 0 ? image_file_encode_jpeg(&small, QUALITY, out, out_size)
                                        : image_file_encode(&small, out, out_size);
    image_destroy(&small);
    return st;
}
