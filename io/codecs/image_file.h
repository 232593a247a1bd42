/* JPEG and PNG images and label maps in memory. Not collective; safe on hostile bytes: sizes are
 * checked from the header before anything is allocated, and what a decoder warns of is an error
 * unless it is known to leave every pixel whole.
 * `name` is for messages. STATUS_DATA, with a message, for bytes that are not an image or too
 * large. */
#ifndef AUXSEG_IO_CODECS_IMAGE_FILE_H
#define AUXSEG_IO_CODECS_IMAGE_FILE_H

#include "src/image/image.h"
#include "src/image/palette.h"

#include <stdbool.h>
#include <stddef.h>

/* What a JPEG decoder complains of although every pixel is whole. */
typedef enum image_warning {
    IMAGE_WARNING_JFIF,       /* an unknown revision of JFIF */
    IMAGE_WARNING_SCAN,       /* parameters of a scan that a baseline file does not have */
    IMAGE_WARNING_EXTRANEOUS, /* bytes between segments that belong to none */
    IMAGE_WARNING_ADOBE,      /* an unknown transformation of colours: taken as YCbCr */
    IMAGE_WARNING_PROFILE,    /* a damaged colour profile, which is not used */
    IMAGE_WARNINGS
} image_warning;
/* In words, for messages. */
const char *image_warning_text(image_warning kind);

typedef struct image_header {
    int height, width, channels, bits; /* of the picture as stored */
    int palette;                       /* PNG with a palette */
    const char *format;                /* "jpeg" | "png" */
    const char *colour;                /* "grey", "RGB", "CMYK", ... */
    int decodes;       /* whether RGB is made of it: not of two or five colours, nor of 12 bits */
    int orientation;   /* by EXIF, 1 to 8 (src/image/turn.h); nothing here turns pixels */
    unsigned warnings; /* bits 1 << image_warning, of what has been read */
} image_header;

/* From the header alone, which may be all that there is of the bytes; no limit applied. name NULL:
 * without a message. */
status image_file_header(const void *bytes, size_t size, const char *name, image_header *out);
/* What the functions below refuse by the header. */
status image_file_check(const image_header *h, const char *name, int64_t max_pixels);
status image_file_check_labels(const image_header *h, const char *name, int64_t max_pixels);
/* Whether these last bytes of a file, 16 or all, are the end of its format. Where they are not, it
 * was cut off, or something was appended, which is harmless: decoding tells. */
bool image_file_ends(const image_header *h, const void *last, size_t n);
/* RGB (grey is repeated, alpha dropped, 16 bits reduced, CMYK mixed), as stored: not turned.
 * max_pixels: refuse more. out is created. */
status image_file_decode(
    const void *bytes, size_t size, const char *name, int64_t max_pixels, image *out);
/* Decodes all of it and keeps nothing but *h, in memory of a row (of a progressive JPEG the library
 * holds all coefficients): whether the function above would do it. */
status image_file_try(
    const void *bytes, size_t size, const char *name, int64_t max_pixels, image_header *h);
/* Like image_file_decode, but a JPEG may come at 1/2, 1/4 or 1/8 of its size: at the smallest of
 * them (sides rounded up) that is still at least height x width. It is the decoder's own reduction,
 * of the cosine transform, about as smooth as a mean over the pixels and several times as fast. */
status image_file_decode_reduced(const void *bytes, size_t size, const char *name,
    int64_t max_pixels, int height, int width, image *out);
/* Grey values or palette indices (never RGB) of a PNG, 8 or 16 bits, 1 to 4 expanded to 8. */
status image_file_labels(
    const void *bytes, size_t size, const char *name, int64_t max_pixels, labelmap *out);

/* The palette of a label map's PNG: out [256] is written up to *colours, 0 if it has none. */
status image_file_palette(
    const void *bytes, size_t size, const char *name, palette out, int *colours);

/* PNG of an RGB image, or of a label map with colours [256][3] (255 stands for LABEL_IGNORE): bytes
 * owned by the caller (memory_free). */
status image_file_encode(const image *m, void **bytes, size_t *size);
status image_file_encode_labels(
    const labelmap *m, const uint8_t (*colours)[3], void **bytes, size_t *size);
/* JPEG, quality 1 to 100, from 95 on with as many colours as pixels: much smaller, not exact. Owned
 * by the caller (memory_free). */
status image_file_encode_jpeg(const image *m, int quality, void **bytes, size_t *size);

#endif
