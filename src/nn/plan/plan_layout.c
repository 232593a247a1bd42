/* Buffers, each with the moments at which it is born and dies, and places for them in one arena:
 * the largest first, each as low as nothing that lives at the same time allows.
 *
 * Moments: 0 .. n - 1 are the nodes of the forward pass, n .. 2 n - 1 those of the backward pass,
 * from the last node down. A gradient that several nodes give to is born at the first of them. What
 * is computed again has a second buffer, which lives in the backward pass alone; what that needs as
 * its input is kept, or computed again itself, from the block's end down.
 *
 * The order of the calls matters: values first, then gradients, which say what the backward pass
 * computes at all; then what that reads is kept or computed again, and at last places are given.
 * Only numbers are made here; plan_create_maps takes the memory. All images have the same arena,
 * one copy a lane. */
#include "src/nn/plan/plan_layout.h"

#include "src/base/memory.h"
#include "src/nn/plan/plan_again.h"
#include "src/nn/plan/plan_backward.h"
#include "src/nn/plan/plan_conv.h"
#include "src/nn/plan/plan_operators.h"

enum { ALIGNMENT = 64 };

static int backward_moment(const plan *p, value v) {
    return 2 * p->nodes - 1 - v;
}

/* Whole cache lines. It dies where it is born, until keep() says otherwise. */
static int add_buffer(plan *p, size_t bytes, int born) {
    bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    p->buffer[p->buffers] = (buffer){.bytes = bytes, .born = born, .dies = born};
    return p->buffers++;
}

/* -1 is a value without a buffer: the caller's image. */
static void keep(plan *p, int b, int until) {
    if (b >= 0 && p->buffer[b].dies < until) p->buffer[b].dies = until;
}

/* The caller's image itself is read: in fp32, which convolutions take for bf16 maps, too. */
static bool reads_image(const plan *p, value v) {
    if (p->layer[v].op->role != OPERATOR_IMAGE) return false;
    if (plan_is_output(p, v)) return p->o.type == DTYPE_F32;
    for (value j = v + 1; j < p->nodes && p->o.type != DTYPE_F32; j++)
        for (int k = 0; p->layer[j].alive && k < p->layer[j].n->inputs; k++)
            if (p->layer[j].n->input[k] == v && k < plan_inputs_read(&p->layer[j]) &&
                p->layer[j].op->role != OPERATOR_WEIGHTS && !p->layer[j].op->takes_image)
                return false;
    return true;
}

/* Values live from the node that computes them to their last reader, in PLAN_TRAIN also to where
 * the backward pass reads them. Two loops, for a value's buffer must exist before its readers
 * extend it. */
static void lay_values(plan *p) {
    for (value v = 0; v < p->nodes; v++) {
        layer *l = &p->layer[v];
        /* What is only an intermediate result of a fused convolution has no place. */
        if (!l->alive || l->root != v || p->layer[l->writer].target != v) continue;
        if (!reads_image(p, v))
            l->data = add_buffer(p, l->elements * dtype_size(p->o.type), l->writer);
    }
    for (value v = 0; v < p->nodes; v++)
        for (int k = 0; p->layer[v].alive && k < p->layer[v].n->inputs; k++)
            keep(p, p->layer[p->layer[p->layer[v].n->input[k]].root].data, p->layer[v].writer);
}

/* v is read in the backward pass at a moment: kept until then, or computed again. */
static void keep_saved(plan *p, value v, int moment) {
    layer *l = &p->layer[p->layer[v].root];
    if (l->again_at < 0) {
        keep(p, l->data, moment);
        return;
    }
    if (l->again < 0)
        l->again =
            add_buffer(p, l->elements * dtype_size(p->o.type), backward_moment(p, l->again_at));
    keep(p, l->again, moment);
}

/* A weight gradient of a unit's images at once is computed when they have come to the end of the
 * step, the sums of a norm included: what it reads lives until then. */
static void keep_for_units(plan *p) {
    for (value v = 0; v < p->nodes; v++) {
        layer *l = &p->layer[v];
        l->units = plan_takes_units(p, v);
        if (!l->units) continue;
        value low = v;
        while (!plan_step_ends(p, low, true)) low--;
        int moment = backward_moment(p, low > 0 ? low - 1 : 0);
        keep(p, l->gradient, moment);
        keep_saved(p, l->n->input[0], moment);
    }
}

/* What is computed again reads others, from the block's end down. */
static void keep_for_again(plan *p) {
    for (value v = p->nodes - 1; v >= 0; v--) {
        const layer *l = &p->layer[v];
        if (l->again < 0) continue;
        int moment = backward_moment(p, l->again_at);
        for (int k = 0; k < l->n->inputs; k++) keep_saved(p, l->n->input[k], moment);
    }
}

/* Nodes without a gradient have no backward pass, and nothing is kept for them. */
static void keep_for_backward(plan *p) {
    for (value v = 0; v < p->nodes; v++) {
        layer *l = &p->layer[v];
        if (l->gradient < 0) continue;
        int moment = backward_moment(p, v);
        if (l->op->saves_input) keep_saved(p, l->n->input[0], moment);
        if (l->op->saves_output && l->n->relu) keep_saved(p, v, moment);
        if (l->op->keeps > 0) {
            l->kept = add_buffer(p, l->elements * l->op->keeps, v);
            keep(p, l->kept, moment);
        }
    }
}

/* From the outputs down: which inputs receive a gradient, who writes it first, who adds. Consumers
 * are met before the node that they give to, since inputs have lower indices. A gradient that takes
 * the place of the value's (in_place) extends the life of that buffer. */
static void lay_gradients(plan *p) {
    for (int i = 0; i < p->g->outputs; i++) {
        layer *l = &p->layer[p->g->output[i]];
        if (l->trainable && l->gradient < 0)
            l->gradient = add_buffer(
                p, l->elements * dtype_size(p->o.type), backward_moment(p, p->g->output[i]));
    }
    for (value v = p->nodes - 1; v >= 0; v--) {
        layer *l = &p->layer[v];
        const node *n = l->n;
        int moment = backward_moment(p, v);
        if (l->gradient < 0) continue;
        keep(p, l->gradient, moment);
        for (int k = 0; k < plan_inputs_read(l); k++) {
            layer *in = &p->layer[n->input[k]];
            if (!in->trainable) continue;
            l->flows[k] = true;
            l->accumulates[k] = in->consumed;
            in->consumed = true;
            if (in->gradient < 0)
                in->gradient = k == 0 && l->op->in_place
                                   ? l->gradient
                                   : add_buffer(p, in->elements * dtype_size(p->o.type), moment);
            keep(p, in->gradient, moment);
            if (p->buffer[in->gradient].born > moment) p->buffer[in->gradient].born = moment;
        }
    }
}

/* Moments are inclusive: what a node reads and what it writes are alive at the same one. */
static bool meet(const buffer *a, const buffer *b) {
    return a->born <= b->dies && b->born <= a->dies;
}

/* Lowest place where nothing that lives at the same time stands; the largest first. After a move
 * the search begins anew (j = -1), for the new place may be another one's. */
static void place(plan *p, const int *order) {
    for (int i = 0; i < p->buffers; i++) {
        buffer *b = &p->buffer[order[i]];
        b->offset = 0;
        for (int j = 0; j < i; j++) {
            const buffer *c = &p->buffer[order[j]];
            if (!meet(b, c) || b->offset + b->bytes <= c->offset ||
                c->offset + c->bytes <= b->offset)
                continue;
            b->offset = c->offset + c->bytes;
            j = -1;
        }
        if (b->offset + b->bytes > p->arena_bytes) p->arena_bytes = b->offset + b->bytes;
    }
}

/* Stable insertion: the same arena on every machine; some hundreds of buffers. */
static void sort_by_size(const plan *p, int *order) {
    for (int i = 0; i < p->buffers; i++) {
        int j = i;
        for (; j > 0 && p->buffer[order[j - 1]].bytes < p->buffer[i].bytes; j--)
            order[j] = order[j - 1];
        order[j] = i;
    }
}

/* In fp32, whatever the maps are: losses and labels are computed from them. */
static status create_outputs(plan *p) {
    size_t images = (size_t)p->o.images;
    p->output = plan_alloc(p, (size_t)p->g->outputs, sizeof *p->output, "outputs");
    if (!p->output) return STATUS_FAILED;
    for (int i = 0; i < p->g->outputs; i++) {
        plan_output_data *o = &p->output[i];
        o->v = p->g->output[i];
        size_t count = images * p->layer[o->v].elements;
        o->data = plan_alloc(p, count, sizeof *o->data, "outputs");
        if (p->o.mode == PLAN_TRAIN)
            o->gradient = plan_alloc(p, count, sizeof *o->gradient, "gradients of outputs");
        if (!o->data || (p->o.mode == PLAN_TRAIN && !o->gradient)) return STATUS_FAILED;
    }
    return STATUS_OK;
}

static size_t input_elements(const plan *p) {
    for (value v = 0; v < p->nodes; v++)
        if (p->layer[v].op->role == OPERATOR_IMAGE) return p->layer[v].elements;
    return 0;
}

status plan_layout(plan *p) {
    /* Each node's value, the same again, its gradient and what it keeps. */
    p->buffer = plan_alloc(p, 4 * (size_t)p->nodes, sizeof *p->buffer, "plan");
    int *order = memory_alloc(4 * (size_t)p->nodes, sizeof *order, "plan");
    status st = p->buffer && order ? STATUS_OK : STATUS_FAILED;
    if (st != STATUS_OK) goto done;
    lay_values(p);
    if (p->o.mode == PLAN_TRAIN) {
        lay_gradients(p);
        plan_choose_again(p);
        keep_for_backward(p);
        keep_for_units(p);
        keep_for_again(p);
    }
    sort_by_size(p, order);
    place(p, order);
done:
    memory_free(order);
    return st;
}

status plan_create_maps(plan *p) {
    p->lanes = p->o.mode == PLAN_TRAIN ? p->o.images : p->o.threads;
    p->arena = plan_alloc(p, (size_t)p->lanes, p->arena_bytes, "activations");
    p->input =
        plan_alloc(p, (size_t)p->o.images, input_elements(p) * sizeof *p->input, "input images");
    return p->arena && p->input ? create_outputs(p) : STATUS_FAILED;
}

/* Of one image: its arena, the input, the outputs and their gradients. */
size_t plan_map_bytes(const plan *p) {
    size_t floats = input_elements(p);
    for (int i = 0; i < p->g->outputs; i++) floats += 2 * p->layer[p->g->output[i]].elements;
    return p->arena_bytes + floats * sizeof(float);
}
