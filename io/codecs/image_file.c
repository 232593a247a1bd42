/* Finds the format of an image, and refuses by the header what must not, or cannot, be decoded. */
#include "io/codecs/image_file.h"

#include "io/codecs/jpeg_file.h"
#include "io/codecs/png_file.h"
#include "src/base/log.h"

#include <limits.h>
#include <string.h>

static status unknown(const char *name) {
    if (name) log_error("%s: neither JPEG nor PNG", name);
    return STATUS_DATA;
}

/* Only the first bytes tell the formats apart: names of files are often wrong, and blobs of a
 * packed data set have none. */
status image_file_header(const void *bytes, size_t size, const char *name, image_header *out) {
    if (jpeg_file_is(bytes, size)) return jpeg_file_header(bytes, size, name, out);
    if (png_file_is(bytes, size)) return png_file_header(bytes, size, name, out);
    return unknown(name);
}

/* Before any memory is taken: a file of a few bytes may claim billions of pixels. */
static status check_pixels(const image_header *h, const char *name, int64_t max_pixels) {
    if (h->height > 0 && h->width > 0 && (int64_t)h->height * h->width <= max_pixels)
        return STATUS_OK;
    log_error("%s: %d x %d pixels, more than the limit of %g megapixels "
              "(dataset.max_megapixels)",
        name, h->width, h->height, (double)max_pixels / 1e6);
    return STATUS_DATA;
}

/* The library would refuse these colours, too, but only once memory for the picture has been taken,
 * and in words that name no file. */
status image_file_check(const image_header *h, const char *name, int64_t max_pixels) {
    status st = check_pixels(h, name, max_pixels);
    if (st != STATUS_OK || h->decodes) return st;
    log_error("%s: a %s of %d bits and %s colours is not read: convert it to RGB or grey of 8 bits",
        name, h->format, h->bits, h->colour);
    return STATUS_DATA;
}

/* JPEG changes ids, and colours are none. */
status image_file_check_labels(const image_header *h, const char *name, int64_t max_pixels) {
    status st = check_pixels(h, name, max_pixels);
    bool png = strcmp(h->format, "png") == 0;
    if (st != STATUS_OK || (png && h->channels == 1)) return st;
    if (png)
        log_error("%s: a label map is a grey or palette PNG, this one has %d channels: if its "
                  "colours are the labels, dataset.colours says which",
            name, h->channels);
    else
        log_error("%s: a label map is a PNG: JPEG changes the ids", name);
    return STATUS_DATA;
}

/* A JPEG ends with its marker, a PNG with an empty chunk of a known checksum. Both are at the very
 * end of nearly every file that was written whole. */
bool image_file_ends(const image_header *h, const void *last, size_t n) {
    static const unsigned char jpeg[] = {0xFF, 0xD9}; /* the marker EOI */
    static const unsigned char png[] = {0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xAE, 0x42, 0x60, 0x82};
    bool is_png = strcmp(h->format, "png") == 0;
    size_t want = is_png ? sizeof png : sizeof jpeg;
    return n >= want && memcmp((const char *)last + n - want, is_png ? png : jpeg, want) == 0;
}

/* From the header, before a decoder allocates anything. */
static status header_of_allowed(
    const void *bytes, size_t size, const char *name, int64_t max_pixels, image_header *h) {
    status st = image_file_header(bytes, size, name, h);
    return st == STATUS_OK ? image_file_check(h, name, max_pixels) : st;
}

const char *image_warning_text(image_warning kind) {
    static const char *const text[IMAGE_WARNINGS] = {[IMAGE_WARNING_JFIF] = "unknown JFIF revision",
        [IMAGE_WARNING_SCAN] = "scan parameters that a sequential JPEG does not have",
        [IMAGE_WARNING_EXTRANEOUS] = "extraneous bytes between segments",
        [IMAGE_WARNING_ADOBE] = "unknown Adobe colour transform, taken as YCbCr",
        [IMAGE_WARNING_PROFILE] = "damaged colour profile"};
    return text[kind];
}

status image_file_try(
    const void *bytes, size_t size, const char *name, int64_t max_pixels, image_header *h) {
    status st = header_of_allowed(bytes, size, name, max_pixels, h);
    if (st != STATUS_OK) return st;
    return jpeg_file_is(bytes, size) ? jpeg_file_try(bytes, size, name, h)
                                     : png_file_try(bytes, size, name, h);
}

status image_file_decode(
    const void *bytes, size_t size, const char *name, int64_t max_pixels, image *out) {
    return image_file_decode_reduced(bytes, size, name, max_pixels, INT_MAX, INT_MAX, out);
}

/* The largest divisor of a JPEG that leaves enough of both sides. */
static int divisor_of(const image_header *h, int height, int width) {
    int divisor = 8;
    while (divisor > 1 && (jpeg_file_reduced(h->height, divisor) < height ||
                              jpeg_file_reduced(h->width, divisor) < width))
        divisor /= 2;
    return divisor;
}

/* PNG has no reduction: it comes whole, and the caller resizes it. */
status image_file_decode_reduced(const void *bytes, size_t size, const char *name,
    int64_t max_pixels, int height, int width, image *out) {
    image_header h;
    status st = header_of_allowed(bytes, size, name, max_pixels, &h);
    if (st != STATUS_OK) return st;
    return jpeg_file_is(bytes, size)
               ? jpeg_file_decode(bytes, size, name, divisor_of(&h, height, width), out)
               : png_file_decode(bytes, size, name, out);
}

/* Checked as label maps before anything is decoded: colours that were taken for ids would give a
 * labelling that looks like one and means nothing. */
status image_file_labels(
    const void *bytes, size_t size, const char *name, int64_t max_pixels, labelmap *out) {
    image_header h;
    status st = image_file_header(bytes, size, name, &h);
    if (st == STATUS_OK) st = image_file_check_labels(&h, name, max_pixels);
    return st == STATUS_OK ? png_file_labels(bytes, size, name, out) : st;
}

status image_file_palette(
    const void *bytes, size_t size, const char *name, palette out, int *colours) {
    *colours = 0;
    return png_file_is(bytes, size) ? png_file_palette(bytes, size, name, out, colours) : STATUS_OK;
}
