/* The backward pass: image by image through a few nodes, then what crosses images. */
#include "src/base/rows.h"
#include "src/nn/plan/plan_state.h"

#include <assert.h>
#include <omp.h>
#include <string.h>

/* ---- one image ---- */

/* An image, by a thread of its team. */
typedef struct pass_place {
    int image;
    const team *t;
    float *slot; /* of the weight gradient */
} pass_place;

/* This thread's share of the elements of a map. */
static void *share_at(const plan *p, const void *x, size_t begin) {
    return x ? row_at(x, begin, p->o.type) : NULL;
}

static void pass_concat(plan *p, value v, pass_place r) {
    const layer *l = &p->layer[v];
    size_t first, end;
    team_share(r.t, (size_t)l->height * (size_t)l->width, 1, &first, &end);
    const void *dy = share_at(p, plan_gradient(p, v, r.image), first * (size_t)l->n->channels);
    int begin = 0;
    for (int k = 0; k < l->n->inputs; k++) {
        value x = l->n->input[k];
        int channels = p->layer[x].n->channels;
        if (l->flows[k])
            layer_take(dy, share_at(p, plan_gradient(p, x, r.image), first * (size_t)channels),
                end - first, (int[3]){channels, begin, l->n->channels}, l->accumulates[k],
                p->o.type);
        begin += channels;
    }
}

/* dx (+)= dy where y > 0, of n elements. */
static void pass_share(
    const plan *p, const team *t, const void *dy, const void *y, void *dx, size_t n, bool add) {
    size_t begin, end;
    team_share(t, n, PLAN_SHARE, &begin, &end);
    layer_pass(share_at(p, dy, begin), share_at(p, y, begin), share_at(p, dx, begin), end - begin,
        add, p->o.type);
}

/* The gradient of a sum, or of a ReLU: to each input, where the output is positive. */
static void pass_through(plan *p, value v, pass_place r) {
    const layer *l = &p->layer[v];
    const void *dy = plan_gradient(p, v, r.image);
    const void *y = l->n->relu || l->n->kind == NODE_RELU ? plan_saved(p, v, r.image, 0) : NULL;
    for (int k = 0; k < l->n->inputs; k++) {
        if (!l->flows[k]) continue;
        void *dx = plan_gradient(p, l->n->input[k], r.image);
        if (dx != dy || y || l->accumulates[k])
            pass_share(p, r.t, dy, y, dx, l->elements, l->accumulates[k]);
    }
}

/* The gradient of a sum to its norm, whose sums are taken in the same pass, and to the other. */
static void pass_summed(plan *p, value v, pass_place r) {
    const layer *l = &p->layer[v];
    norm_sum_summed(p, v, r.image, r.t);
    team_meet(r.t);
    for (int k = 0; k < 2; k++)
        if (l->n->input[k] != l->summed && l->flows[k])
            pass_share(p, r.t, plan_gradient(p, v, r.image), NULL,
                plan_gradient(p, l->n->input[k], r.image), l->elements, l->accumulates[k]);
}

static status pass_weights(plan *p, value v, pass_place r) {
    const layer *l = &p->layer[v];
    value x = l->n->input[0];
    const void *dy = plan_gradient(p, v, r.image);
    double now = plan_lap(p, r.t->thread, v, WEIGHTS_PASS, 0);
    if (plan_again_alone(p, x) && p->layer[x].again_at == v) {
        norm_apply(p, x, r.image, r.t, true);
        team_meet(r.t);
    }
    status st = convolution_run_weights(
        l->backward_weights, r.t, plan_saved(p, x, r.image, r.t->leader), dy, r.slot);
    if (l->n->bias >= 0 && r.t->rank == 0)
        layer_channel_sums(dy, (size_t)l->height * (size_t)l->width, l->n->channels, p->o.type,
            r.slot + convolution_gradient_count(l->backward_weights));
    team_meet(r.t);
    plan_lap(p, r.t->thread, v, WEIGHTS_PASS, now);
    return st;
}

static status pass_conv(plan *p, value v, pass_place r) {
    const layer *l = &p->layer[v];
    value x = l->n->input[0];
    status st = pass_weights(p, v, r);
    if (!l->flows[0]) return st;
    double now = plan_lap(p, r.t->thread, v, BACKWARD_PASS, 0);
    void *dx = plan_gradient(p, x, r.image);
    bool apart = l->accumulates[0] && !convolution_adds(l->backward_data);
    void *to = apart ? p->worker[r.t->leader].work : dx;
    status back = convolution_run(l->backward_data, r.t, plan_gradient(p, v, r.image), to, NULL);
    if (apart) {
        team_meet(r.t);
        pass_share(p, r.t, to, NULL, dx, p->layer[x].elements, true);
    }
    plan_lap(p, r.t->thread, v, BACKWARD_PASS, now);
    return st != STATUS_OK ? st : back;
}

static void pass_pool(plan *p, value v, pass_place r) {
    const layer *l = &p->layer[v];
    const void *dy = plan_gradient(p, v, r.image);
    void *dx = plan_gradient(p, l->n->input[0], r.image);
    bool add = l->accumulates[0], leads = r.t->rank == 0;
    layer_part rows = plan_rows(r.t, l->shape.in_height);
    if (l->n->kind == NODE_MAX_POOL)
        layer_max_pool_gradient(&l->shape, rows, dy,
            (const uint8_t *)plan_lane(p, r.image, 0) + p->buffer[l->index].offset, dx, add);
    else if (l->n->kind == NODE_AVERAGE_POOL)
        layer_average_pool_gradient(&l->shape, rows, dy, dx, add);
    else if (l->n->kind == NODE_GLOBAL_POOL && leads)
        layer_global_pool_gradient(&l->shape, dy, dx, add);
    else if (l->n->kind == NODE_RESIZE && leads)
        layer_resize_gradient(&l->shape, dy, dx, add, p->worker[r.t->thread].work);
}

/* Outputs give their gradient to the value, after its consumers. */
static void take_output_gradient(plan *p, value v, pass_place r) {
    bool add = p->layer[v].consumed, taken = false;
    size_t n = p->layer[v].elements, begin, end;
    team_share(r.t, n, PLAN_SHARE, &begin, &end);
    for (int i = 0; i < p->g->outputs; i++) {
        if (p->output[i].v != v || p->layer[v].gradient < 0) continue;
        layer_take_float(p->output[i].gradient + (size_t)r.image * n + begin,
            share_at(p, plan_gradient(p, v, r.image), begin), end - begin, add, p->o.type);
        add = taken = true;
    }
    if (taken) team_meet(r.t);
}

static status pass_node(plan *p, value v, pass_place r, const step_context *c) {
    const layer *l = &p->layer[v];
    const node *n = l->n;
    if (l->gradient < 0) return STATUS_OK;
    if (n->kind == NODE_CONV) return pass_conv(p, v, r);
    if (!l->flows[0] && n->kind != NODE_CONCAT && n->kind != NODE_ADD) return STATUS_OK;
    double now = plan_lap(p, r.t->thread, v, BACKWARD_PASS, 0);
    switch (n->kind) {
    case NODE_NORM:
        norm_backward(p, v, r.image, r.t);
        break;
    case NODE_RELU:
    case NODE_ADD:
        if (!plan_passes_summed(p, v)) pass_through(p, v, r);
        break;
    case NODE_CONCAT:
        pass_concat(p, v, r);
        break;
    case NODE_DROPOUT: /* one stream of random numbers */
        if (r.t->rank == 0)
            layer_dropout(plan_gradient(p, v, r.image), plan_gradient(p, n->input[0], r.image),
                l->elements, n->probability, plan_dropout_stream(p, v, r.image, c),
                l->accumulates[0], p->o.type);
        break;
    default:
        pass_pool(p, v, r);
    }
    plan_lap(p, r.t->thread, v, BACKWARD_PASS, now);
    return STATUS_OK;
}

/* A step of the backward pass; `first` is the image of the first slot. */
typedef struct pass_job {
    const backward_step *b;
    int first;
} pass_job;

static status pass_image(
    plan *p, int image, const team *t, const void *job, const step_context *c) {
    const pass_job *j = job;
    const backward_step *b = j->b;
    pass_place r = {image, t, p->slot + (size_t)(image - j->first) * p->slot_floats};
    status worst = STATUS_OK;
    for (value v = b->high; v >= b->low; v--) {
        /* A norm's own output gradient was taken before its sums. */
        if (!(v == b->high && p->layer[v].n->kind == NODE_NORM)) take_output_gradient(p, v, r);
        status st = pass_node(p, v, r, c);
        if (st != STATUS_OK) worst = st;
        team_meet(t);
    }
    if (b->norm < 0) return worst;
    double now = plan_lap(p, t->thread, b->norm, BACKWARD_PASS, 0);
    take_output_gradient(p, b->norm, r);
    if (b->norm + 1 < p->nodes && plan_passes_summed(p, b->norm + 1))
        pass_summed(p, b->norm + 1, r);
    else
        norm_sum_image(p, b->norm, image, t);
    plan_lap(p, t->thread, b->norm, BACKWARD_PASS, now);
    return worst;
}

/* ---- weight gradients: images in their order within a unit ---- */

static int unit_images(const plan *p) {
    return p->o.norm == NORM_GROUP ? p->o.group : 1;
}

/* A thread's share of n elements, in whole cache lines. */
static void share_of(size_t n, int thread, int threads, size_t *begin, size_t *end) {
    size_t line = 16, lines = (n + line - 1) / line;
    *begin = lines * (size_t)thread / (size_t)threads * line;
    *end = lines * (size_t)(thread + 1) / (size_t)threads * line;
    if (*begin > n) *begin = n;
    if (*end > n) *end = n;
}

/* The unit's gradient is complete: to PyTorch's layout and to the total. By all threads. */
static status finish_unit(plan *p, const layer *l, const float *packed, gradient *total) {
    int thread = omp_get_thread_num(), threads = omp_get_num_threads();
    size_t count = p->p->item[p->item[l->n->weight]].count, begin, end;
    status st = STATUS_OK;
#pragma omp barrier
    st = convolution_unpack(l->backward_weights, thread, threads, packed, p->plain);
    if (thread == 0 && l->n->bias >= 0)
        gradient_add(total, p->item[l->n->bias],
            packed + convolution_gradient_count(l->backward_weights), 0, (size_t)l->n->channels);
#pragma omp barrier
    share_of(count, thread, threads, &begin, &end);
    gradient_add(total, p->item[l->n->weight], p->plain, begin, end);
#pragma omp barrier
    return st;
}

/* Adds the images first .. end - 1, whose gradients stand in the slots. By all threads, each its
 * share of the elements. */
static status add_slots(plan *p, const layer *l, int first, int end, int images, gradient *total) {
    int each = unit_images(p);
    size_t begin, stop;
    status worst = STATUS_OK;
    share_of(l->slot, omp_get_thread_num(), omp_get_num_threads(), &begin, &stop);
    for (int i = first; i < end; i++) {
        const float *slot = p->slot + (size_t)(i - first) * p->slot_floats;
        bool last = i % each == each - 1 || i == images - 1;
        const float *sum = slot;
        if (each > 1) {
            layer_accumulate(p->unit_gradient + begin, slot + begin, stop - begin, i % each != 0);
            sum = p->unit_gradient;
        }
        if (last) {
            status st = finish_unit(p, l, sum, total);
            if (st != STATUS_OK) worst = st;
        }
    }
    return worst;
}

static status run_step(
    plan *p, const backward_step *b, int images, const step_context *c, gradient *total) {
    status worst = STATUS_OK;
    int wave = b->conv >= 0 ? p->slots : images;
#pragma omp parallel num_threads(p->o.threads)
    {
        omp_set_num_threads(1); /* oneDNN's, onednn.c */
        status mine = b->conv >= 0 ? plan_pack_backward(p, b->conv) : STATUS_OK;
        for (int first = 0; first < images; first += wave) {
            int end = images - first < wave ? images : first + wave;
            status st = plan_each_image(p, first, end, pass_image, &(pass_job){b, first}, c);
            if (st != STATUS_OK) mine = st;
            if (b->conv >= 0) {
                st = add_slots(p, &p->layer[b->conv], first, end, images, total);
                if (st != STATUS_OK) mine = st;
#pragma omp barrier
            }
        }
        if (mine != STATUS_OK) {
#pragma omp critical(plan_backward)
            worst = mine;
        }
    }
    return worst;
}

/* ---- the pass ---- */

/* A node's parameters, before units add to them. */
static void open_node(const plan *p, value v, gradient *total) {
    if (v < 0) return;
    if (p->layer[v].n->bias >= 0) gradient_open(total, p->item[p->layer[v].n->bias]);
    if (p->layer[v].n->weight >= 0) gradient_open(total, p->item[p->layer[v].n->weight]);
}

static void report(plan *p, int declared, gradient *total) {
    if (declared < 0 || p->reported[p->item[declared]]) return;
    p->reported[p->item[declared]] = true;
    gradient_ready(total, p->item[declared]);
}

static void report_node(plan *p, value v, gradient *total) {
    if (v < 0) return;
    report(p, p->layer[v].n->bias, total);
    report(p, p->layer[v].n->weight, total);
}

status plan_backward(plan *p, int images, const step_context *c, gradient *total) {
    assert(p->o.mode == PLAN_TRAIN && images == p->images);
    assert(!c->more || p->o.norm != NORM_SYNC);
    memset(p->reported, 0, (size_t)p->p->trainable * sizeof *p->reported);
    status st = STATUS_OK;
    for (int i = 0; i < p->steps; i++) {
        const backward_step *b = &p->step[i];
        if (st == STATUS_OK && p->layer[b->high].block >= 0)
            st = plan_run_again(p, b->high, images, c);
        open_node(p, b->conv, total);
        if (st == STATUS_OK) st = run_step(p, b, images, c, total);
        open_node(p, b->norm, total);
        if (b->norm >= 0) {
            /* After an error the exchanges go on: other ranks wait in them. */
            status combined = norm_combine_sums(p, b->norm, images, c, total);
            if (st == STATUS_OK) st = combined;
        }
        if (c->more) continue;
        report_node(p, b->conv, total);
        report_node(p, b->norm, total);
    }
    for (int i = 0; i < p->p->trainable; i++)
        if (!c->more && !p->reported[i]) gradient_ready(total, i);
    return st;
}

/* ---- creation ---- */

static bool is_active(const plan *p, value v, node_kind kind) {
    return p->layer[v].gradient >= 0 && p->layer[v].n->kind == kind;
}

/* From `high` down: at most one convolution; a norm begins a step, for its sums end the one before.
 */
static backward_step next_step(const plan *p, value high) {
    backward_step b = {.high = high, .low = high, .conv = -1, .norm = -1};
    for (value v = high;; v--) {
        b.low = v;
        if (is_active(p, v, NODE_CONV)) b.conv = v;
        if (v == 0) return b;
        if (is_active(p, v - 1, NODE_NORM)) {
            b.norm = v - 1;
            return b;
        }
        if (b.conv >= 0 && is_active(p, v - 1, NODE_CONV)) return b;
        if (p->layer[v - 1].block >= 0) return b; /* what it ends is computed again before */
    }
}

static status create_steps(plan *p) {
    p->step = plan_alloc(p, (size_t)p->nodes + 1, sizeof *p->step, "plan");
    if (!p->step) return STATUS_FAILED;
    value high = p->nodes - 1;
    /* The last node may be a norm: a step of its sums alone. */
    if (is_active(p, high, NODE_NORM))
        p->step[p->steps++] =
            (backward_step){.high = high, .low = high + 1, .conv = -1, .norm = high};
    while (high >= 0) {
        p->step[p->steps] = next_step(p, high);
        high = p->step[p->steps++].low - 1;
    }
    return STATUS_OK;
}

/* Memory that holds the weight gradients of several images: at least one a thread, and no more than
 * keep threads busy that finish at different times. */
enum { SLOT_BYTES = 64 << 20, SLOTS_A_THREAD = 4 };

static status create_slots(plan *p) {
    size_t plain = 0;
    for (value v = 0; v < p->nodes; v++) {
        layer *l = &p->layer[v];
        if (!is_active(p, v, NODE_CONV)) continue;
        l->slot = convolution_gradient_count(l->backward_weights) +
                  (l->n->bias >= 0 ? (size_t)l->n->channels : 0);
        if (l->slot > p->slot_floats) p->slot_floats = l->slot;
        size_t count = p->p->item[p->item[l->n->weight]].count;
        if (count > plain) plain = count;
    }
    p->slot_floats = (p->slot_floats + 15) / 16 * 16;
    size_t fit = SLOT_BYTES / (p->slot_floats * sizeof(float) + 1);
    int most = p->o.threads > 1 ? SLOTS_A_THREAD * p->o.threads : 1;
    p->slots = fit < (size_t)most ? (int)fit : most;
    if (p->slots < p->o.threads) p->slots = p->o.threads;
    p->slots -= p->slots % p->o.threads; /* waves of images of which every thread has as many */
    if (p->slots > p->o.images) p->slots = p->o.images;
    p->slot = plan_alloc(p, (size_t)p->slots, p->slot_floats * sizeof(float), "weight gradients");
    p->unit_gradient = plan_alloc(p, p->slot_floats, sizeof(float), "weight gradients");
    p->plain = plan_alloc(p, plain, sizeof(float), "weight gradients");
    return p->slot && p->unit_gradient && p->plain ? STATUS_OK : STATUS_FAILED;
}

status plan_create_backward(plan *p) {
    p->reported = plan_alloc(p, (size_t)p->p->trainable, sizeof *p->reported, "plan");
    if (!p->reported) return STATUS_FAILED;
    status st = create_steps(p);
    return st == STATUS_OK ? create_slots(p) : st;
}
