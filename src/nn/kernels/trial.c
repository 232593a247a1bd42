/* Random numbers for comparisons of two ways to compute the same. No clock is read: a trial asks
 * whether bits are equal, never which way is faster. */
#include "src/nn/kernels/trial.h"

#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/base/rows.h"

/* Between -1 and 1, by a fixed seed: each rank and each start compares the same numbers. */
void trial_fill(void *x, size_t n, uint64_t item, dtype t) {
    random_stream r = random_begin(1, RANDOM_INIT, 0, item);
    for (size_t i = 0; i < n; i++) row_put(x, i, (float)random_between(&r, -1, 1), t);
}

void *trial_numbers(size_t n, uint64_t item, dtype t) {
    void *x = memory_alloc(n, dtype_size(t), "trial");
    if (x) trial_fill(x, n, item, t);
    return x;
}
