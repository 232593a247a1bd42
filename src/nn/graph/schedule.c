/* Learning rates as a function of the step alone: a run that is continued needs no state for them.
 *
 * The warm-up's first step is not zero, and the last step of a schedule not quite the end of its
 * curve: every step moves the weights. */
#include "src/nn/graph/schedule.h"

#include <assert.h>
#include <math.h>

double schedule_factor(schedule_kind k, int64_t step, int64_t steps, int64_t warmup, double power) {
    assert(step >= 0 && step < steps && warmup >= 0);
    if (step < warmup) return (double)(step + 1) / (double)(warmup + 1);
    double t = (double)(step - warmup) / (double)(steps - warmup);
    switch (k) {
    case SCHEDULE_POLYNOMIAL:
        return pow(1.0 - t, power);
    case SCHEDULE_COSINE:
        return 0.5 * (1.0 + cos(3.14159265358979323846 * t));
    case SCHEDULE_CONSTANT:
        break;
    }
    return 1.0;
}
