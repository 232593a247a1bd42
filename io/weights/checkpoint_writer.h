/* Checkpoints that are written while the training goes on: the state is copied, and a thread writes
 * the copy, which calls no MPI. One at a time; a kill in between leaves the files before it as they
 * were. Rank 0's; not collective. */
#ifndef AUXSEG_IO_WEIGHTS_CHECKPOINT_WRITER_H
#define AUXSEG_IO_WEIGHTS_CHECKPOINT_WRITER_H

#include "io/weights/checkpoint.h"

typedef struct checkpoint_writer checkpoint_writer;

/* Takes the memory of the copy, for states like s, so that a lack of it shows at once. */
status checkpoint_writer_create(checkpoint_writer **out, const checkpoint_state *s);
/* Waits for what is under way. NULL-safe. */
void checkpoint_writer_destroy(checkpoint_writer *w);

/* Copies the state and begins to write it, as checkpoint_save does. Waits for the one before, and
 * returns its failure, as the others do. Of s nothing is needed afterwards, but the names of its
 * parameters. */
status checkpoint_writer_begin(
    checkpoint_writer *w, const char *folder, const char *stage, const checkpoint_state *s);
/* A failure of what has been written since the last question, told once; the first that knew has
 * written the message. Does not wait. */
status checkpoint_writer_poll(checkpoint_writer *w);
/* The same of what is under way, when it is done. */
status checkpoint_writer_wait(checkpoint_writer *w);

/* What was written: how many, the step of the newest (0: none), and the seconds that it took. Of
 * those that poll or wait have told of. */
typedef struct checkpoint_writer_sum {
    int count;
    int64_t step;
    double seconds;
} checkpoint_writer_sum;
checkpoint_writer_sum checkpoint_writer_written(const checkpoint_writer *w);

#endif
