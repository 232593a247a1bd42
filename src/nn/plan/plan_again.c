/* Values that the backward pass computes again instead of keeping them: outputs of norms that
 * convolutions alone read, which takes little time and is done image by image just before the
 * convolution that needs it; and, with RECOMPUTE_BLOCKS, all that stands inside a residual block,
 * which is run once more when the backward pass comes to it. The same kernels on the same values:
 * the same bits. */
#include "src/nn/plan/plan_again.h"

#include "src/nn/plan/plan_operators.h"

/* Whether only nodes below `end` read v. */
static bool read_below(const plan *p, value v, value end) {
    for (value j = end; j < p->nodes; j++)
        for (int k = 0; p->layer[j].alive && k < p->layer[j].n->inputs; k++)
            if (p->layer[j].n->input[k] == v) return false;
    return !plan_is_output(p, v);
}

/* The last of the convolutions that read v; -1 if something else does. */
static value last_conv(const plan *p, value v) {
    value last = -1;
    for (value j = v + 1; j < p->nodes; j++)
        for (int k = 0; p->layer[j].alive && k < p->layer[j].n->inputs; k++) {
            if (p->layer[j].n->input[k] != v) continue;
            if (p->layer[j].op->role != OPERATOR_WEIGHTS || p->layer[j].gradient < 0) return -1;
            last = j;
        }
    return plan_is_output(p, v) ? -1 : last;
}

static void drop_norms(plan *p) {
    for (value v = 0; v < p->nodes; v++) {
        layer *l = &p->layer[v];
        if (!plan_has_role(p, v, OPERATOR_STATISTICS) || l->again_at >= 0) continue;
        if (p->layer[l->n->input[0]].again_at >= 0) continue; /* not there yet at that moment */
        l->again_at = last_conv(p, v);
    }
}

/* A block ends with a sum, and begins after the sum or the pool before. */
static void drop_blocks(plan *p) {
    value begin = -1;
    for (value v = 0; v < p->nodes; v++) {
        layer *l = &p->layer[v];
        if (!l->alive || (l->n->kind != NODE_ADD && l->n->kind != NODE_MAX_POOL)) continue;
        if (l->n->kind == NODE_ADD && begin >= 0) {
            l->block = begin;
            for (value j = begin; j < v; j++)
                if (p->layer[j].alive && read_below(p, j, v + 1)) p->layer[j].again_at = v;
        }
        begin = v + 1;
    }
}

void plan_choose_again(plan *p) {
    if (p->o.recompute == RECOMPUTE_BLOCKS) drop_blocks(p);
    drop_norms(p);
}

bool plan_again_alone(const plan *p, value v) {
    return p->layer[v].again >= 0 && p->layer[p->layer[v].again_at].op->role == OPERATOR_WEIGHTS;
}
