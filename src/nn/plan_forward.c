#include "src/nn/plan_state.h"

#include <assert.h>
#include <omp.h>

static void concat(plan *p, value v, int image, int thread, bool again) {
    const layer *l = &p->layer[v];
    size_t pixels = (size_t)l->height * (size_t)l->width;
    int begin = 0;
    for (int k = 0; k < l->n->inputs; k++) {
        value x = l->n->input[k];
        int channels = p->layer[x].n->channels;
        layer_put(plan_place(p, x, image, thread, again), plan_place(p, v, image, thread, again),
            pixels, channels, begin, l->n->channels, p->o.type);
        begin += channels;
    }
}

static status convolve(plan *p, value v, int image, int thread, bool again) {
    const layer *l = &p->layer[v];
    const float *bias = l->fold >= 0 ? l->folded_bias : plan_parameter(p, l->n->bias);
    return convolution_run(l->forward, thread, plan_place(p, l->n->input[0], image, thread, again),
        plan_place(p, l->target, image, thread, again), bias, p->worker[thread].scratch);
}

random_stream plan_dropout_stream(const plan *p, value v, int image, const step_context *c) {
    uint64_t item = (uint64_t)(c->first + image) * (uint64_t)p->nodes + (uint64_t)v;
    return random_begin(c->seed, RANDOM_DROPOUT, c->step, item);
}

/* The moment of a pass: an image, by a thread; again: for the backward pass. */
typedef struct run_place {
    int image, thread;
    bool again;
} run_place;

static status run_node(plan *p, value v, run_place r, const step_context *c) {
    const layer *l = &p->layer[v];
    const node *n = l->n;
    dtype t = p->o.type;
    int image = r.image, thread = r.thread;
    bool again = r.again;
    const void *x = n->inputs > 0 && n->kind != NODE_CONCAT && n->kind != NODE_CONV
                        ? plan_place(p, n->input[0], image, thread, again)
                        : NULL;
    if (n->kind == NODE_CONV) return convolve(p, v, image, thread, again);
    void *y = plan_place(p, v, image, thread, again);
    switch (n->kind) {
    case NODE_INPUT:
        if (l->data >= 0)
            layer_convert_in(p->input + (size_t)image * l->elements, y, l->elements, t);
        break;
    case NODE_NORM:
        norm_apply(p, v, image, thread, again);
        break;
    case NODE_RELU:
        layer_relu(x, y, l->elements, t);
        break;
    case NODE_ADD:
        if (l->summed >= 0) {
            norm_apply_sum(p, v, image, thread);
            break;
        }
        layer_add(x, plan_place(p, n->input[1], image, thread, again), y, l->elements, n->relu, t);
        break;
    case NODE_CONCAT:
        concat(p, v, image, thread, again);
        break;
    case NODE_MAX_POOL:
        layer_max_pool(&l->shape, x, y,
            l->index < 0 ? NULL
                         : (uint8_t *)plan_lane(p, image, thread) + p->buffer[l->index].offset);
        break;
    case NODE_AVERAGE_POOL:
        layer_average_pool(&l->shape, x, y);
        break;
    case NODE_GLOBAL_POOL:
        layer_global_pool(&l->shape, x, y);
        break;
    case NODE_RESIZE:
        layer_resize(&l->shape, x, y);
        break;
    default:
        assert(n->kind == NODE_DROPOUT);
        layer_dropout(
            x, y, l->elements, n->probability, plan_dropout_stream(p, v, image, c), false, t);
    }
    return STATUS_OK;
}

static void keep_outputs(plan *p, value v, int image, int thread) {
    for (int i = 0; i < p->g->outputs; i++) {
        const plan_output_data *o = &p->output[i];
        const layer *l = &p->layer[o->v];
        if (l->writer == v)
            layer_convert_out(plan_data(p, o->v, image, thread),
                o->data + (size_t)image * l->elements, l->elements, p->o.type);
    }
}

/* Nodes begin .. end - 1 of an image; then its statistics for the norm that follows, if any. */
static status run_image(
    plan *p, value begin, value end, int image, int thread, const step_context *c) {
    status s = STATUS_OK;
    double now = plan_lap(p, thread, begin, FORWARD_PASS, 0);
    for (value v = begin; v < end && s == STATUS_OK; v++) {
        if (!p->layer[v].alive || p->layer[v].writer != v) continue;
        s = run_node(p, v, (run_place){image, thread, false}, c);
        keep_outputs(p, v, image, thread);
        now = plan_lap(p, thread, v, FORWARD_PASS, now);
    }
    if (s != STATUS_OK || end == p->nodes) return s;
    norm_measure(p, end, image);
    plan_lap(p, thread, end, FORWARD_PASS, now);
    return s;
}

static status run_images(plan *p, value begin, value end, int images, const step_context *c) {
    status worst = STATUS_OK;
#pragma omp parallel num_threads(p->o.threads)
    {
        omp_set_num_threads(1); /* oneDNN's, onednn.c */
        int thread = omp_get_thread_num();
        status packed = plan_pack_forward(p, begin, end);
        if (packed != STATUS_OK) {
#pragma omp critical(plan_forward)
            worst = packed;
        }
#pragma omp for schedule(dynamic)
        for (int i = 0; i < images; i++) {
            status s = run_image(p, begin, end, i, thread, c);
            if (thread == 0 && c->poll) c->poll(c->poll_context);
            if (s != STATUS_OK) {
#pragma omp critical(plan_forward)
                worst = s;
            }
        }
    }
    return worst;
}

value plan_next_norm(const plan *p, value v) {
    bool batch = p->o.mode == PLAN_TRAIN && p->o.norm != NORM_FROZEN;
    while (v < p->nodes && !(batch && p->layer[v].alive && p->layer[v].n->kind == NODE_NORM)) v++;
    return v;
}

/* Nodes begin .. end - 1 of all images, where they have a place for the backward pass. */
static status run_again(plan *p, value begin, value end, int images, const step_context *c) {
    status worst = STATUS_OK;
#pragma omp parallel num_threads(p->o.threads)
    {
        omp_set_num_threads(1); /* oneDNN's, onednn.c */
        int thread = omp_get_thread_num();
        status mine = plan_pack_forward(p, begin, end);
#pragma omp for schedule(dynamic)
        for (int i = 0; i < images; i++) {
            double now = plan_lap(p, thread, begin, FORWARD_PASS, 0);
            for (value v = begin; v < end && mine == STATUS_OK; v++) {
                if (p->layer[v].again < 0 || plan_again_alone(p, v)) continue;
                mine = run_node(p, v, (run_place){i, thread, true}, c);
                now = plan_lap(p, thread, v, FORWARD_PASS, now);
            }
            if (thread == 0 && c->poll) c->poll(c->poll_context);
        }
        if (mine != STATUS_OK) {
#pragma omp critical(plan_forward)
            worst = mine;
        }
    }
    return worst;
}

status plan_run_again(plan *p, value v, int images, const step_context *c) {
    status s = STATUS_OK;
    for (value begin = p->layer[v].block, end; begin < v && s == STATUS_OK; begin = end) {
        end = plan_next_norm(p, begin + 1);
        if (end > v) end = v;
        s = run_again(p, begin, end, images, c);
    }
    return s;
}

status plan_forward(plan *p, int images, const step_context *c) {
    static const step_context none = {.seed = 0};
    assert(images >= 0 && images <= p->o.images);
    if (!c) c = &none;
    p->images = images;
    bool batch = p->o.mode == PLAN_TRAIN && p->o.norm != NORM_FROZEN;
    for (value v = 0; v < p->nodes && !batch; v++) {
        if (plan_is_norm(p, v)) norm_combine(p, v, images, c);
    }
    status s = STATUS_OK;
    for (value begin = 0, end; begin < p->nodes; begin = end) {
        end = plan_next_norm(p, begin + 1);
        /* After an error the exchanges go on: other ranks wait in them. */
        status run = s == STATUS_OK ? run_images(p, begin, end, images, c) : s;
        if (s == STATUS_OK) s = run;
        if (end < p->nodes) {
            status combined = norm_combine(p, end, images, c);
            if (s == STATUS_OK) s = combined;
        }
    }
    return s;
}
