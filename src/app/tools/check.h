/* The parts of `auxseg check`. Not collective, no MPI. Each writes what is wrong and returns the
 * status of its first mistake. */
#ifndef AUXSEG_APP_TOOLS_CHECK_H
#define AUXSEG_APP_TOOLS_CHECK_H

#include "src/base/settings.h"

/* What is known of the data set, from its lists and a sample of its files. */
typedef struct check_images {
    int64_t train, all;   /* images */
    int64_t bytes;        /* of all files, images and labels */
    double height, width; /* mean over the sample, after dataset.scale */
} check_images;

/* Lists, missing files, headers and a few label maps. */
status check_dataset(const settings *s, check_images *out);
/* The files of weights, against the network. *values: parameters of the network. */
status check_weights(const settings *s, int64_t *values);
/* The run's folder can be written; its file system and the memory here have room. */
status check_space(const settings *s, const check_images *images, int64_t values);

/* The command. */
status command_check(const settings *s);

#endif
