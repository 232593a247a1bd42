/* Packed weights. Folded ones are made here: a norm after a convolution goes into its weights and
 * bias in PLAN_INFER.
 *
 * oneDNN's packed weights, and those of taps, are as large as the weights, and stand in their
 * kernels for good.
 * Winograd's are 4 times as large (m = 4), hundreds of megabytes of all layers of a large network:
 * in training they are made when their layer is reached, by all threads, and the next layer's take
 * their place. */
#include "src/nn/plan/plan_pack.h"

#include "src/nn/plan/plan_operators.h"

#include <math.h>
#include <omp.h>

/* ---- memory ---- */

/* Places a convolution at *at (packed NULL: only counts). */
static void take_packed(convolution *k, char *packed, size_t *at) {
    size_t bytes = k ? convolution_packed_bytes(k) : 0;
    if (bytes > 0 && packed) convolution_place(k, packed + *at);
    *at += bytes;
}

/* All of them, one after the other where they are packed at once, else those that do not wait for
 * each other; returns the bytes. */
static size_t place_all(plan *p, char *packed) {
    size_t most = 0, at = 0;
    for (value begin = 0, end; begin < p->nodes; begin = end) {
        end = plan_next_norm(p, begin + 1);
        if (p->late) at = 0;
        for (value v = begin; v < end; v++) take_packed(p->layer[v].forward, packed, &at);
        most = at > most ? at : most;
    }
    for (value v = 0; v < p->nodes; v++) {
        if (p->late) at = 0;
        take_packed(p->layer[v].backward_data, packed, &at);
        most = at > most ? at : most;
    }
    return most;
}

status plan_create_packed(plan *p) {
    p->late = plan_batch_statistics(p);
    p->packed_bytes = place_all(p, NULL);
    p->packed = plan_alloc(p, p->packed_bytes, 1, "packed weights");
    if (!p->packed) return STATUS_FAILED;
    place_all(p, p->packed);
    return STATUS_OK;
}

/* ---- packing ---- */

/* With y = scale (conv(x) + bias - mean) + shift, all of it into weights and bias. Of layer scale
 * there is a scale alone. */
static void fold_norm(const plan *p, layer *l, float *weight) {
    const node *n = p->layer[l->fold].n;
    const float *w = plan_parameter(p, l->n->weight), *b = plan_parameter(p, l->n->bias);
    const float *gamma = plan_parameter(p, n->weight), *beta = plan_parameter(p, n->bias);
    const float *mean = plan_parameter(p, n->mean), *variance = plan_parameter(p, n->variance);
    size_t each = plan_weight_count(l) / (size_t)n->channels;
    for (int o = 0; o < n->channels; o++) {
        bool norm = n->kind == NODE_NORM;
        double scale = norm ? gamma[o] / sqrt((double)variance[o] + NORM_EPSILON) : gamma[o];
        double bias = b ? (double)b[o] : 0.0;
        l->folded_bias[o] = (float)(norm ? (bias - mean[o]) * scale + beta[o] : bias * scale);
        for (size_t i = 0; i < each; i++)
            weight[(size_t)o * each + i] = (float)(w[(size_t)o * each + i] * scale);
    }
}

static bool is_late(const plan *p, const convolution *k) {
    return p->late && convolution_packed_bytes(k) > 0;
}

/* Backward-data kernels reverse weights in the thread's memory, which folded ones occupy. */
static status pack_kernel(
    const plan *p, const layer *l, convolution *k, int thread, int threads, const float *folded) {
    const float *weight = folded ? folded : plan_parameter(p, l->n->weight);
    return convolution_pack(
        k, thread, threads, weight, folded ? NULL : p->worker[omp_get_thread_num()].work);
}

/* What is not packed late. Folded weights stand in `work`; plans that fold have no backward pass,
 * which alone needs it for packing. */
static status pack_layer(plan *p, layer *l, float *work) {
    const float *folded = NULL;
    status st = STATUS_OK;
    if (l->fold >= 0) {
        fold_norm(p, l, work);
        folded = work;
    }
    if (!is_late(p, l->forward)) st = pack_kernel(p, l, l->forward, 0, 1, folded);
    if (st != STATUS_OK || !l->backward_data || is_late(p, l->backward_data)) return st;
    return pack_kernel(p, l, l->backward_data, 0, 1, folded);
}

/* Layers are dealt to threads. Folded weights need the thread's memory for a layer at a time. */
status plan_pack(plan *p) {
    status worst = STATUS_OK;
#pragma omp parallel num_threads(p->o.threads)
    {
        omp_set_num_threads(1);
#pragma omp for schedule(dynamic)
        for (value v = 0; v < p->nodes; v++) {
            layer *l = &p->layer[v];
            status st = STATUS_OK;
            if (plan_has_role(p, v, OPERATOR_WEIGHTS))
                st = pack_layer(p, l, p->worker[omp_get_thread_num()].work);
            else if (l->alive && l->op->pack)
                st = l->op->pack(p, l);
#pragma omp critical(plan_pack)
            if (st != STATUS_OK) worst = st;
        }
    }
    return worst;
}

static status pack_late(plan *p, value v, convolution *k, node_pass pass) {
    int thread = omp_get_thread_num();
    double now = plan_lap(p, thread, v, pass, 0);
    status st = pack_kernel(p, &p->layer[v], k, thread, omp_get_num_threads(), NULL);
    plan_lap(p, thread, v, pass, now);
    return st;
}

status plan_pack_forward(plan *p, value begin, value end) {
    status worst = STATUS_OK;
    for (value v = begin; v < end; v++) {
        convolution *k = p->layer[v].forward;
        if (!k || !is_late(p, k)) continue;
        status st = pack_late(p, v, k, FORWARD_PASS);
        if (st != STATUS_OK) worst = st;
    }
#pragma omp barrier
    return worst;
}

status plan_pack_backward(plan *p, value v) {
    convolution *k = p->layer[v].backward_data;
    status st = k && is_late(p, k) ? pack_late(p, v, k, BACKWARD_PASS) : STATUS_OK;
#pragma omp barrier
    return st;
}
