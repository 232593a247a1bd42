/* How far a packing has come: what was found of each image, and which bytes are in the file. Kept
 * when a packing is told to stop, so that the next start goes on there. */
#ifndef AUXSEG_IO_DATASET_PACK_STATE_H
#define AUXSEG_IO_DATASET_PACK_STATE_H

#include "io/dataset/dataset.h"
#include "io/dataset/item_check.h"
#include "io/files/file.h"
#include "mpi/comm.h"

typedef struct pack_state {
    int items;              /* of the layout */
    finding *found;         /* [items]; done: it was looked at */
    int64_t *pixels;        /* [LABEL_IDS], of the label maps that were looked at */
    int64_t *empty;         /* [1], of them those without a class */
    int64_t *offset;        /* [BLOBS], where the arrays stand in the file; 0: there is none */
    int32_t *stored[BLOBS]; /* [items], whether the bytes of a kept image are in the file */
    void *block;            /* all of that: owned */
    size_t bytes;           /* of it */
    char path[FILE_PATH];   /* where it is kept; "": nowhere */
    char file[FILE_PATH];   /* and the file that is not whole yet */
    uint64_t key;
} pack_state;

/* As an earlier start has left it, or at the beginning. Sums (pixels, empty) are rank 0's, for they
 * are added over ranks later; the rest is the same on every rank. keep: NULL, or where. Collective.
 */
status pack_state_create(pack_state *k, const comm *c, int items, const pack_keep *keep);
/* Of zeros: nothing. Not collective. */
void pack_state_destroy(pack_state *k);
/* Writes it, all of it known to rank 0: STATUS_STOPPED. Collective. */
status pack_state_stop(const pack_state *k, const comm *c);
/* The packing is done: removes what was kept. Not collective: rank 0 does. */
void pack_state_clear(const pack_state *k, const comm *c);

#endif
