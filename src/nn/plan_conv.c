/* Convolutions of a plan: oneDNN's kernels, and packing of the weights. */
#include "src/nn/plan_state.h"

#include <math.h>
#include <omp.h>
#include <string.h>

/* The backward-data pass at stride 1 is a convolution of the gradient with the weights flipped and
 * transposed. It is taken so: oneDNN 2.6 has no fast kernel of its own for dilated ones, and its
 * forward kernels are the faster ones for the others too. */
static conv_shape transposed_shape(const conv_shape *c) {
    return (conv_shape){c->out_height, c->out_width, c->out_channels, c->height, c->width,
        c->channels, c->kernel, 1, c->dilation, c->dilation * (c->kernel - 1) - c->padding,
        c->type};
}

static bool can_transpose(const conv_shape *c) {
    return c->stride == 1 && c->padding <= c->dilation * (c->kernel - 1);
}

static size_t weight_count(const layer *l) {
    return (size_t)l->conv.out_channels * (size_t)l->conv.channels * (size_t)l->conv.kernel *
           (size_t)l->conv.kernel;
}

static status create_training_kernels(plan *p, layer *l) {
    status s = onednn_backward_weights(&l->backward_weights, p->engine, &l->conv);
    if (s != STATUS_OK || !l->flows[0]) return s;
    l->transposed = can_transpose(&l->conv);
    if (!l->transposed) return onednn_backward_data(&l->backward_data, p->engine, &l->conv);
    conv_shape t = transposed_shape(&l->conv);
    conv_fusion f = {.sum = l->accumulates[0], .transposed = true};
    return onednn_forward(&l->backward_data, p->engine, &t, f);
}

static status create_layer(plan *p, layer *l) {
    conv_fusion f = {
        .bias = l->n->bias >= 0 || l->fold >= 0, .sum = l->fuse_sum, .relu = l->fuse_relu};
    status s = onednn_forward(&l->forward, p->engine, &l->conv, f);
    if (s == STATUS_OK && l->gradient >= 0) s = create_training_kernels(p, l);
    if (s == STATUS_OK && l->fold >= 0) {
        l->folded_bias = plan_alloc(p, (size_t)l->n->channels, sizeof(float), "bias");
        if (!l->folded_bias) s = STATUS_FAILED;
    }
    const onednn_kernel *k[] = {l->forward, l->backward_data, l->backward_weights};
    for (int i = 0; i < 3 && s == STATUS_OK; i++)
        if (k[i]) p->bytes += onednn_bytes(k[i]);
    return s;
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

/* What a thread needs at most: oneDNN's scratch memory; and room for one gradient of an image in
 * fp32, or for the weights of a layer. */
static status create_workers(plan *p) {
    size_t scratch = 0, work = 0;
    for (value v = 0; v < p->nodes; v++) {
        const layer *l = &p->layer[v];
        if (!l->alive) continue;
        const onednn_kernel *k[] = {l->forward, l->backward_data, l->backward_weights};
        for (int i = 0; i < 3; i++)
            if (k[i]) scratch = larger(scratch, onednn_scratch(k[i]));
        if (l->transposed || l->fold >= 0) work = larger(work, weight_count(l));
        for (int i = 0; i < l->n->inputs; i++)
            if (l->flows[i]) work = larger(work, p->layer[l->n->input[i]].elements);
    }
    p->worker = plan_alloc(p, (size_t)p->o.threads, sizeof *p->worker, "plan");
    if (!p->worker) return STATUS_FAILED;
    for (int i = 0; i < p->o.threads; i++) {
        worker *w = &p->worker[i];
        w->scratch = plan_alloc(p, scratch, 1, "scratch memory");
        w->work = plan_alloc(p, work, sizeof(float), "scratch memory");
        w->seconds = plan_alloc(p, (size_t)p->nodes, sizeof *w->seconds, "plan");
        if (!w->scratch || !w->work || !w->seconds) return STATUS_FAILED;
    }
    return STATUS_OK;
}

status plan_create_kernels(plan *p) {
    status s = onednn_create(&p->engine, p->o.threads);
    for (value v = 0; v < p->nodes && s == STATUS_OK; v++) {
        layer *l = &p->layer[v];
        if (l->alive && l->n->kind == NODE_CONV) s = create_layer(p, l);
    }
    return s == STATUS_OK ? create_workers(p) : s;
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

/* Rows and columns in reverse. */
static void flip(const layer *l, const float *w, float *to) {
    size_t area = (size_t)l->conv.kernel * (size_t)l->conv.kernel, count = weight_count(l);
    for (size_t i = 0; i < count; i += area)
        for (size_t k = 0; k < area; k++) to[i + k] = w[i + area - 1 - k];
}

static status pack_layer(plan *p, layer *l, int thread) {
    float *work = p->worker[thread].work;
    const float *weight = plan_parameter(p, l->n->weight);
    if (l->fold >= 0) {
        fold_norm(p, l, work);
        weight = work;
    }
    status s = onednn_pack(l->forward, thread, weight);
    if (s != STATUS_OK || !l->backward_data) return s;
    if (l->transposed && l->conv.kernel > 1) {
        flip(l, weight, work);
        weight = work;
    }
    return onednn_pack(l->backward_data, thread, weight);
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
            status s = pack_layer(p, l, omp_get_thread_num());
#pragma omp critical(plan_pack)
            if (s != STATUS_OK) worst = s;
        }
    }
    return worst;
}
