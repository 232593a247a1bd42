/* The table, a row an operator. What else knows of kinds are the two places that fuse nodes or drop
 * them for a pattern (plan_fuse.c, plan_again.c).
 *
 * A field that a row does not name is zero or false: the operator reads all inputs, saves nothing
 * for the backward pass, keeps nothing, and its gradients have memory of their own. `saves_input`
 * and `saves_output` are what training's memory is made of: none is set that the formula of the
 * gradient does not need. An entry that is wrong is not found out by an assert, but by wrong
 * gradients: tests/nn/plan/operators.c compares every operator with PyTorch. */
#include "src/nn/plan/plan_operators.h"

#include "src/nn/plan/plan_conv.h"
#include "src/nn/plan/plan_elements.h"
#include "src/nn/plan/plan_norm.h"
#include "src/nn/plan/plan_tokens.h"
#include "src/nn/plan/plan_windows.h"

#include <assert.h>

/* ---- shapes ---- */

static void image_shape(const plan *p, layer *l) {
    l->height = p->o.height;
    l->width = p->o.width;
}

static void first_shape(const plan *p, layer *l) {
    const layer *in = &p->layer[l->n->input[0]];
    l->height = in->height;
    l->width = in->width;
}

static void second_shape(const plan *p, layer *l) {
    const layer *like = &p->layer[l->n->input[1]];
    l->height = like->height;
    l->width = like->width;
}

/* A mean over the whole image, whatever its size. */
static void point_shape(const plan *p, layer *l) {
    (void)p;
    l->height = l->width = 1;
}

/* Places of a window along a side; 0: none. PyTorch's formula, for convolutions and pools. */
static int places(int size, const node *n) {
    int reach = n->dilation * (n->kernel - 1) + 1, span = size + 2 * n->padding - reach;
    if (span < 0) return 0;
    int out = (n->ceil ? span + n->stride - 1 : span) / n->stride + 1;
    /* With ceil the last window must begin inside the image or its left padding. */
    if (n->ceil && (out - 1) * n->stride >= size + n->padding) out--;
    return out;
}

static void window_shape(const plan *p, layer *l) {
    const layer *in = &p->layer[l->n->input[0]];
    l->height = places(in->height, l->n);
    l->width = places(in->width, l->n);
}

/* Patches of a side: the last one may be cut by the image's border. */
static int patches(int size, const node *n) {
    return (size + n->kernel - 1) / n->kernel;
}

/* Tokens stand below each other, so that rows of them are shared out like those of a map. */
static void tokens_shape(const plan *p, layer *l) {
    l->height = 1 + l->n->tokens.registers + patches(p->o.height, l->n) * patches(p->o.width, l->n);
    l->width = 1;
}

static void patches_shape(const plan *p, layer *l) {
    l->height = patches(p->o.height, l->n);
    l->width = patches(p->o.width, l->n);
}

/* ---- the table ---- */

static const operator table[NODE_KINDS] = {
    [NODE_INPUT] = {.name = "input",
        .role = OPERATOR_IMAGE,
        .shape = image_shape,
        .forward = input_forward},
    [NODE_CONV] = {.name = "convolution",
        .role = OPERATOR_WEIGHTS,
        .shape = window_shape,
        .saves_input = true,
        .forward = conv_forward,
        .backward = conv_backward},
    /* A norm's ReLU is computed again from the input. */
    [NODE_NORM] = {.name = "norm",
        .role = OPERATOR_STATISTICS,
        .shape = first_shape,
        .saves_input = true,
        .in_place = true,
        .forward = norm_forward,
        .backward = norm_backward},
    /* A ReLU is undone by its output: where that is 0, so is the gradient. Its input need not be
     * kept. */
    [NODE_RELU] = {.name = "relu",
        .shape = first_shape,
        .saves_output = true,
        .in_place = true,
        .forward = relu_forward,
        .backward = relu_backward},
    [NODE_ADD] = {.name = "add",
        .shape = first_shape,
        .saves_output = true,
        .in_place = true,
        .forward = add_forward,
        .backward = add_backward},
    [NODE_CONCAT] = {.name = "concat",
        .shape = first_shape,
        .forward = concat_forward,
        .backward = concat_backward},
    /* Which of a window's positions was the largest: a byte. */
    [NODE_MAX_POOL] = {.name = "max pool",
        .shape = window_shape,
        .keeps = 1,
        .forward = max_pool_forward,
        .backward = max_pool_backward},
    [NODE_AVERAGE_POOL] = {.name = "average pool",
        .shape = window_shape,
        .forward = average_pool_forward,
        .backward = average_pool_backward},
    [NODE_GLOBAL_POOL] = {.name = "global pool",
        .shape = point_shape,
        .forward = global_pool_forward,
        .backward = global_pool_backward},
    /* The second input gives the size alone. */
    [NODE_RESIZE] = {.name = "resize",
        .shape = second_shape,
        .read = 1,
        .forward = resize_forward,
        .backward = resize_backward},
    /* What was dropped is drawn again from the same stream, not kept. */
    [NODE_DROPOUT] = {.name = "dropout",
        .shape = first_shape,
        .in_place = true,
        .identity = true,
        .forward = dropout_forward,
        .backward = dropout_backward},
    /* Transformers: forward only. */
    [NODE_EMBED] = {.name = "patch embedding",
        .shape = tokens_shape,
        .takes_image = true,
        .forward = embed_forward,
        .create = embed_create,
        .destroy = embed_destroy,
        .pack = embed_pack,
        .scratch = embed_scratch},
    [NODE_LAYER_NORM] = {.name = "layer norm", .shape = first_shape, .forward = layer_norm_forward},
    [NODE_ATTENTION] = {.name = "attention",
        .shape = first_shape,
        .forward = attention_forward,
        .create = attention_layer_create,
        .destroy = attention_layer_destroy,
        .scratch = attention_layer_scratch},
    /* The first input and the sum are tokens, the second input what is normalised. */
    [NODE_MLP] = {.name = "mlp",
        .shape = first_shape,
        .overwrites = true,
        .forward = mlp_forward,
        .create = mlp_layer_create,
        .destroy = mlp_layer_destroy,
        .pack = mlp_layer_pack,
        .scratch = mlp_layer_scratch},
    /* After a linear layer it is folded into it. */
    [NODE_SCALE] = {.name = "scale", .shape = first_shape, .forward = scale_forward},
    [NODE_PATCHES] = {.name = "patches",
        .shape = patches_shape,
        .read = 1,
        .forward = patches_forward},
};

const operator* plan_operator(node_kind kind) {
    assert(table[kind].name && table[kind].shape && table[kind].forward);
    return &table[kind];
}
