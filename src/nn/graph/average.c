/* The weights of a training wander around a minimum as long as the learning rate is above zero;
 * their average is nearer to it than most of them. Statistics of norms are averaged with the same
 * decay, as they belong to weights: those of the last step would not fit the averaged ones. */
#include "src/nn/graph/average.h"

#include <math.h>

static void move(float *average, const float *x, size_t n, double decay) {
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++)
        average[i] = (float)(decay * (double)average[i] + (1 - decay) * (double)x[i]);
}

void average_update(parameters *average, const parameters *p, double decay, int64_t steps) {
    double d = fmin(decay, 1 - 1 / (double)(steps + 1));
    move(average->value, p->value, p->count, d);
    move(average->buffer, p->buffer, p->buffers, d);
    average->batches_tracked = p->batches_tracked;
}
