/* How far a stage has come that counts or writes something for each of many images: which images
 * are done, and sums of integers over them. Kept where the stage is told to stop, for the next
 * start to go on, on any number of ranks.
 *
 *   partial_create(&p, t, sums, images);
 *   stop_watch w = stop_watch_begin(t->c);
 *   for each image i of this rank that is not p.done[i]: add to p.sum, set p.done[i],
 * stop_watch_ask st = partial_end(&p, stop_watch_end(&w, st));
 *   ... what follows from p.sum ...
 *   partial_clear(&p); partial_destroy(&p); */
#ifndef AUXSEG_APP_STAGE_PARTIAL_H
#define AUXSEG_APP_STAGE_PARTIAL_H

#include "src/app/stage/stage.h"

typedef struct partial {
    const stage *t; /* borrowed */
    size_t sums, bytes;
    int images, before; /* before: done in earlier starts */
    int64_t *sum;       /* [sums]: what this rank has added; rank 0's begins with what was kept */
    int32_t *done;      /* [images]; the same on every rank at the beginning */
    uint64_t key;
    char path[FILE_PATH];
} partial;

/* After stage_key: what was kept under another key is not used, and removed. p may be destroyed
 * after any status. Collective. */
status partial_create(partial *p, const stage *t, size_t sums, int images);
/* st: of all ranks; p may be zeros where it is a failure. STATUS_OK and STATUS_STOPPED: sum and
 * done are those of all ranks, on every one; the latter is kept, or the reason returned why it
 * could not be. Collective. */
status partial_end(partial *p, status st);
/* Removes what was kept, once the stage is recorded. Rank 0 does. */
void partial_clear(const partial *p);
/* Of zeros: nothing. */
void partial_destroy(partial *p);
/* The first image from i on that is done, or `end`. Not collective. */
int partial_next_done(const partial *p, int i, int end);

#endif
