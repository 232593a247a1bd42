/* The PNG half of image_file.h. Not collective. */
#ifndef AUXSEG_IO_CODECS_PNG_FILE_H
#define AUXSEG_IO_CODECS_PNG_FILE_H

#include "io/codecs/image_file.h"

int png_file_is(const void *bytes, size_t size);
status png_file_header(const void *bytes, size_t size, const char *name, image_header *out);
status png_file_decode(const void *bytes, size_t size, const char *name, image *out);
/* Decodes the whole picture and keeps nothing of it but *h. */
status png_file_try(const void *bytes, size_t size, const char *name, image_header *h);
/* Of a grey or palette PNG: image_file_check_labels refuses others. */
status png_file_labels(const void *bytes, size_t size, const char *name, labelmap *out);
status png_file_palette(
    const void *bytes, size_t size, const char *name, palette out, int *colours);

#endif
