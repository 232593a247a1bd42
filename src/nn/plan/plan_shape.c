/* Shapes from the image down, liveness from the outputs up.
 *
 * A node that no output depends on has a shape, but is neither run nor given memory.
 *
 * Both are one loop, for a node's inputs have lower indices than the node. What later files find
 * out of a layer (fusion, memory, gradients) begins here as -1 or false: "its own", "none". */
#include "src/nn/plan/plan_shape.h"

#include "src/base/log.h"
#include "src/nn/plan/plan_operators.h"

/* As both kinds of kernels want it; nodes that have none do not look. */
static void describe_layer(plan *p, layer *l) {
    const node *n = l->n;
    if (n->inputs == 0) return;
    const layer *in = &p->layer[n->input[0]];
    l->conv = (conv_shape){in->height, in->width, in->n->channels, l->height, l->width, n->channels,
        n->kernel, n->stride, n->dilation, n->padding, p->o.type, 0, 0};
    l->shape = (layer_shape){in->height, in->width, l->height, l->width, n->channels, n->kernel,
        n->stride, n->padding, p->o.type};
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
            .kept = -1,
            .again = -1,
            .again_at = -1,
            .block = -1,
            .gradient = -1};
        l->op = plan_operator(l->n->kind);
        if (p->o.mode == PLAN_TRAIN && l->op->role != OPERATOR_IMAGE && !l->op->backward) {
            log_error("a network with \"%s\" can be run, but not trained", l->op->name);
            return STATUS_FAILED;
        }
        l->op->shape(p, l);
        l->elements = (size_t)l->height * (size_t)l->width * (size_t)l->n->channels;
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
