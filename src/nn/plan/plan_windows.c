/* Pools and resizing: teams share out rows of what is written. What a kernel does for whole images
 * alone, the leader does.
 *
 * Pools need no meeting between rows, for each element that is written is computed by itself,
 * backward too (kernels/pooling.c). The adjoint of resizing adds to an input from several rows of
 * outputs, and the mean of all pixels is one sum over rows: two threads would meet in one element.
 * None of these kernels can fail. */
#include "src/nn/plan/plan_windows.h"

/* This thread's share of rows. */
static layer_part rows_of(const turn *r, int rows) {
    size_t begin, end;
    team_share(r->t, (size_t)rows, 1, &begin, &end);
    return (layer_part){(int)begin, (int)end};
}

static void *place(const plan *p, value v, const turn *r) {
    return plan_place(p, v, r->image, r->t->leader, r->again);
}

static void *input_gradient(const plan *p, const layer *l, const turn *r) {
    return plan_gradient(p, l->n->input[0], r->image);
}

/* Positions are kept only where the backward pass wants them. */
status max_pool_forward(plan *p, value v, const turn *r) {
    const layer *l = &p->layer[v];
    uint8_t *index = l->kept < 0 ? NULL : plan_kept(p, v, r->image);
    layer_max_pool(
        &l->shape, rows_of(r, l->height), place(p, l->n->input[0], r), place(p, v, r), index);
    return STATUS_OK;
}

status max_pool_backward(plan *p, value v, const turn *r) {
    const layer *l = &p->layer[v];
    layer_max_pool_gradient(&l->shape, rows_of(r, l->shape.in_height),
        plan_gradient(p, v, r->image), plan_kept(p, v, r->image), input_gradient(p, l, r),
        l->accumulates[0]);
    return STATUS_OK;
}

status average_pool_forward(plan *p, value v, const turn *r) {
    const layer *l = &p->layer[v];
    layer_average_pool(
        &l->shape, rows_of(r, l->height), place(p, l->n->input[0], r), place(p, v, r));
    return STATUS_OK;
}

status average_pool_backward(plan *p, value v, const turn *r) {
    const layer *l = &p->layer[v];
    layer_average_pool_gradient(&l->shape, rows_of(r, l->shape.in_height),
        plan_gradient(p, v, r->image), input_gradient(p, l, r), l->accumulates[0]);
    return STATUS_OK;
}

status global_pool_forward(plan *p, value v, const turn *r) {
    const layer *l = &p->layer[v];
    if (r->t->rank == 0) layer_global_pool(&l->shape, place(p, l->n->input[0], r), place(p, v, r));
    return STATUS_OK;
}

status global_pool_backward(plan *p, value v, const turn *r) {
    const layer *l = &p->layer[v];
    if (r->t->rank == 0)
        layer_global_pool_gradient(
            &l->shape, plan_gradient(p, v, r->image), input_gradient(p, l, r), l->accumulates[0]);
    return STATUS_OK;
}

status resize_forward(plan *p, value v, const turn *r) {
    const layer *l = &p->layer[v];
    layer_resize(&l->shape, rows_of(r, l->height), place(p, l->n->input[0], r), place(p, v, r));
    return STATUS_OK;
}

/* The leader's own `work`, in fp32, has room for a whole image's gradient (plan_create_workers). */
status resize_backward(plan *p, value v, const turn *r) {
    const layer *l = &p->layer[v];
    if (r->t->rank == 0)
        layer_resize_gradient(&l->shape, plan_gradient(p, v, r->image), input_gradient(p, l, r),
            l->accumulates[0], p->worker[r->t->thread].work);
    return STATUS_OK;
}
