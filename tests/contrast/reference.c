#include "tests/contrast/reference.h"

#include "src/base/random.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef enum pair { NEITHER, POSITIVE, NEGATIVE } pair;

static bool takes_part(const contrast_options *o, const contrast_pool *p, size_t i) {
    return o->positives == POSITIVES_AUGMENTATION ? p->partner[i] >= 0 : p->label[i] >= 0;
}

static pair pair_of(const contrast_options *o, const contrast_pool *p, size_t i, size_t j) {
    if (i == j || !takes_part(o, p, i) || !takes_part(o, p, j)) return NEITHER;
    if (o->scope == SCOPE_IMAGE && p->image[i] != p->image[j]) return NEITHER;
    bool partner = o->positives != POSITIVES_AUXILIARY && p->partner[i] == (int32_t)j;
    bool same = o->positives != POSITIVES_AUGMENTATION && p->label[i] == p->label[j];
    if (partner || same) return POSITIVE;
    bool near = o->group && o->positives != POSITIVES_AUGMENTATION &&
                o->group[p->label[i]] == o->group[p->label[j]];
    return near ? NEITHER : NEGATIVE;
}

static double dot(const contrast_pool *p, size_t i, size_t j) {
    double sum = 0;
    for (size_t k = 0; k < (size_t)p->d; k++)
        sum += (double)p->z[i * (size_t)p->d + k] * (double)p->z[j * (size_t)p->d + k];
    return sum;
}

/* weight [n] becomes dL_i / ds_ij; returns L_i. Logits are at most 100: e^100 is a double. */
static double anchor(const contrast_options *o, const contrast_pool *p, size_t i, double *weight,
    int64_t *positives, int64_t *negatives) {
    double sum = 0, loss = 0, q = 0;
    *positives = *negatives = 0;
    for (size_t j = 0; j < p->n; j++) {
        pair kind = pair_of(o, p, i, j);
        weight[j] = kind == NEITHER ? 0 : exp(dot(p, i, j) / o->temperature);
        if (kind == NEGATIVE) sum += weight[j];
        *positives += kind == POSITIVE;
        *negatives += kind == NEGATIVE;
    }
    double share = *positives ? 1 / (double)*positives : 0;
    for (size_t j = 0; j < p->n; j++) {
        if (pair_of(o, p, i, j) != POSITIVE) continue;
        loss += share * log1p(sum / weight[j]);
        q += share / (weight[j] + sum);
        weight[j] = -share * sum / (weight[j] + sum);
    }
    for (size_t j = 0; j < p->n; j++)
        if (pair_of(o, p, i, j) == NEGATIVE) weight[j] *= q;
    return loss;
}

contrast_stats reference_loss(const contrast_options *o, const contrast_pool *p, double *gradient) {
    size_t d = (size_t)p->d;
    contrast_stats total = {0};
    double *weight = calloc(p->n, sizeof *weight);
    memset(gradient, 0, p->n * d * sizeof *gradient);
    for (size_t i = 0; weight && i < p->n; i++) {
        int64_t positives, negatives;
        double loss = anchor(o, p, i, weight, &positives, &negatives);
        if (positives == 0) continue;
        total.loss += loss;
        total.anchors++;
        total.positives += positives;
        total.negatives += negatives;
        for (size_t j = 0; j < p->n; j++) {
            for (size_t k = 0; k < d; k++) {
                gradient[i * d + k] += weight[j] * (double)p->z[j * d + k];
                gradient[j * d + k] += weight[j] * (double)p->z[i * d + k];
            }
        }
    }
    free(weight);
    double counted = total.anchors ? (double)total.anchors : 1;
    total.loss /= counted;
    for (size_t i = 0; i < p->n * d; i++) gradient[i] /= counted * o->temperature;
    return total;
}

void reference_pool(uint64_t seed, size_t n, int d, int labels, int images, float *z,
    int32_t *label, int32_t *image, int32_t *partner) {
    random_stream r = random_begin(seed, RANDOM_INIT, 0, 0);
    for (size_t i = 0; i < n; i++) {
        label[i] = (int32_t)random_below(&r, (uint64_t)labels + 1) - 1;
        image[i] = (int32_t)random_below(&r, (uint64_t)images);
        partner[i] = i % 4 == 3 ? -1 : (int32_t)((i + n / 2) % n);
        double norm = 0;
        random_stream centre = random_begin(seed, RANDOM_INIT, 1, (uint64_t)(label[i] + 1));
        for (int k = 0; k < d; k++) {
            double x = random_normal(&centre) + random_normal(&r);
            z[i * (size_t)d + (size_t)k] = (float)x;
            norm += x * x;
        }
        for (int k = 0; k < d; k++) z[i * (size_t)d + (size_t)k] *= (float)(1 / sqrt(norm));
    }
}

double reference_error(const float *x, const double *reference, size_t n) {
    double difference = 0, norm = 0;
    for (size_t i = 0; i < n; i++) {
        difference += ((double)x[i] - reference[i]) * ((double)x[i] - reference[i]);
        norm += reference[i] * reference[i];
    }
    return sqrt(difference) / (norm > 0 ? sqrt(norm) : 1);
}
