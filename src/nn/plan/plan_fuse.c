/* Patterns of nodes that one kernel computes. In PLAN_INFER a convolution takes in the norm, the
 * ReLU and the residual sum that follow it; in PLAN_TRAIN, where a norm needs the whole map first,
 * it is applied in the pass that adds the residual. What a node absorbs keeps its place in the
 * graph, but its value is written by another node (`writer`).
 *
 * Fusion changes no result's definition: a folded norm is rounded into the weights once, and the
 * order sum, ReLU is that of the graph. */
#include "src/nn/plan/plan_fuse.h"

#include "src/nn/plan/plan_operators.h"

/* ---- PLAN_INFER ---- */

/* Whether node j reads the elements of v. */
static bool reads(const plan *p, value j, value v) {
    const layer *l = &p->layer[j];
    for (int k = 0; l->alive && k < plan_inputs_read(l); k++)
        if (l->n->input[k] == v) return true;
    return false;
}

/* The only node that reads v, -1 if there are more, or v is kept. */
static value only_reader(const plan *p, value v) {
    value found = -1;
    if (plan_is_output(p, v)) return -1;
    for (value j = v + 1; j < p->nodes; j++) {
        if (!reads(p, j, v)) continue;
        if (found >= 0) return -1;
        found = j;
    }
    return found;
}

/* Whether convolution i may add to `other` where it stands, for the sum `add`: it is computed by
 * then, and nobody needs it afterwards. */
static bool may_overwrite(const plan *p, value other, value i, value add) {
    value root = p->layer[other].root;
    if (p->layer[root].op->role == OPERATOR_IMAGE) return false;
    for (value v = root; v < add; v++) {
        if (p->layer[v].root != root || !p->layer[v].alive) continue;
        if (p->layer[v].writer >= i || plan_is_output(p, v)) return false;
        for (value j = v + 1; j < p->nodes; j++)
            if (j != add && reads(p, j, v) && p->layer[j].writer >= i) return false;
    }
    return true;
}

/* Makes node j part of convolution i. */
static void absorb(plan *p, value i, value j) {
    p->layer[j].writer = i;
    p->layer[i].target = j;
}

/* It is part of a norm or a sum, or a node of its own that alone reads j. */
static void fuse_relu(plan *p, value i, value j) {
    if (p->layer[j].n->relu) p->layer[i].fuse_relu = true;
    value next = only_reader(p, j);
    if (p->layer[i].fuse_relu || next < 0 || p->layer[next].n->kind != NODE_RELU) return;
    absorb(p, i, next);
    p->layer[i].fuse_relu = true;
}

/* In the order of the kernels' post-ops: norm (into the weights), then ReLU and done; or the sum,
 * then its ReLU. A ReLU before the sum ends it, for post-ops have the sum first. */
static void fuse_conv(plan *p, value i) {
    layer *l = &p->layer[i];
    value next = only_reader(p, i);
    node_kind kind = next >= 0 ? p->layer[next].n->kind : NODE_KINDS;
    if (kind == NODE_NORM || kind == NODE_SCALE) {
        l->fold = next;
        absorb(p, i, next);
    }
    fuse_relu(p, i, l->target);
    if (l->fuse_relu) return;
    value add = only_reader(p, l->target);
    if (add < 0 || p->layer[add].n->kind != NODE_ADD) return;
    const value *input = p->layer[add].n->input;
    value other = input[0] == l->target ? input[1] : input[0];
    if (!may_overwrite(p, other, i, add)) return;
    l->fuse_sum = true;
    absorb(p, i, add);
    p->layer[add].root = p->layer[other].root;
    fuse_relu(p, i, add);
    p->layer[l->target].root = p->layer[add].root;
}

void plan_fuse(plan *p) {
    for (value v = 0; v < p->nodes; v++) {
        layer *l = &p->layer[v];
        if (!l->alive) continue;
        if (l->op->identity) {
            l->writer = p->layer[l->n->input[0]].writer;
            l->root = p->layer[l->n->input[0]].root;
        }
        if (l->op->overwrites && may_overwrite(p, l->n->input[0], v, v))
            l->root = p->layer[l->n->input[0]].root;
        if (l->n->kind == NODE_CONV) fuse_conv(p, v);
    }
}

/* ---- PLAN_TRAIN ---- */

/* A norm without ReLU that a sum alone reads is applied there. */
void plan_fuse_sums(plan *p) {
    for (value v = 0; v < p->nodes; v++) {
        layer *l = &p->layer[v];
        if (!l->alive || l->n->kind != NODE_ADD) continue;
        for (int k = 0; k < 2 && l->summed < 0; k++) {
            value x = l->n->input[k];
            const node *n = p->layer[x].n;
            if (n->kind != NODE_NORM || n->relu || only_reader(p, x) != v) continue;
            if (l->n->input[1 - k] == x) continue;
            l->summed = x;
            p->layer[x].writer = v;
        }
    }
}
