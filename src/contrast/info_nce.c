/* One query at a time, by the definition: a step has as many queries as views, few beside the
 * pixels of the pool, so that the whole row of similarities can be kept. Queries are independent of
 * each other; whoever calls gives each to one thread. */
#include "src/contrast/info_nce.h"

#include <math.h>
#include <stdbool.h>

enum { LANES = 8 };

/* Lanes are vector code without any liberty in the order of the sum. */
static double product(const float *a, const float *b, int d) {
    double lane[LANES] = {0}, sum = 0;
    int j = 0;
    for (; j + LANES <= d; j += LANES)
        for (int l = 0; l < LANES; l++) lane[l] += (double)a[j + l] * (double)b[j + l];
    for (int l = 0; j < d; j++, l++) lane[l] += (double)a[j] * (double)b[j];
    for (int l = 0; l < LANES; l++) sum += lane[l];
    return sum;
}

/* sum += weight row. */
static void add(double *sum, double weight, const float *row, int d) {
    for (int j = 0; j < d; j++) sum[j] += weight * (double)row[j];
}

/* Less the largest term, no exponential overflows at any temperature. What is left out has the
 * term -inf, whose exponential is zero. */
double info_nce(const info_nce_query *x, const key_queue *q, double temperature, double scale,
    double *term, double *sum, float *gradient) {
    int d = q->d;
    double own = product(x->query, x->key, d) / temperature, largest = own;
    for (size_t i = 0; i < q->n; i++) {
        const float *row = q->key + i * (size_t)d;
        bool left_out = x->image >= 0 && q->image[i] == x->image;
        term[i] = left_out ? -INFINITY : product(x->query, row, d) / temperature;
        if (term[i] > largest) largest = term[i];
    }
    double total = exp(own - largest);
    for (size_t i = 0; i < q->n; i++) total += term[i] = exp(term[i] - largest);
    for (int j = 0; j < d; j++) sum[j] = 0;
    for (size_t i = 0; i < q->n; i++)
        if (term[i] != 0) add(sum, term[i] / total, q->key + i * (size_t)d, d);
    /* p_k - 1 as minus the others' share: it keeps its digits where p_k is nearly 1. */
    double others = 0;
    for (size_t i = 0; i < q->n; i++) others += term[i];
    add(sum, -others / total, x->key, d);
    for (int j = 0; j < d; j++) gradient[j] = (float)(scale / temperature * sum[j]);
    return log(total) + largest - own;
}
