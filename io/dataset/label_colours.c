/* Colours are looked up by binary search, once for each run of equal pixels: label maps are areas,
 * so that nearly every pixel is its neighbour's. */
#include "io/dataset/label_colours.h"

#include "src/base/log.h"
#include "src/base/memory.h"

#include <stdlib.h>
#include <string.h>

static uint32_t colour_of(const uint8_t *rgb) {
    return (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

status label_colours_create(label_colours *out, const uint8_t (*rgb)[3], int count, int *again) {
    label_colours c = {.count = count};
    size_t n = (size_t)count;
    *again = -1;
    c.rgb = memory_alloc(n, sizeof *c.rgb, "colours of labels");
    c.sorted = memory_alloc(n, sizeof *c.sorted, "colours of labels");
    if (!c.rgb || !c.sorted) {
        label_colours_destroy(&c);
        return STATUS_FAILED;
    }
    if (n > 0) memcpy(c.rgb, rgb, n * sizeof *rgb);
    for (size_t i = 0; i < n; i++) c.sorted[i] = (uint64_t)colour_of(rgb[i]) << 16 | i;
    if (n > 0) qsort(c.sorted, n, sizeof *c.sorted, compare);
    for (size_t i = 1; i < n; i++)
        if (c.sorted[i - 1] >> 16 == c.sorted[i] >> 16) *again = (int)(c.sorted[i] & 65535);
    *out = c;
    return STATUS_OK;
}

void label_colours_destroy(label_colours *c) {
    memory_free(c->rgb);
    memory_free(c->sorted);
    *c = (label_colours){0};
}

static uint16_t find(const label_colours *c, uint32_t colour) {
    int low = 0, high = c->count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (c->sorted[middle] >> 16 < colour)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < c->count && c->sorted[low] >> 16 == colour;
    return found ? (uint16_t)(c->sorted[low] & 65535) : LABEL_UNKNOWN;
}

/* The picture is there for a moment only, beside its ids. */
static status decode_colours(const label_colours *c, const void *bytes, size_t size,
    const char *name, int64_t max_pixels, labelmap *out) {
    image rgb = {0};
    labelmap map = {0};
    status st = image_file_decode(bytes, size, name, max_pixels, &rgb);
    if (st == STATUS_OK) st = labelmap_create(&map, rgb.height, rgb.width);
    size_t n = st == STATUS_OK ? (size_t)rgb.height * (size_t)rgb.width : 0;
    uint16_t id = LABEL_UNKNOWN;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *pixel = rgb.data + 3 * i;
        if (i == 0 || memcmp(pixel, pixel - 3, 3) != 0) id = find(c, colour_of(pixel));
        map.data[i] = id;
    }
    image_destroy(&rgb);
    if (st == STATUS_OK) *out = map;
    return st;
}

status label_colours_decode(const label_colours *c, const void *bytes, size_t size,
    const char *name, int64_t max_pixels, labelmap *out) {
    image_header h;
    if (c->count == 0) return image_file_labels(bytes, size, name, max_pixels, out);
    status st = image_file_header(bytes, size, name, &h);
    if (st == STATUS_OK) st = label_colours_check(c, &h, name, max_pixels);
    return st == STATUS_OK ? decode_colours(c, bytes, size, name, max_pixels, out) : st;
}

status label_colours_check(
    const label_colours *c, const image_header *h, const char *name, int64_t max_pixels) {
    if (c->count == 0) return image_file_check_labels(h, name, max_pixels);
    status st = image_file_check(h, name, max_pixels);
    if (st != STATUS_OK || strcmp(h->format, "png") == 0) return st;
    log_error("%s: a label map is a PNG: JPEG changes the colours", name);
    return STATUS_DATA;
}
