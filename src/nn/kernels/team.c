/* A barrier for a few threads that are seldom late: they poll, and give the processor up where they
 * have to wait long. OpenMP's barrier is for all threads of the region.
 *
 * The last one to come opens the meeting for all. It resets the count before it moves the number of
 * meetings on: the others may come to the next meeting as soon as they see that. */
#include "src/nn/kernels/team.h"

#include <sched.h>

/* Polls before the processor is given up, which matters where threads outnumber cores. */
enum { PATIENCE = 500 };

static inline void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

void team_meet(const team *t) {
    if (t->size == 1) return;
    team_meeting *m = t->meeting;
    unsigned now = atomic_load_explicit(&m->meetings, memory_order_acquire);
    if (atomic_fetch_add_explicit(&m->waiting, 1, memory_order_acq_rel) == t->size - 1) {
        atomic_store_explicit(&m->waiting, 0, memory_order_relaxed);
        atomic_store_explicit(&m->meetings, now + 1, memory_order_release);
        return;
    }
    for (int polls = 0; atomic_load_explicit(&m->meetings, memory_order_acquire) == now; polls++) {
        if (polls < PATIENCE)
            relax();
        else
            sched_yield();
    }
}
