/* How a camera was held, as it writes it into a picture's EXIF data. Not collective; on any bytes.
 */
#ifndef AUXSEG_IO_CODECS_EXIF_H
#define AUXSEG_IO_CODECS_EXIF_H

#include <stddef.h>

/* 1 to 8 (src/image/turn.h) of the EXIF data that begin with a TIFF header, before which the text
 * "Exif" and two zeros may stand. 1 where there is none, or what is no orientation. */
int exif_orientation(const void *bytes, size_t size);
/* The same of a JPEG file, or of its beginning: of the first EXIF segment before the picture. */
int exif_orientation_of_jpeg(const void *bytes, size_t size);

#endif
