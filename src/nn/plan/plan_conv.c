/* Convolutions of a plan: which kernel each pass takes is the kernels' choice (convolution.c); what
 * is fused, what flows and what has to be computed again is known here.
 *
 * The forward pass knows nothing of folding but its bias: folded weights are packed in the place of
 * the layer's own (plan_pack.c). */
#include "src/nn/plan/plan_conv.h"

#include "src/base/memory.h"
#include "src/nn/plan/plan_again.h"
#include "src/nn/plan/plan_elements.h"
#include "src/nn/plan/plan_norm.h"
#include "src/nn/plan/plan_operators.h"
#include "src/nn/plan/plan_team.h"

/* In an fp32 network products are fp32; in a bf16 one they may be either, as the processor is
 * faster. */
static conv_choice choice_of(const plan *p, const layer *l) {
    value x = l->n->input[0];
    /* The caller's image is read as it is: in fp32. */
    bool image = p->layer[x].op->role == OPERATOR_IMAGE && p->layer[x].data < 0;
    return (conv_choice){.direct = p->o.direct,
        .fp32 = image,
        .products = p->o.type == DTYPE_F32 ? DTYPE_F32 : p->o.products,
        .tiles = p->o.tiles,
        .narrow = !onednn_is_wide(),
        .team = plan_largest_team(p),
        .unit = plan_unit_images(p),
        .threads = p->o.threads};
}

bool plan_takes_units(const plan *p, value v) {
    const layer *l = &p->layer[v];
    return l->gradient >= 0 && plan_has_role(p, v, OPERATOR_WEIGHTS) &&
           convolution_takes_units(&l->conv, choice_of(p, l));
}

/* Without a gradient for its input, as the first convolution of a network, there is no
 * backward-data. .sum: the input has received a gradient from another consumer before, which the
 * kernel is to add to. */
static status create_training_kernels(plan *p, layer *l) {
    conv_fusion f = {.sum = l->accumulates[0]};
    status st = convolution_create(
        &l->backward_weights, p->engine, &l->conv, CONV_BACKWARD_WEIGHTS, f, choice_of(p, l));
    if (st != STATUS_OK || !l->flows[0]) return st;
    return convolution_create(
        &l->backward_data, p->engine, &l->conv, CONV_BACKWARD_DATA, f, choice_of(p, l));
}

/* A folded norm brings a bias along, even where the convolution had none. */
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

/* After fusion and the layout of gradients, which say what a kernel has to do besides. */
status plan_create_kernels(plan *p) {
    status st = onednn_create(&p->engine, p->o.threads);
    for (value v = 0; v < p->nodes && st == STATUS_OK; v++) {
        layer *l = &p->layer[v];
        if (plan_has_role(p, v, OPERATOR_WEIGHTS)) st = create_layer(p, l);
        if (st == STATUS_OK && l->alive && l->op->create) st = l->op->create(p, l);
    }
    return st;
}

void plan_destroy_kernels(layer *l) {
    convolution_destroy(l->forward);
    convolution_destroy(l->backward_data);
    convolution_destroy(l->backward_weights);
    memory_free(l->folded_bias);
    if (l->op && l->op->destroy) l->op->destroy(l);
}

/* What a thread needs at most: scratch memory of convolutions; and a place for one gradient of an
 * image in fp32, or for the weights of a layer. */
status plan_create_workers(plan *p) {
    size_t scratch = 0, work = 0;
    for (value v = 0; v < p->nodes; v++) {
        const layer *l = &p->layer[v];
        if (!l->alive) continue;
        if (l->op->scratch) scratch = larger(scratch, l->op->scratch(l));
        const convolution *k[] = {l->forward, l->backward_data, l->backward_weights};
        for (int i = 0; i < 3; i++)
            if (k[i]) scratch = larger(scratch, convolution_scratch(k[i]));
        for (int i = 0; i < 3; i++)
            if (k[i]) work = larger(work, convolution_work(k[i]));
        if (l->fold >= 0) work = larger(work, plan_weight_count(l));
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

/* ---- an image ---- */

status conv_forward(plan *p, value v, const turn *r) {
    const layer *l = &p->layer[v];
    const float *bias = l->fold >= 0 ? l->folded_bias : plan_parameter(p, l->n->bias);
    return convolution_run(l->forward, r->t,
        plan_place(p, l->n->input[0], r->image, r->t->leader, r->again),
        plan_place(p, l->target, r->image, r->t->leader, r->again), bias);
}

/* The image's gradient of weights and bias, to its slot, unless all of a unit follow. An input that
 * is not kept, a norm's output, is computed again first, for this convolution and all that read it
 * after it. The bias' gradient stands behind the weight's in the slot. Time: WEIGHTS_PASS, the norm
 * included. */
static status pass_weights(plan *p, value v, const turn *r) {
    const layer *l = &p->layer[v];
    value x = l->n->input[0];
    const void *dy = plan_gradient(p, v, r->image);
    double now = plan_lap(p, r->t->thread, v, WEIGHTS_PASS, 0);
    if (plan_again_alone(p, x) && p->layer[x].again_at == v) {
        turn again = *r;
        again.again = true;
        norm_forward(p, x, &again);
        team_meet(r->t);
    }
    status st = STATUS_OK;
    if (!l->units) {
        st = convolution_run_weights(
            l->backward_weights, r->t, plan_saved(p, x, r->image, r->t->leader), dy, r->slot);
        if (l->n->bias >= 0 && r->t->rank == 0)
            layer_channel_sums(dy, (size_t)l->height * (size_t)l->width, l->n->channels, p->o.type,
                r->slot + convolution_gradient_count(l->backward_weights));
        team_meet(r->t);
    }
    plan_lap(p, r->t->thread, v, WEIGHTS_PASS, now);
    return st;
}

/* The input's gradient; by way of the leader's memory where the kernel cannot add. */
static status pass_data(plan *p, value v, const turn *r) {
    const layer *l = &p->layer[v];
    value x = l->n->input[0];
    double now = plan_lap(p, r->t->thread, v, BACKWARD_PASS, 0);
    void *dx = plan_gradient(p, x, r->image);
    bool apart = l->accumulates[0] && !convolution_adds(l->backward_data);
    /* `work` of the leader alone: the others of the team write to the same memory. */
    void *to = apart ? p->worker[r->t->leader].work : dx;
    status st = convolution_run(l->backward_data, r->t, plan_gradient(p, v, r->image), to, NULL);
    if (apart) {
        team_meet(r->t);
        pass_elements(p, r, to, NULL, dx, p->layer[x].elements, true);
    }
    plan_lap(p, r->t->thread, v, BACKWARD_PASS, now);
    return st;
}

/* Both passes are entered whatever the first returns: the team meets inside of them. */
status conv_backward(plan *p, value v, const turn *r) {
    status st = pass_weights(p, v, r);
    if (!p->layer[v].flows[0]) return st;
    status back = pass_data(p, v, r);
    return st != STATUS_OK ? st : back;
}
