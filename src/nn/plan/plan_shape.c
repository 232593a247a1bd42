#include "src/base/log.h"
#include "src/nn/plan/plan_state.h"

#include <assert.h>

static int pooled(int size, const node *n) {
    int reach = n->dilation * (n->kernel - 1) + 1, span = size + 2 * n->padding - reach;
    if (span < 0) return 0;
    int out = (n->ceil ? span + n->step - 1 : span) / n->step + 1;
    /* With ceil the last window must begin inside the image or its left padding. */
    if (n->ceil && (out - 1) * n->step >= size + n->padding) out--;
    return out;
}

static void shape_of(plan *p, layer *l) {
    const node *n = l->n;
    const layer *in = n->inputs > 0 ? &p->layer[n->input[0]] : NULL;
    switch (n->kind) {
    case NODE_INPUT:
        l->height = p->o.height;
        l->width = p->o.width;
        break;
    case NODE_CONV:
    case NODE_MAX_POOL:
    case NODE_AVERAGE_POOL:
        l->height = pooled(in->height, n);
        l->width = pooled(in->width, n);
        break;
    case NODE_GLOBAL_POOL:
        l->height = l->width = 1;
        break;
    case NODE_RESIZE:
        in = &p->layer[n->input[1]];
        /* fall through */
    default:
        l->height = in->height;
        l->width = in->width;
    }
    l->elements = (size_t)l->height * (size_t)l->width * (size_t)n->channels;
}

static void describe_layer(plan *p, layer *l) {
    const node *n = l->n;
    if (n->inputs == 0) return;
    const layer *in = &p->layer[n->input[0]];
    l->conv = (conv_shape){in->height, in->width, in->n->channels, l->height, l->width, n->channels,
        n->kernel, n->step, n->dilation, n->padding, p->o.type, 0, 0};
    l->shape = (layer_shape){in->height, in->width, l->height, l->width, n->channels, n->kernel,
        n->step, n->padding, p->o.type};
}

status plan_shapes(plan *p) {
    for (value v = 0; v < p->nodes; v++) {
        layer *l = &p->layer[v];
        *l = (layer){.n = &p->g->node[v],
            .writer = v,
            .root = v,
            .target = v,
            .fold = -1,
            .summed = -1,
            .data = -1,
            .index = -1,
            .again = -1,
            .again_at = -1,
            .block = -1,
            .gradient = -1};
        shape_of(p, l);
        if (l->elements == 0) {
            log_error("an image of %d x %d is too small for the network", p->o.width, p->o.height);
            return STATUS_FAILED;
        }
        describe_layer(p, l);
        l->trainable = l->n->weight >= 0;
        for (int k = 0; k < l->n->inputs; k++)
            if (p->layer[l->n->input[k]].trainable) l->trainable = true;
    }
    for (int i = 0; i < p->g->outputs; i++) p->layer[p->g->output[i]].alive = true;
    for (value v = p->nodes - 1; v >= 0; v--)
        for (int k = 0; p->layer[v].alive && k < p->layer[v].n->inputs; k++)
            p->layer[p->layer[v].n->input[k]].alive = true;
    return STATUS_OK;
}

/* ---- fusion, PLAN_INFER ---- */

static bool is_output(const plan *p, value v) {
    for (int i = 0; i < p->g->outputs; i++)
        if (p->g->output[i] == v) return true;
    return false;
}

/* Whether node j reads the elements of v (resize: not of what gives the size). */
static bool reads(const plan *p, value j, value v) {
    const node *n = p->layer[j].n;
    for (int k = 0; p->layer[j].alive && k < n->inputs; k++)
        if (n->input[k] == v && !(n->kind == NODE_RESIZE && k == 1)) return true;
    return false;
}

/* The only node that reads v, -1 if there are more, or v is kept. */
static value only_reader(const plan *p, value v) {
    value found = -1;
    if (is_output(p, v)) return -1;
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
    if (p->layer[root].n->kind == NODE_INPUT) return false;
    for (value v = root; v < add; v++) {
        if (p->layer[v].root != root || !p->layer[v].alive) continue;
        if (p->layer[v].writer >= i || is_output(p, v)) return false;
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

static void fuse_relu(plan *p, value i, value j) {
    if (p->layer[j].n->relu) p->layer[i].fuse_relu = true;
    value next = only_reader(p, j);
    if (p->layer[i].fuse_relu || next < 0 || p->layer[next].n->kind != NODE_RELU) return;
    absorb(p, i, next);
    p->layer[i].fuse_relu = true;
}

static void fuse_conv(plan *p, value i) {
    layer *l = &p->layer[i];
    value next = only_reader(p, i);
    if (next >= 0 && p->layer[next].n->kind == NODE_NORM) {
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
        if (l->n->kind == NODE_DROPOUT) {
            l->writer = p->layer[l->n->input[0]].writer;
            l->root = p->layer[l->n->input[0]].root;
        }
        if (l->n->kind == NODE_CONV) fuse_conv(p, v);
    }
}

/* ---- fusion, PLAN_TRAIN ---- */

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
