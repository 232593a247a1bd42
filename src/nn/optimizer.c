#include "src/nn/optimizer.h"

#include "src/base/memory.h"
#include "src/base/vector.h"

#include <assert.h>
#include <math.h>

enum { CHUNK = 1 << 16 }; /* elements that a thread takes at once */

status sgd_create(sgd *s, const parameters *p, double momentum, double decay) {
    float *velocity = memory_alloc(p->count, sizeof *velocity, "momentum");
    if (!velocity) return STATUS_FAILED;
    *s = (sgd){.momentum = momentum, .decay = decay, .velocity = velocity};
    return STATUS_OK;
}

void sgd_destroy(sgd *s) {
    if (!s) return;
    memory_free(s->velocity);
    s->velocity = NULL;
}

VECTOR_CLONES
static void step(float *restrict w, float *restrict m, const float *restrict g, size_t n,
    float momentum, float decay, float rate) {
    for (size_t i = 0; i < n; i++) {
        m[i] = momentum * m[i] + (g[i] + decay * w[i]);
        w[i] -= rate * m[i];
    }
}

void sgd_step(sgd *s, parameters *p, const float *gradient, const double *rate) {
#pragma omp parallel
    for (int i = 0; i < p->trainable; i++) {
        const parameter *item = &p->item[i];
        float decay = item->decay ? (float)s->decay : 0.0f;
#pragma omp for nowait
        for (size_t begin = 0; begin < item->count; begin += CHUNK) {
            size_t n = item->count - begin < CHUNK ? item->count - begin : CHUNK;
            size_t at = item->offset + begin;
            step(p->value + at, s->velocity + at, gradient + at, n, (float)s->momentum, decay,
                (float)rate[item->group]);
        }
    }
}

double schedule_factor(
    schedule_kind k, int64_t step_now, int64_t steps, int64_t warmup, double power) {
    assert(step_now >= 0 && step_now < steps && warmup >= 0);
    if (step_now < warmup) return (double)(step_now + 1) / (double)(warmup + 1);
    double t = (double)(step_now - warmup) / (double)(steps - warmup);
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

VECTOR_CLONES
double gradient_norm(const float *gradient, size_t count) {
    enum { LANES = 8 };
    double lane[LANES] = {0.0}, total = 0.0;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t j = 0; j < LANES; j++) {
            double x = gradient[i + j];
            lane[j] += x * x;
        }
    for (; i < count; i++) lane[i % LANES] += (double)gradient[i] * gradient[i];
    for (size_t j = 0; j < LANES; j++) total += lane[j];
    return sqrt(total);
}
