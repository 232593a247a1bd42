#include "src/base/rows.h"
#include "src/nn/plan/plan_state.h"

#include <assert.h>
#include <omp.h>

/* The moment of a pass: an image, by a thread of its team; again: for the backward pass. */
typedef struct run_place {
    int image;
    const team *t;
    bool again;
} run_place;

static void *place_of(const plan *p, value v, run_place r) {
    return plan_place(p, v, r.image, r.t->leader, r.again);
}

static void concat(plan *p, value v, run_place r) {
    const layer *l = &p->layer[v];
    size_t first, end, all = (size_t)l->n->channels;
    team_share(r.t, (size_t)l->height * (size_t)l->width, 1, &first, &end);
    void *y = row_at(place_of(p, v, r), first * all, p->o.type);
    int begin = 0;
    for (int k = 0; k < l->n->inputs; k++) {
        value x = l->n->input[k];
        int channels = p->layer[x].n->channels;
        const void *from = row_at(place_of(p, x, r), first * (size_t)channels, p->o.type);
        layer_put(from, y, end - first, channels, begin, l->n->channels, p->o.type);
        begin += channels;
    }
}

static status convolve(plan *p, value v, run_place r) {
    const layer *l = &p->layer[v];
    const float *bias = l->fold >= 0 ? l->folded_bias : plan_parameter(p, l->n->bias);
    return convolution_run(
        l->forward, r.t, place_of(p, l->n->input[0], r), place_of(p, l->target, r), bias);
}

random_stream plan_dropout_stream(const plan *p, value v, int image, const step_context *c) {
    uint64_t item = (uint64_t)(c->first + image) * (uint64_t)p->nodes + (uint64_t)v;
    return random_begin(c->seed, RANDOM_DROPOUT, c->step, item);
}

/* Sums and what is done element by element. */
static void run_elements(plan *p, value v, run_place r) {
    const layer *l = &p->layer[v];
    const node *n = l->n;
    dtype t = p->o.type;
    size_t begin, end;
    team_share(r.t, l->elements, PLAN_SHARE, &begin, &end);
    void *y = row_at(place_of(p, v, r), begin, t);
    if (n->kind == NODE_INPUT) {
        const float *image = p->input + (size_t)r.image * l->elements;
        layer_convert_in(image + begin, y, end - begin, t);
        return;
    }
    const void *x = row_at(place_of(p, n->input[0], r), begin, t);
    if (n->kind == NODE_RELU)
        layer_relu(x, y, end - begin, t);
    else
        layer_add(x, row_at(place_of(p, n->input[1], r), begin, t), y, end - begin, n->relu, t);
}

static void run_pool(plan *p, value v, run_place r) {
    const layer *l = &p->layer[v];
    const void *x = place_of(p, l->n->input[0], r);
    void *y = place_of(p, v, r);
    char *lane = plan_lane(p, r.image, r.t->leader);
    uint8_t *index = l->index < 0 ? NULL : (uint8_t *)lane + p->buffer[l->index].offset;
    layer_part rows = plan_rows(r.t, l->height);
    if (l->n->kind == NODE_MAX_POOL)
        layer_max_pool(&l->shape, rows, x, y, index);
    else if (l->n->kind == NODE_AVERAGE_POOL)
        layer_average_pool(&l->shape, rows, x, y);
    else if (l->n->kind == NODE_RESIZE)
        layer_resize(&l->shape, rows, x, y);
    else if (r.t->rank == 0)
        layer_global_pool(&l->shape, x, y);
}

static status run_node(plan *p, value v, run_place r, const step_context *c) {
    const layer *l = &p->layer[v];
    const node *n = l->n;
    switch (n->kind) {
    case NODE_CONV:
        return convolve(p, v, r);
    case NODE_INPUT:
        if (l->data >= 0) run_elements(p, v, r);
        break;
    case NODE_NORM:
        norm_apply(p, v, r.image, r.t, r.again);
        break;
    case NODE_ADD:
        if (l->summed >= 0) {
            norm_apply_sum(p, v, r.image, r.t);
            break;
        }
        run_elements(p, v, r);
        break;
    case NODE_RELU:
        run_elements(p, v, r);
        break;
    case NODE_CONCAT:
        concat(p, v, r);
        break;
    case NODE_DROPOUT: /* one stream of random numbers */
        if (r.t->rank == 0)
            layer_dropout(place_of(p, n->input[0], r), place_of(p, v, r), l->elements,
                n->probability, plan_dropout_stream(p, v, r.image, c), false, p->o.type);
        break;
    default:
        run_pool(p, v, r);
    }
    return STATUS_OK;
}

static void keep_outputs(plan *p, value v, run_place r) {
    for (int i = 0; i < p->g->outputs; i++) {
        const plan_output_data *o = &p->output[i];
        const layer *l = &p->layer[o->v];
        if (l->writer != v) continue;
        float *to = o->data + (size_t)r.image * l->elements;
        size_t begin, end;
        team_share(r.t, l->elements, PLAN_SHARE, &begin, &end);
        layer_convert_out(
            row_at(place_of(p, o->v, r), begin, p->o.type), to + begin, end - begin, p->o.type);
        team_meet(r.t);
    }
}

/* Nodes begin .. end - 1. */
typedef struct segment {
    value begin, end;
} segment;

/* A segment for an image; then its statistics for the norm that follows, if any. */
static status run_image(plan *p, int image, const team *t, const void *job, const step_context *c) {
    const segment *g = job;
    run_place r = {image, t, false};
    status worst = STATUS_OK;
    double now = plan_lap(p, t->thread, g->begin, FORWARD_PASS, 0);
    for (value v = g->begin; v < g->end; v++) {
        if (!p->layer[v].alive || p->layer[v].writer != v) continue;
        status st = run_node(p, v, r, c);
        if (st != STATUS_OK) worst = st;
        team_meet(t);
        keep_outputs(p, v, r);
        now = plan_lap(p, t->thread, v, FORWARD_PASS, now);
    }
    if (g->end == p->nodes) return worst;
    norm_measure(p, g->end, image, t);
    plan_lap(p, t->thread, g->end, FORWARD_PASS, now);
    return worst;
}

/* The same again for the backward pass, where a node has a place for it. */
static status run_image_again(
    plan *p, int image, const team *t, const void *job, const step_context *c) {
    const segment *g = job;
    status worst = STATUS_OK;
    double now = plan_lap(p, t->thread, g->begin, FORWARD_PASS, 0);
    for (value v = g->begin; v < g->end; v++) {
        if (p->layer[v].again < 0 || plan_again_alone(p, v)) continue;
        status st = run_node(p, v, (run_place){image, t, true}, c);
        if (st != STATUS_OK) worst = st;
        team_meet(t);
        now = plan_lap(p, t->thread, v, FORWARD_PASS, now);
    }
    return worst;
}

static status run_images(plan *p, plan_work *work, segment g, int images, const step_context *c) {
    status worst = STATUS_OK;
#pragma omp parallel num_threads(p->o.threads)
    {
        omp_set_num_threads(1); /* oneDNN's, onednn.c */
        status packed = plan_pack_forward(p, g.begin, g.end);
        status st = plan_each_image(p, 0, images, work, &g, c);
        if (packed != STATUS_OK) st = packed;
        if (st != STATUS_OK) {
#pragma omp critical(plan_forward)
            worst = st;
        }
    }
    return worst;
}

value plan_next_norm(const plan *p, value v) {
    bool batch = p->o.mode == PLAN_TRAIN && p->o.norm != NORM_FROZEN;
    while (v < p->nodes && !(batch && p->layer[v].alive && p->layer[v].n->kind == NODE_NORM)) v++;
    return v;
}

status plan_run_again(plan *p, value v, int images, const step_context *c) {
    status st = STATUS_OK;
    for (value begin = p->layer[v].block, end; begin < v && st == STATUS_OK; begin = end) {
        end = plan_next_norm(p, begin + 1);
        if (end > v) end = v;
        st = run_images(p, run_image_again, (segment){begin, end}, images, c);
    }
    return st;
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
    status st = STATUS_OK;
    for (value begin = 0, end; begin < p->nodes; begin = end) {
        end = plan_next_norm(p, begin + 1);
        /* After an error the exchanges go on: other ranks wait in them. */
        status run =
            st == STATUS_OK ? run_images(p, run_image, (segment){begin, end}, images, c) : st;
        if (st == STATUS_OK) st = run;
        if (end < p->nodes) {
            status combined = norm_combine(p, end, images, c);
            if (st == STATUS_OK) st = combined;
        }
    }
    return st;
}
