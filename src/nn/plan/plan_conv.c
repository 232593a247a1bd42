/* Convolutions of a plan: oneDNN's kernels, and packing of the weights. */
#include "src/nn/plan/plan_state.h"

#include <math.h>
#include <omp.h>
#include <string.h>

static size_t weight_count(const layer *l) {
    return (size_t)l->conv.out_channels * (size_t)l->conv.channels * (size_t)l->conv.kernel *
           (size_t)l->conv.kernel;
}

static conv_choice choice_of(const plan *p, const layer *l) {
    bool image = p->layer[l->n->input[0]].n->kind == NODE_INPUT;
    return (conv_choice){p->o.direct, image && p->layer[l->n->input[0]].data < 0,
        p->o.type == DTYPE_F32 ? DTYPE_F32 : p->o.products, plan_largest_team(p)};
}

static status create_training_kernels(plan *p, layer *l) {
    conv_fusion f = {.sum = l->accumulates[0]};
    status st = convolution_create(
        &l->backward_weights, p->engine, &l->conv, CONV_BACKWARD_WEIGHTS, f, choice_of(p, l));
    if (st != STATUS_OK || !l->flows[0]) return st;
    return convolution_create(
        &l->backward_data, p->engine, &l->conv, CONV_BACKWARD_DATA, f, choice_of(p, l));
}

static status create_layer(plan *p, layer *l) {
    conv_fusion f = {
        .bias = l->n->bias >= 0 || l->fold >= 0, .sum = l->fuse_sum, .relu = l->fuse_relu};
    status st =
        convolution_create(&l->forward, p->engine, &l->conv, CONV_FORWARD, f, choice_of(p, l));
    if (st == STATUS_OK && l->gradient >= 0) st = create_training_kernels(p, l);
    if (st == STATUS_OK && l->fold >= 0) {
        l->folded_bias = plan_alloc(p, (size_t)l->n->channels, sizeof(float), "bias");
        if (!l->folded_bias) st = STATUS_FAILED;
    }
    const convolution *k[] = {l->forward, l->backward_data, l->backward_weights};
    for (int i = 0; i < 3 && st == STATUS_OK; i++)
        if (k[i]) p->bytes += convolution_bytes(k[i]);
    return st;
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

/* What a thread needs at most: scratch memory of convolutions; and a place for one gradient of an
 * image in fp32, or for the weights of a layer. */
static status create_workers(plan *p) {
    size_t scratch = 0, work = 0;
    for (value v = 0; v < p->nodes; v++) {
        const layer *l = &p->layer[v];
        if (!l->alive) continue;
        const convolution *k[] = {l->forward, l->backward_data, l->backward_weights};
        for (int i = 0; i < 3; i++)
            if (k[i]) scratch = larger(scratch, convolution_scratch(k[i]));
        for (int i = 0; i < 3; i++)
            if (k[i]) work = larger(work, convolution_work(k[i]));
        if (l->fold >= 0) work = larger(work, weight_count(l));
        for (int i = 0; i < l->n->inputs; i++)
            if (l->flows[i]) work = larger(work, p->layer[l->n->input[i]].elements);
    }
    p->worker = plan_alloc(p, (size_t)p->o.threads, sizeof *p->worker, "plan");
    p->meeting = plan_alloc(p, (size_t)p->o.threads, sizeof *p->meeting, "plan");
    if (!p->worker || !p->meeting) return STATUS_FAILED;
    for (int i = 0; i < p->o.threads; i++) {
        worker *w = &p->worker[i];
        w->scratch = plan_alloc(p, scratch, 1, "scratch memory");
        w->work = plan_alloc(p, work, sizeof(float), "scratch memory");
        w->seconds = plan_alloc(p, (size_t)p->nodes, sizeof *w->seconds, "plan");
        if (!w->scratch || !w->work || !w->seconds) return STATUS_FAILED;
    }
    return STATUS_OK;
}

/* ---- memory of packed weights ----
 * Where a layer runs over all images before the next one does, its packed weights are needed for
 * as long as that takes: convolutions that do not wait for each other share memory. Otherwise all
 * stand side by side. */

/* Places a convolution at *at (packed NULL: only counts). */
static void take_packed(convolution *k, char *packed, size_t *at) {
    size_t bytes = k ? convolution_packed_bytes(k) : 0;
    if (bytes > 0 && packed) convolution_place(k, packed + *at);
    *at += bytes;
}

static size_t place_all(plan *p, char *packed) {
    size_t most = 0, at = 0;
    for (value begin = 0, end; begin < p->nodes; begin = end) {
        end = plan_next_norm(p, begin + 1);
        if (p->late) at = 0;
        for (value v = begin; v < end; v++) take_packed(p->layer[v].forward, packed, &at);
        most = larger(most, at);
    }
    for (value v = 0; v < p->nodes; v++) {
        if (p->late) at = 0;
        take_packed(p->layer[v].backward_data, packed, &at);
        most = larger(most, at);
    }
    return most;
}

static status create_packed(plan *p) {
    p->late = p->o.mode == PLAN_TRAIN && p->o.norm != NORM_FROZEN;
    p->packed = plan_alloc(p, place_all(p, NULL), 1, "packed weights");
    if (!p->packed) return STATUS_FAILED;
    place_all(p, p->packed);
    return STATUS_OK;
}

status plan_create_kernels(plan *p) {
    status st = onednn_create(&p->engine, p->o.threads);
    for (value v = 0; v < p->nodes && st == STATUS_OK; v++) {
        layer *l = &p->layer[v];
        if (l->alive && l->n->kind == NODE_CONV) st = create_layer(p, l);
    }
    if (st == STATUS_OK) st = create_packed(p);
    return st == STATUS_OK ? create_workers(p) : st;
}

/* With y = scale (conv(x) + bias - mean) + shift, all of it into weights and bias. */
static void fold_norm(const plan *p, layer *l, float *weight) {
    const node *n = p->layer[l->fold].n;
    const float *w = plan_parameter(p, l->n->weight), *b = plan_parameter(p, l->n->bias);
    const float *gamma = plan_parameter(p, n->weight), *beta = plan_parameter(p, n->bias);
    const float *mean = plan_parameter(p, n->mean), *variance = plan_parameter(p, n->variance);
    size_t each = weight_count(l) / (size_t)n->channels;
    for (int o = 0; o < n->channels; o++) {
        double scale = gamma[o] / sqrt((double)variance[o] + NORM_EPSILON);
        l->folded_bias[o] = (float)(((b ? (double)b[o] : 0.0) - mean[o]) * scale + beta[o]);
        for (size_t i = 0; i < each; i++)
            weight[(size_t)o * each + i] = (float)(w[(size_t)o * each + i] * scale);
    }
}

static bool is_late(const plan *p, const convolution *k) {
    return p->late && convolution_packed_bytes(k) > 0;
}

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

status plan_pack(plan *p) {
    status worst = STATUS_OK;
#pragma omp parallel num_threads(p->o.threads)
    {
        omp_set_num_threads(1);
#pragma omp for schedule(dynamic)
        for (value v = 0; v < p->nodes; v++) {
            layer *l = &p->layer[v];
            if (!l->alive || l->n->kind != NODE_CONV) continue;
            status st = pack_layer(p, l, p->worker[omp_get_thread_num()].work);
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
