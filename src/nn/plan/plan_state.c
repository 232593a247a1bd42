/* What several files of the plan ask about its state, and its memory.
 *
 * Norms cut the passes only where they need statistics of the batch: a plan of PLAN_INFER, or with
 * frozen norms, has no cut at all. Files ask here and not the mode, so that this is said once. */
#include "src/nn/plan/plan_state.h"

#include "src/base/memory.h"
#include "src/base/timer.h"
#include "src/nn/plan/plan_operators.h"

void *plan_alloc(plan *p, size_t count, size_t size, const char *what) {
    void *memory = memory_alloc(count, size, what);
    if (memory) p->bytes += count * size;
    return memory;
}

bool plan_is_output(const plan *p, value v) {
    for (int i = 0; i < p->g->outputs; i++)
        if (p->g->output[i] == v) return true;
    return false;
}

bool plan_batch_statistics(const plan *p) {
    return p->o.mode == PLAN_TRAIN && p->o.norm != NORM_FROZEN;
}

value plan_next_norm(const plan *p, value v) {
    bool batch = plan_batch_statistics(p);
    while (v < p->nodes && !(batch && plan_has_role(p, v, OPERATOR_STATISTICS))) v++;
    return v;
}

/* The first call of a row has since = 0. Threads write to rows of their own. */
double plan_lap(const plan *p, int thread, value v, node_pass pass, double since) {
    if (!p->timed) return 0;
    double now = timer_now();
    if (since > 0) p->worker[thread].seconds[v][pass] += now - since;
    return now;
}
