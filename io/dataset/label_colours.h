/* Label maps as they lie in a file become ids: grey values and palette indices as they are, colours
 * by a table. Not collective; thread-safe. */
#ifndef AUXSEG_IO_DATASET_LABEL_COLOURS_H
#define AUXSEG_IO_DATASET_LABEL_COLOURS_H

#include "io/codecs/image_file.h"

#include <stddef.h>
#include <stdint.h>

/* LABEL_UNKNOWN: the id of a colour that is not in the table, which is never a class. */
enum { LABEL_COLOURS_MOST = 4096, LABEL_UNKNOWN = 65535 };

typedef struct label_colours {
    int count;         /* 0: label maps hold ids */
    uint8_t (*rgb)[3]; /* [count]; the id of a colour is its row; owned */
    uint64_t *sorted;  /* [count], colour * 65536 + id; owned */
} label_colours;

/* Copies rgb [count]. *again: the row of a colour that stands there twice, or -1. */
status label_colours_create(label_colours *out, const uint8_t (*rgb)[3], int count, int *again);
void label_colours_destroy(label_colours *c);

/* The ids of a label map's PNG. With colours every kind of PNG is read as the colours that it
 * shows, its palette's, too; alpha is dropped, 16 bits are reduced to 8. */
status label_colours_decode(const label_colours *c, const void *bytes, size_t size,
    const char *name, int64_t max_pixels, labelmap *out);
/* What it refuses by the header. */
status label_colours_check(
    const label_colours *c, const image_header *h, const char *name, int64_t max_pixels);

#endif
