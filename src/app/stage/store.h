/* What runs share (run.store): a stage that one of them has done is taken over by the others whose
 * stage has the same key, which is a hash of all that its result depends on. Of several runs that
 * come to the same stage at the same time one does it, and the others wait. Not collective: rank 0,
 * which has the record; does nothing elsewhere, and without a store. */
#ifndef AUXSEG_APP_STAGE_STORE_H
#define AUXSEG_APP_STAGE_STORE_H

#include "src/app/stage/stage.h"

/* Whether the stage, whose key is known, has been taken over: its file lies in run.dir, and
 * run.json and metrics.csv have it. If not, it is this run's to do: others wait until store_leave.
 */
bool store_take(stage *t);
/* The stage is recorded: others may take it. */
void store_give(const stage *t);
/* Lets others have the stage, done or not. */
void store_leave(stage *t);

#endif
