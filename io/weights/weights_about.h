/* What a file of weights says of the network that it is for, before that is made: names tell the
 * stem, the rule of names how images are given, and files of this program carry both. */
#ifndef AUXSEG_IO_WEIGHTS_WEIGHTS_ABOUT_H
#define AUXSEG_IO_WEIGHTS_WEIGHTS_ABOUT_H

#include "mpi/comm.h"
#include "src/image/input.h"

#include <stdbool.h>

/* Keys of the metadata in which files of this program carry it. */
#define WEIGHTS_INPUT "input"      /* image_input_text */
#define WEIGHTS_STRIDE "stride_in" /* "3x3" or "1x1" */

typedef struct weights_about {
    image_input input;
    bool deep_stem, stride_first; /* src/model/resnet.h */
    bool carried;                 /* input is the file's own word, not the rule's */
    char rule[32];                /* of names */
} weights_about;

/* Collective: rank 0 looks at the header, everyone gets it. No tensor is read. */
status weights_about_read(const comm *c, const char *path, weights_about *out);

/* Whether a file can be one of weights, by its header and its size alone, before anything reads it
 * whole: STATUS_DATA, with a message, for what is none, damaged, or larger than any network. Not
 * collective. */
status weights_look(const char *path);

#endif
