/* A table of label colours that a user wrote, or that came with a data set. Not collective. */
#ifndef AUXSEG_IO_DATASET_COLOUR_FILE_H
#define AUXSEG_IO_DATASET_COLOUR_FILE_H

#include "src/base/status.h"

#include <stdint.h>

enum { COLOUR_NAME = 64 };

typedef struct colour_row {
    uint8_t rgb[3];
    char name[COLOUR_NAME]; /* "": none */
} colour_row;

typedef struct colour_file {
    colour_row *row; /* [rows], owned */
    int rows;
} colour_file;

/* Lines "R G B NAME" or "NAME R G B", apart by blanks, tabs or commas; a name may hold blanks, or
 * be missing. A first line without three numbers is a heading; # begins a comment. STATUS_USAGE
 * with file and line for any other line, for a number over 255 and for more than LABEL_COLOURS_MOST
 * rows; STATUS_DATA for a file that cannot be read. */
status colour_file_read(const char *path, colour_file *out);
void colour_file_destroy(colour_file *f);

/* Whether a colour of this name is none of the classes: void, ignore, unlabeled, unlabelled. */
int colour_file_is_void(const char *name);

#endif
