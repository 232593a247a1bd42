/* Builders: each appends a node, and declares its parameters under PyTorch's names. A network is a
 * list of such calls, so errors are kept until its end instead of being handed to each.
 *
 * After an error every value is -1, and the calls that follow do nothing.
 *
 * Nothing is fused or simplified here: the graph is the network as its paper has it, and what may
 * be computed together is the plan's to find.
 *
 * Nodes are appended in an order in which inputs come first; the plan relies on it (a loop up is
 * the forward pass, one down the backward pass). Parameters are declared in the order of the calls,
 * which is the order of their places in memory and of their exchange. */
#include "src/nn/graph/graph.h"

#include "src/base/memory.h"
#include "src/nn/graph/node.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* The first layers of a network are its encoder. */
graph *graph_create(void) {
    graph *g = memory_alloc(1, sizeof *g, "graph");
    if (!g) return NULL;
    g->group = GROUP_BACKBONE;
    g->prefix = "";
    return g;
}

void graph_destroy(graph *g) {
    if (!g) return;
    memory_free(g->node);
    memory_free(g->declared);
    memory_free(g->output);
    memory_free(g);
}

status graph_status(const graph *g) {
    return g->state;
}

void graph_group(graph *g, parameter_group group) {
    g->group = group;
}

void graph_prefix(graph *g, const char *prefix) {
    g->prefix = prefix;
}

/* Space for one more item at the end of an array; false, with the graph's state set, when memory is
 * short. Capacity is doubled. The old array is kept if memory is short, so that graph_destroy frees
 * it. `array`: where the caller's pointer is, which it stores again. */
static bool reserve(graph *g, void **array, int used, int *capacity, size_t size) {
    if (g->state != STATUS_OK) return false;
    if (used < *capacity) return true;
    int wanted = *capacity ? 2 * *capacity : 64;
    void *grown = memory_alloc((size_t)wanted, size, "graph");
    if (!grown) {
        g->state = STATUS_FAILED;
        return false;
    }
    if (used > 0) memcpy(grown, *array, (size_t)used * size);
    memory_free(*array);
    *array = grown;
    *capacity = wanted;
    return true;
}

/* After an error every value is -1, and what is asked about it is 1. So builders need not ask
 * whether what they build on exists. */
static const node *node_at(const graph *g, value x) {
    static const node none = {.channels = 1, .pitch = 1};
    assert(x < g->nodes && (x >= 0 || g->state != STATUS_OK));
    return x >= 0 ? &g->node[x] : &none;
}

/* The value is the index of the node. */
static value append(graph *g, node n) {
    void *array = g->node;
    if (!reserve(g, &array, g->nodes, &g->node_capacity, sizeof *g->node)) return -1;
    g->node = array;
    g->node[g->nodes] = n;
    return g->nodes++;
}

/* A node with one input, as many channels and the same stride. Parameters are -1: none. Builders
 * set what differs. */
static node derived(const graph *g, node_kind kind, value x) {
    return (node){.kind = kind,
        .input = {x},
        .inputs = 1,
        .channels = node_at(g, x)->channels,
        .pitch = node_at(g, x)->pitch,
        .weight = -1,
        .bias = -1,
        .mean = -1,
        .variance = -1};
}

/* p: all but name and group. Names are prefix + name + "." + suffix; that they are too long is an
 * error of the program, not of its user. */
static int declare(graph *g, const char *name, const char *suffix, parameter p) {
    void *array = g->declared;
    if (!reserve(g, &array, g->declarations, &g->declared_capacity, sizeof *g->declared)) return -1;
    g->declared = array;
    int length = snprintf(p.name, sizeof p.name, "%s%s.%s", g->prefix, name, suffix);
    assert(length > 0 && length < PARAMETER_NAME);
    (void)length;
    p.group = g->group;
    g->declared[g->declarations] = p;
    return g->declarations++;
}

/* Of a norm: weight and variance begin with one, bias and mean with zero. None decays (`decay`
 * stays false). */
static int declare_vector(
    graph *g, const char *name, const char *suffix, int channels, bool trainable, bool one) {
    parameter p = {
        .dims = 1, .shape = {channels}, .trainable = trainable, .init = one ? INIT_ONE : INIT_ZERO};
    return declare(g, name, suffix, p);
}

value graph_input(graph *g, int channels) {
    assert(channels > 0);
    node n = {.kind = NODE_INPUT,
        .channels = channels,
        .pitch = 1,
        .weight = -1,
        .bias = -1,
        .mean = -1,
        .variance = -1};
    return append(g, n);
}

/* fan_in and fan_out count a weight's taps, as PyTorch does; norms and biases are declared without
 * decay elsewhere. A linear layer is a 1 x 1 convolution whose tensor has two dimensions. A bias
 * is drawn as PyTorch does, within 1 / sqrt(fan_in) of its weight, or is zero
 * under He's initialisation. */
static void declare_conv(
    graph *g, node *n, const char *name, bool bias, parameter_init init, int dims) {
    int inputs = node_at(g, n->input[0])->channels, area = n->kernel * n->kernel;
    parameter weight = {.dims = dims,
        .shape = {n->channels, inputs, n->kernel, n->kernel},
        .trainable = true,
        .decay = true,
        .init = init,
        .fan_in = inputs * area,
        .fan_out = n->channels * area};
    n->weight = declare(g, name, "weight", weight);
    if (!bias) return;
    parameter b = {.dims = 1,
        .shape = {n->channels},
        .trainable = true,
        .init = init == INIT_UNIFORM ? INIT_UNIFORM : INIT_ZERO,
        .fan_in = weight.fan_in,
        .fan_out = weight.fan_out};
    n->bias = declare(g, name, "bias", b);
}

/* A field of zero stands for the usual value, so that a call names only what is special.
 * PADDING_SAME is zero as well, which is why no padding at all needs a word of its own. */
value graph_conv(graph *g, value x, const char *name, int channels, conv c) {
    node n = derived(g, NODE_CONV, x);
    n.channels = channels;
    n.kernel = c.kernel ? c.kernel : 1;
    n.stride = c.stride ? c.stride : 1;
    n.dilation = c.dilation ? c.dilation : 1;
    n.padding = c.padding;
    if (c.padding == PADDING_SAME) n.padding = n.dilation * (n.kernel - 1) / 2;
    if (c.padding == PADDING_NONE) n.padding = 0;
    assert(g->state != STATUS_OK || channels > 0);
    assert(n.kernel > 0 && n.stride > 0 && n.dilation > 0 && n.padding >= 0);
    n.pitch *= n.stride;
    declare_conv(g, &n, name, c.bias, c.init == INIT_ZERO ? INIT_KAIMING : c.init, 4);
    return append(g, n);
}

/* The plan runs it as the 1 x 1 convolution that it is; in files it is a matrix. */
value graph_linear(graph *g, value x, const char *name, int channels) {
    node n = derived(g, NODE_CONV, x);
    assert(channels > 0);
    n.channels = channels;
    n.kernel = n.stride = n.dilation = 1;
    declare_conv(g, &n, name, true, INIT_UNIFORM, 2);
    return append(g, n);
}

/* Running statistics are declared with the weights, for they are loaded and saved with them, but
 * are not trainable. */
value graph_norm(graph *g, value x, const char *name, bool relu) {
    node n = derived(g, NODE_NORM, x);
    n.relu = relu;
    n.weight = declare_vector(g, name, "weight", n.channels, true, true);
    n.bias = declare_vector(g, name, "bias", n.channels, true, false);
    n.mean = declare_vector(g, name, "running_mean", n.channels, false, false);
    n.variance = declare_vector(g, name, "running_var", n.channels, false, true);
    return append(g, n);
}

value graph_relu(graph *g, value x) {
    node n = derived(g, NODE_RELU, x);
    n.relu = true;
    return append(g, n);
}

value graph_add(graph *g, value a, value b, bool relu) {
    node n = derived(g, NODE_ADD, a);
    assert(g->state != STATUS_OK || (a != b && graph_channels(g, b) == n.channels));
    n.input[n.inputs++] = b;
    n.relu = relu;
    return append(g, n);
}

value graph_concat(graph *g, const value *x, int count) {
    assert(count > 0 && count <= GRAPH_CONCAT);
    node n = derived(g, NODE_CONCAT, x[0]);
    for (int i = 1; i < count; i++) {
        n.input[n.inputs++] = x[i];
        n.channels += graph_channels(g, x[i]);
    }
    return append(g, n);
}

/* The pads must not be larger than half of the kernel, as in PyTorch: no window lies in the padding
 * alone. */
static value pool(graph *g, node n, int kernel, int stride, int padding) {
    assert(kernel > 0 && kernel <= 15 && stride > 0 && padding >= 0 && 2 * padding <= kernel);
    n.kernel = kernel;
    n.stride = stride;
    n.dilation = 1;
    n.padding = padding;
    n.pitch *= stride;
    return append(g, n);
}

value graph_max_pool(graph *g, value x, int kernel, int stride, int padding, bool ceil) {
    node n = derived(g, NODE_MAX_POOL, x);
    n.ceil = ceil;
    return pool(g, n, kernel, stride, padding);
}

value graph_average_pool(graph *g, value x, int kernel, int stride, int padding) {
    return pool(g, derived(g, NODE_AVERAGE_POOL, x), kernel, stride, padding);
}

/* One pixel has no distance to the next one: pitch 0. */
value graph_global_pool(graph *g, value x) {
    node n = derived(g, NODE_GLOBAL_POOL, x);
    n.pitch = 0;
    return append(g, n);
}

/* `like` is an input of the node, so that it comes before it, but only its size is read. */
value graph_resize(graph *g, value x, value like) {
    node n = derived(g, NODE_RESIZE, x);
    n.input[n.inputs++] = like;
    n.pitch = node_at(g, like)->pitch;
    return append(g, n);
}

value graph_dropout(graph *g, value x, double probability) {
    node n = derived(g, NODE_DROPOUT, x);
    assert(probability >= 0 && probability < 1);
    n.probability = probability;
    return append(g, n);
}

/* A parameter of a transformer that is no weight of a layer: tokens and positions. Trainable, so
 * that it stands in the flat block of weights with the others. */
static int declare_tokens(
    graph *g, const char *prefix, const char *suffix, int64_t tokens, int channels) {
    parameter p = {.dims = 3, .shape = {1, tokens, channels}, .trainable = true};
    return declare(g, prefix, suffix, p);
}

/* The patches' projection is a convolution in files, whose kernel is as large as its stride. */
value graph_embed(graph *g, value image, const char *prefix, patch_embed e) {
    node n = derived(g, NODE_EMBED, image);
    assert(e.patch > 0 && e.channels > 0 && e.channels % 32 == 0 && e.grid > 0);
    char name[PARAMETER_NAME / 2];
    /* Shorter than a parameter's, which has a suffix, too. */
    snprintf(name, sizeof name, "%s.patch_embed.proj", prefix);
    n.tokens = e;
    n.channels = e.channels;
    n.kernel = n.stride = e.patch;
    n.pitch *= e.patch;
    n.first = declare_tokens(g, prefix, "cls_token", 1, e.channels);
    n.position = declare_tokens(
        g, prefix, "pos_embed", (int64_t)e.grid * e.grid + e.class_position, e.channels);
    n.registers = e.registers > 0 ? declare_tokens(g, prefix,
                                        e.register_tokens ? "register_tokens" : "reg_token",
                                        e.registers, e.channels)
                                  : -1;
    declare_conv(g, &n, name, true, INIT_UNIFORM, 4);
    return append(g, n);
}

value graph_layer_norm(graph *g, value x, const char *name) {
    node n = derived(g, NODE_LAYER_NORM, x);
    n.weight = declare_vector(g, name, "weight", n.channels, true, true);
    n.bias = declare_vector(g, name, "bias", n.channels, true, false);
    return append(g, n);
}

value graph_attention(graph *g, value x, int heads) {
    node n = derived(g, NODE_ATTENTION, x);
    assert(g->state != STATUS_OK || (heads > 0 && n.channels % (3 * 16 * heads) == 0));
    n.channels /= 3;
    n.heads = heads;
    return append(g, n);
}

/* A linear layer's weight [channels, inputs], initialised as declare_conv does. */
static int declare_matrix(
    graph *g, const char *name, const char *suffix, int channels, int inputs) {
    parameter p = {.dims = 2,
        .shape = {channels, inputs},
        .trainable = true,
        .decay = true,
        .init = INIT_UNIFORM,
        .fan_in = inputs,
        .fan_out = channels};
    return declare(g, name, suffix, p);
}

value graph_mlp(graph *g, value x, value y, const char *prefix, int hidden, bool scaled) {
    node n = derived(g, NODE_MLP, x);
    n.input[n.inputs++] = y;
    n.hidden = hidden;
    n.weight = declare_matrix(g, prefix, "mlp.fc1.weight", hidden, n.channels);
    n.bias = declare_vector(g, prefix, "mlp.fc1.bias", hidden, true, false);
    n.weight2 = declare_matrix(g, prefix, "mlp.fc2.weight", n.channels, hidden);
    n.bias2 = declare_vector(g, prefix, "mlp.fc2.bias", n.channels, true, false);
    n.scale = scaled ? declare_vector(g, prefix, "ls2.gamma", n.channels, true, true) : -1;
    return append(g, n);
}

value graph_scale(graph *g, value x, const char *name) {
    node n = derived(g, NODE_SCALE, x);
    n.weight = declare_vector(g, name, "gamma", n.channels, true, true);
    return append(g, n);
}

/* The image is an input for its size alone, as that of a resize. */
value graph_patches(
    graph *g, value x, value image, const patch_embed *e, int channel, int channels) {
    node n = derived(g, NODE_PATCHES, x);
    assert(g->state != STATUS_OK || channel + channels <= n.channels);
    n.input[n.inputs++] = image;
    n.kernel = n.stride = e->patch;
    n.channels = channels;
    n.channel = channel;
    n.prefix = 1 + e->registers;
    return append(g, n);
}

int graph_output(graph *g, value x) {
    void *array = g->output;
    if (!reserve(g, &array, g->outputs, &g->output_capacity, sizeof *g->output)) return -1;
    g->output = array;
    g->output[g->outputs] = x;
    return g->outputs++;
}

int graph_outputs(const graph *g) {
    return g->outputs;
}

value graph_output_value(const graph *g, int n) {
    assert(n >= 0 && n < g->outputs);
    return g->output[n];
}

int graph_channels(const graph *g, value x) {
    return node_at(g, x)->channels;
}

int graph_stride(const graph *g, value x) {
    return node_at(g, x)->pitch;
}

/* Here, not in parameter.c, which knows no graphs. */
parameters *parameters_create(const graph *g) {
    parameters *p = NULL;
    if (g->state != STATUS_OK) return NULL;
    return parameters_from(&p, g->declared, g->declarations) == STATUS_OK ? p : NULL;
}
