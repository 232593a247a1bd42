/* When and how a training's state is saved: beside the steps as long as they go on, at once when
 * they end. */
#ifndef AUXSEG_APP_TRAINING_SAVES_H
#define AUXSEG_APP_TRAINING_SAVES_H

#include "src/app/training/trainer.h"

/* Bytes that saving beside the steps takes on this rank. Not collective. */
size_t saves_bytes(const trainer *t);
/* Before the first step. Not collective. */
status saves_create(trainer *t);
/* The state of the step that is done. at_once: it is on the disk on return; otherwise a copy of it
 * is, some steps later. Collective. */
status saves_state(trainer *t, bool at_once);
/* A failure of what is written beside the steps, as soon as it is known: on rank 0, for the ranks
 * to agree on. Not collective. */
status saves_poll(trainer *t);
/* Waits for what is under way, and tells in the log what it took. Collective. */
status saves_finish(trainer *t);
/* On rank 0, the step of the newest checkpoint that is whole; 0: there is none. Waits for what is
 * under way. Not collective. */
int64_t saves_newest(trainer *t);

#endif
