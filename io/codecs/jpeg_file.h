/* The JPEG half of image_file.h. Not collective. */
#ifndef AUXSEG_IO_CODECS_JPEG_FILE_H
#define AUXSEG_IO_CODECS_JPEG_FILE_H

#include "io/codecs/image_file.h"

int jpeg_file_is(const void *bytes, size_t size);
status jpeg_file_header(const void *bytes, size_t size, const char *name, image_header *out);
/* A side at 1 / divisor, rounded up. */
int jpeg_file_reduced(int size, int divisor);
/* divisor: 1, 2, 4 or 8. */
status jpeg_file_decode(const void *bytes, size_t size, const char *name, int divisor, image *out);
/* Decodes the whole picture and keeps nothing of it but *h, with the warnings. */
status jpeg_file_try(const void *bytes, size_t size, const char *name, image_header *h);

#endif
