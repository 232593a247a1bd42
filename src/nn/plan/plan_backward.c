/* The backward pass, step by step from the last node: an image goes through the nodes of a step by
 * itself; then what crosses images is done: weight gradients are added in image order, a norm's
 * sums are combined over its unit.
 *
 * Where a step ends is given by what must wait: a second convolution, for there is one set of
 * slots; a norm, through which the gradient goes on only when all images have their sums; the end
 * of a block that is computed again, which is done for all images at once. Within a step an image's
 * maps may stay in the cache from node to node. */
#include "src/nn/plan/plan_backward.h"

#include "src/base/rows.h"
#include "src/nn/plan/plan_elements.h"
#include "src/nn/plan/plan_forward.h"
#include "src/nn/plan/plan_norm.h"
#include "src/nn/plan/plan_operators.h"
#include "src/nn/plan/plan_pack.h"
#include "src/nn/plan/plan_slots.h"
#include "src/nn/plan/plan_team.h"
#include "src/nn/plan/plan_units.h"

#include <assert.h>
#include <omp.h>
#include <string.h>

/* ---- one image ---- */

/* This thread's share: outputs give their gradient to the value, after its consumers. */
static void take_output_gradient(plan *p, value v, const turn *r) {
    bool add = p->layer[v].consumed, taken = false;
    size_t n = p->layer[v].elements, begin, end;
    team_share(r->t, n, PLAN_SHARE, &begin, &end);
    for (int i = 0; i < p->g->outputs; i++) {
        if (p->output[i].v != v || p->layer[v].gradient < 0) continue;
        layer_take_float(p->output[i].gradient + (size_t)r->image * n + begin,
            row_at(plan_gradient(p, v, r->image), begin, p->o.type), end - begin, add, p->o.type);
        add = taken = true;
    }
    if (taken) team_meet(r->t);
}

/* The gradient of a sum to its norm, whose sums are taken in the same pass, and to the other. */
static void pass_summed(plan *p, value v, const turn *r) {
    const layer *l = &p->layer[v];
    norm_sum_summed(p, v, r->image, r->t);
    team_meet(r->t);
    for (int k = 0; k < 2; k++)
        if (l->n->input[k] != l->summed && l->flows[k])
            pass_elements(p, r, plan_gradient(p, v, r->image), NULL,
                plan_gradient(p, l->n->input[k], r->image), l->elements, l->accumulates[k]);
}

static status pass_node(plan *p, value v, const turn *r) {
    const layer *l = &p->layer[v];
    if (l->gradient < 0) return STATUS_OK;
    /* It knows two passes, and takes the time of each. */
    if (l->op->role == OPERATOR_WEIGHTS) return l->op->backward(p, v, r);
    if (!plan_flows_on(l)) return STATUS_OK;
    double now = plan_lap(p, r->t->thread, v, BACKWARD_PASS, 0);
    status st = l->op->backward(p, v, r);
    plan_lap(p, r->t->thread, v, BACKWARD_PASS, now);
    return st;
}

/* A step of the backward pass; `first` is the image of the first slot. */
typedef struct pass_job {
    const backward_step *b;
    int first;
} pass_job;

/* An image through a step: from its highest node down, then its sums for the norm at the end. A
 * norm is first in a step, for the gradient goes on through it only when the sums of all images are
 * there. */
static status pass_image(
    plan *p, int image, const team *t, const void *job, const step_context *c) {
    const pass_job *j = job;
    const backward_step *b = j->b;
    bool slots = b->conv >= 0 && !p->layer[b->conv].units;
    turn r = {
        .image = image, .t = t, .c = c, .slot = slots ? plan_slot(p, image - j->first) : NULL};
    status worst = STATUS_OK;
    for (value v = b->high; v >= b->low; v--) {
        /* A norm's own output gradient was taken before its sums. */
        bool summed = v == b->high && plan_has_role(p, v, OPERATOR_STATISTICS);
        if (!summed) take_output_gradient(p, v, &r);
        status st = pass_node(p, v, &r);
        if (st != STATUS_OK) worst = st;
        team_meet(t);
    }
    if (b->norm < 0) return worst;
    double now = plan_lap(p, t->thread, b->norm, BACKWARD_PASS, 0);
    take_output_gradient(p, b->norm, &r);
    if (b->norm + 1 < p->nodes && norm_takes_gradient(p, b->norm + 1))
        pass_summed(p, b->norm + 1, &r);
    else
        norm_sum_image(p, b->norm, image, t);
    plan_lap(p, t->thread, b->norm, BACKWARD_PASS, now);
    return worst;
}

/* ---- all images ---- */

/* As many images at once as there are slots, where a convolution is in the step that fills them. */
static status run_step(
    plan *p, const backward_step *b, int images, const step_context *c, gradient *total) {
    status worst = STATUS_OK;
    bool units = b->conv >= 0 && p->layer[b->conv].units;
    int together = b->conv >= 0 && !units ? p->slots : images;
#pragma omp parallel num_threads(p->o.threads)
    {
        omp_set_num_threads(1); /* oneDNN's, onednn.c */
        status mine = b->conv >= 0 ? plan_pack_backward(p, b->conv) : STATUS_OK;
        for (int first = 0; first < images; first += together) {
            int end = images - first < together ? images : first + together;
            status st = plan_each_image(p, first, end, pass_image, &(pass_job){b, first}, c);
            if (st != STATUS_OK) mine = st;
            if (b->conv >= 0) {
                st = units ? plan_add_units(p, b->conv, images, c, total)
                           : plan_add_slots(p, b->conv, first, end, images, total);
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

/* A parameter may belong to nodes of several branches: its exchange begins once. */
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
        /* After an error the exchanges go on: other ranks wait in them. */
        if (b->norm >= 0) norm_combine_sums(p, b->norm, images, c, total);
        if (c->more) continue;
        report_node(p, b->conv, total);
        report_node(p, b->norm, total);
    }
    for (int i = 0; i < p->p->trainable; i++)
        if (!c->more && !p->reported[i]) gradient_ready(total, i);
    return st;
}

/* ---- creation ---- */

static bool is_active(const plan *p, value v, operator_role role) {
    return p->layer[v].gradient >= 0 && p->layer[v].op->role == role;
}

/* What ends a step below v: a norm, whose sums are taken at its end; a second convolution; a block
 * that is computed again before. */
bool plan_step_ends(const plan *p, value v, bool has_conv) {
    if (v == 0 || is_active(p, v - 1, OPERATOR_STATISTICS)) return true;
    return (has_conv && is_active(p, v - 1, OPERATOR_WEIGHTS)) || p->layer[v - 1].block >= 0;
}

/* From `high` down: at most one convolution; a norm begins a step, for its sums end the one before.
 */
static backward_step next_step(const plan *p, value high) {
    backward_step b = {.high = high, .low = high, .conv = -1, .norm = -1};
    for (value v = high;; v--) {
        b.low = v;
        if (is_active(p, v, OPERATOR_WEIGHTS)) b.conv = v;
        if (!plan_step_ends(p, v, b.conv >= 0)) continue;
        if (v > 0 && is_active(p, v - 1, OPERATOR_STATISTICS)) b.norm = v - 1;
        return b;
    }
}

static status create_steps(plan *p) {
    p->step = plan_alloc(p, (size_t)p->nodes + 1, sizeof *p->step, "plan");
    if (!p->step) return STATUS_FAILED;
    value high = p->nodes - 1;
    /* The last node may be a norm: a step of its sums alone. */
    if (is_active(p, high, OPERATOR_STATISTICS))
        p->step[p->steps++] =
            (backward_step){.high = high, .low = high + 1, .conv = -1, .norm = high};
    while (high >= 0) {
        p->step[p->steps] = next_step(p, high);
        high = p->step[p->steps++].low - 1;
    }
    return STATUS_OK;
}

status plan_create_backward(plan *p) {
    p->reported = plan_alloc(p, (size_t)p->p->trainable, sizeof *p->reported, "plan");
    if (!p->reported) return STATUS_FAILED;
    status st = create_steps(p);
    return st == STATUS_OK ? plan_create_slots(p) : st;
}
