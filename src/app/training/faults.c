/* Memory that fails on one rank, at a step of a test's choice: weights, statistics and states as
 * the optimiser finds them. */
#include "src/app/training/faults.h"

#include "src/base/hook.h"

#include <math.h>
#include <string.h>

static hook bit = {.name = "BIT"}, weight = {.name = "WEIGHT"}, statistic = {.name = "STATISTIC"},
            state = {.name = "STATE"};

/* Of the first tensor that is trained, or, of norms, not. */
static float *first_tensor(const trainer *t, bool trained) {
    int i = 0;
    while (i < t->p->items - 1 && (t->p->item[i].trainable != 0) != trained) i++;
    return (t->p->item[i].trainable ? t->p->value : t->p->buffer) + t->p->item[i].offset;
}

static void flip(float *x) {
    uint32_t bits;
    memcpy(&bits, x, sizeof bits);
    bits ^= 1u << 20; /* of the fraction: the lowest may be rounded away by the next step */
    memcpy(x, &bits, sizeof bits);
}

void faults_inject(trainer *t) {
    if (hook_now(&bit)) flip(first_tensor(t, true));
    if (hook_now(&weight)) *first_tensor(t, true) = NAN;
    if (hook_now(&statistic)) *first_tensor(t, false) = NAN;
    /* Of AdamW, squares: weights stay finite. */
    if (hook_now(&state)) t->optimizer.state[t->optimizer.states - 1][0] = INFINITY;
}
