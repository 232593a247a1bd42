/* run.json as the stages see it: rank 0 holds it, every rank gets its answers. */
#ifndef AUXSEG_APP_LEDGER_H
#define AUXSEG_APP_LEDGER_H

#include "io/run_record.h"
#include "mpi/comm.h"

enum { LEDGER_NAME = 64 };

typedef struct ledger {
    const comm *c;
    const settings *s;
    run_record *record; /* rank 0's, else NULL */
    double began;
} ledger;

/* Opens the run's run.json and notes this invocation. Collective. */
status ledger_open(ledger *l, const comm *c, const settings *s);
void ledger_close(ledger *l);

/* "cluster" in round 1, "cluster-2" in round 2: text [LEDGER_NAME]. Not collective. */
void ledger_name(char *text, const char *stage, int round);
/* Whether the stage is done for this key, unless run.resume = "never"; says so. *hash (may be
 * NULL) of its output is then written. Collective. */
bool ledger_done(ledger *l, const char *stage, uint64_t key, uint64_t *hash);
/* Records a finished stage with the time since ledger_open and saves; output: below run.dir, or
 * NULL. Prints the figure of merit. Collective. */
status ledger_stage(ledger *l, const stage_record *stage, const timers *mine);
/* Rank 0's memory changes, until ledger_stage saves. Not collective. */
status ledger_result(ledger *l, const char *group, const char *name, double value);

#endif
