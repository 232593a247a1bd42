/* Elementwise operators: shares of elements are whole cache lines, so that no two threads write to
 * the same one.
 *
 * None needs its neighbours, and each element is computed alike in any share. The backward pass of
 * an operator writes to an input's gradient, or adds to it where another consumer came first
 * (`accumulates`); which comes first is a matter of the graph's order, so sums of several consumers
 * have one order. */
#include "src/nn/plan/plan_elements.h"

#include "src/base/rows.h"
#include "src/nn/plan/plan_norm.h"

/* This thread's elements of a map of n: *begin .. *end - 1. */
static void share(const turn *r, size_t n, size_t *begin, size_t *end) {
    team_share(r->t, n, PLAN_SHARE, begin, end);
}

/* The value of v in this pass, from element `begin` on. */
static void *value_from(const plan *p, value v, const turn *r, size_t begin) {
    void *x = plan_place(p, v, r->image, r->t->leader, r->again);
    return row_at(x, begin, p->o.type);
}

static void *gradient_from(const plan *p, value v, const turn *r, size_t begin) {
    return row_at(plan_gradient(p, v, r->image), begin, p->o.type);
}

/* ---- forward ---- */

/* Without a buffer the caller's image is read where it stands. */
status input_forward(plan *p, value v, const turn *r) {
    const layer *l = &p->layer[v];
    size_t begin, end;
    if (l->data < 0) return STATUS_OK;
    share(r, l->elements, &begin, &end);
    const float *image = p->input + (size_t)r->image * l->elements;
    layer_convert_in(image + begin, value_from(p, v, r, begin), end - begin, p->o.type);
    return STATUS_OK;
}

status relu_forward(plan *p, value v, const turn *r) {
    const layer *l = &p->layer[v];
    size_t begin, end;
    share(r, l->elements, &begin, &end);
    layer_relu(value_from(p, l->n->input[0], r, begin), value_from(p, v, r, begin), end - begin,
        p->o.type);
    return STATUS_OK;
}

status add_forward(plan *p, value v, const turn *r) {
    const layer *l = &p->layer[v];
    size_t begin, end;
    if (l->summed >= 0) {
        norm_apply_sum(p, v, r);
        return STATUS_OK;
    }
    share(r, l->elements, &begin, &end);
    layer_add(value_from(p, l->n->input[0], r, begin), value_from(p, l->n->input[1], r, begin),
        value_from(p, v, r, begin), end - begin, l->n->relu, p->o.type);
    return STATUS_OK;
}

/* Shares are pixels here: a pixel's channels come from several values. */
status concat_forward(plan *p, value v, const turn *r) {
    const layer *l = &p->layer[v];
    size_t first, end, all = (size_t)l->n->channels;
    team_share(r->t, (size_t)l->height * (size_t)l->width, 1, &first, &end);
    void *y = value_from(p, v, r, first * all);
    int begin = 0;
    for (int k = 0; k < l->n->inputs; k++) {
        value x = l->n->input[k];
        int channels = p->layer[x].n->channels;
        layer_put(value_from(p, x, r, first * (size_t)channels), y, end - first, channels, begin,
            l->n->channels, p->o.type);
        begin += channels;
    }
    return STATUS_OK;
}

/* Keyed by the image's place in the global batch and the node: no rank and no order decides.
 * Forward and backward draw the same words from it. */
static random_stream dropout_stream(const plan *p, value v, const turn *r) {
    uint64_t item = (uint64_t)(r->c->first + r->image) * (uint64_t)p->nodes + (uint64_t)v;
    return random_begin(r->c->seed, RANDOM_DROPOUT, r->c->step, item);
}

/* One stream of random numbers: by the leader alone. */
status dropout_forward(plan *p, value v, const turn *r) {
    const layer *l = &p->layer[v];
    if (r->t->rank == 0)
        layer_dropout(value_from(p, l->n->input[0], r, 0), value_from(p, v, r, 0), l->elements,
            l->n->probability, dropout_stream(p, v, r), false, p->o.type);
    return STATUS_OK;
}

/* ---- backward ---- */

void pass_elements(
    const plan *p, const turn *r, const void *dy, const void *y, void *dx, size_t n, bool add) {
    size_t begin, end;
    share(r, n, &begin, &end);
    layer_pass(row_at(dy, begin, p->o.type), y ? row_at(y, begin, p->o.type) : NULL,
        row_at(dx, begin, p->o.type), end - begin, add, p->o.type);
}

/* To each input, where the ReLU let the value pass, if there is one. An input whose gradient stands
 * where the node's own does has it already. */
static void pass_through(const plan *p, value v, const turn *r) {
    const layer *l = &p->layer[v];
    const void *dy = plan_gradient(p, v, r->image);
    const void *y = l->n->relu ? plan_saved(p, v, r->image, 0) : NULL;
    for (int k = 0; k < l->n->inputs; k++) {
        if (!l->flows[k]) continue;
        void *dx = plan_gradient(p, l->n->input[k], r->image);
        if (dx != dy || y || l->accumulates[k])
            pass_elements(p, r, dy, y, dx, l->elements, l->accumulates[k]);
    }
}

status relu_backward(plan *p, value v, const turn *r) {
    pass_through(p, v, r);
    return STATUS_OK;
}

/* With a norm fused into it the gradient was passed on as the norm took its sums. */
status add_backward(plan *p, value v, const turn *r) {
    if (!norm_takes_gradient(p, v)) pass_through(p, v, r);
    return STATUS_OK;
}

status concat_backward(plan *p, value v, const turn *r) {
    const layer *l = &p->layer[v];
    size_t first, end;
    team_share(r->t, (size_t)l->height * (size_t)l->width, 1, &first, &end);
    const void *dy = gradient_from(p, v, r, first * (size_t)l->n->channels);
    int begin = 0;
    for (int k = 0; k < l->n->inputs; k++) {
        value x = l->n->input[k];
        int channels = p->layer[x].n->channels;
        if (l->flows[k])
            layer_take(dy, gradient_from(p, x, r, first * (size_t)channels), end - first,
                (int[3]){channels, begin, l->n->channels}, l->accumulates[k], p->o.type);
        begin += channels;
    }
    return STATUS_OK;
}

/* The gradient of what was dropped is 0, of the rest scaled alike: the same loop, on the
 * gradient. */
status dropout_backward(plan *p, value v, const turn *r) {
    const layer *l = &p->layer[v];
    if (r->t->rank == 0)
        layer_dropout(gradient_from(p, v, r, 0), gradient_from(p, l->n->input[0], r, 0),
            l->elements, l->n->probability, dropout_stream(p, v, r), l->accumulates[0], p->o.type);
    return STATUS_OK;
}
