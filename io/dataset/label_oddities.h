/* What cannot be meant about a data set's labels, though every id of them is right. Not collective.
 */
#ifndef AUXSEG_IO_DATASET_LABEL_ODDITIES_H
#define AUXSEG_IO_DATASET_LABEL_ODDITIES_H

#include <stdint.h>

enum { LABEL_ODDITIES = 2, LABEL_ODDITY = 512 };
typedef char label_oddity[LABEL_ODDITY];

/* Pixels of each class and without one, over some label maps, and how the classes are called. */
typedef struct label_shares {
    const int64_t *pixels; /* [classes + 1]; the last: without a class */
    int classes, ignore;   /* ignore: dataset.ignore in force; -1: none */
    const char *const *name;
} label_shares;

/* A sentence for each oddity into out [LABEL_ODDITIES]: all pixels are of one class, so that any
 * model is right everywhere; classes without a pixel. Returns how many; 0 where no pixel was
 * counted. */
int label_oddities(const label_shares *s, label_oddity *out);

#endif
