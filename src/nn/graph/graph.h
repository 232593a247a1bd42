/* A network as a graph of layers, built by calls and executed by a plan (plan.h).
 * Not collective. A value is the output of a layer: for each image a [H, W, C] array, a pixel's
 * channels contiguous (NHWC). Nothing here depends on an image's size: plans do.
 *
 * Errors while building (out of memory, a bad argument is an assert) are kept and reported by
 * graph_status, so that a model reads as a list of layers. */
#ifndef AUXSEG_NN_GRAPH_GRAPH_H
#define AUXSEG_NN_GRAPH_GRAPH_H

#include "src/base/status.h"
#include "src/nn/graph/parameter.h"

typedef struct graph graph;
typedef int value;

typedef struct conv {
    int kernel;   /* square; 0 means 1 */
    int stride;   /* 0 means 1 */
    int dilation; /* 1 is dense (PyTorch's counting); 0 means 1 */
    int padding;  /* PADDING_SAME, or explicit; zero-initialised: PADDING_SAME */
    bool bias;
    parameter_init init; /* of the weight; INIT_ZERO, the default, chooses INIT_KAIMING. The bias:
                            INIT_UNIFORM with INIT_UNIFORM, otherwise zero */
} conv;
enum { PADDING_SAME = 0, PADDING_NONE = -1 }; /* SAME: dilation * (kernel - 1) / 2 */

graph *graph_create(void);
/* NULL-safe. */
void graph_destroy(graph *g);
status graph_status(const graph *g);

/* Parameters declared after this call belong to the group. Starts as GROUP_BACKBONE. */
void graph_group(graph *g, parameter_group group);
/* Names of parameters declared after this call begin with it: a second network in the same graph.
 * Borrowed. Starts as "". */
void graph_prefix(graph *g, const char *prefix);

/* The image, fp32 [H, W, channels], normalised. */
value graph_input(graph *g, int channels);
/* name + ".weight" [channels, C, k, k], and name + ".bias" [channels]. */
value graph_conv(graph *g, value x, const char *name, int channels, conv c);
/* Batch normalisation (Ioffe & Szegedy 2015), eps 1e-5, momentum 0.1, optionally followed by ReLU:
 * name + ".weight", ".bias", ".running_mean", ".running_var" [C]. Which images are normalised
 * together is the plan's norm mode. */
value graph_norm(graph *g, value x, const char *name, bool relu);
value graph_relu(graph *g, value x);
/* a + b, two values of the same shape, optionally followed by ReLU. */
value graph_add(graph *g, value a, value b, bool relu);
/* Channels of each of n <= GRAPH_CONCAT different values, one after another. */
enum { GRAPH_CONCAT = 16 };
value graph_concat(graph *g, const value *x, int n);
/* Padding counts as minus infinity; kernel <= 15. */
value graph_max_pool(graph *g, value x, int kernel, int stride, int padding, bool ceil);
/* Padding counts as zero, and in the divisor (PyTorch's default). */
value graph_average_pool(graph *g, value x, int kernel, int stride, int padding);
/* Mean over all pixels: [1, 1, C]. */
value graph_global_pool(graph *g, value x);
/* Bilinear to the height and width of `like` (PyTorch's align_corners=False; from 1 x 1 a
 * broadcast). */
value graph_resize(graph *g, value x, value like);
/* Inverted dropout in training, identity otherwise; keyed by (seed, step, image of the batch,
 * node). */
value graph_dropout(graph *g, value x, double probability);
/* ---- transformers: tokens are a value [T, 1, C]; forward only, PLAN_TRAIN refuses them ---- */

/* How position embeddings of a trained grid are brought to an image's, as the authors do. A grid as
 * trained is left alone by both.
 * TIMM  bicubic with antialias (a = -1/2), to the grid's size: timm's resample_abs_pos_embed, and
 *       DINOv2's models with registers;
 * DINO  bicubic (a = -3/4) by a factor of (size + 0.1) / trained size: DINO's
 *       interpolate_pos_encoding, and DINOv2's models without registers. */
typedef enum position_rule { POSITIONS_TIMM, POSITIONS_DINO } position_rule;

/* An image cut into patches, each a token, behind a class token and registers. An image that is no
 * multiple of the patch is filled up with zeros on the right and below, as timm's dynamic_img_pad
 * does. */
typedef struct patch_embed {
    int patch, channels;  /* pixels of a side; of a token, a multiple of 32 */
    int grid;             /* positions of a side that the embedding was trained with */
    bool class_position;  /* the class token has a position, the first one */
    int registers;        /* tokens behind the class token, without positions */
    bool register_tokens; /* their name: DINOv2's "register_tokens", or timm's "reg_token" */
    position_rule rule;
} patch_embed;
/* prefix + ".cls_token" [1, 1, C], ".pos_embed" [1, N, C], registers [1, R, C], and
 * ".patch_embed.proj.weight" [C, 3, p, p], ".bias": [1 + R + patches, 1, C]. */
value graph_embed(graph *g, value image, const char *prefix, patch_embed e);
/* Layer normalisation of each token (Ba, Kiros, Hinton 2016), eps 1e-6: name + ".weight", ".bias".
 */
value graph_layer_norm(graph *g, value x, const char *name);
/* x [T, 1, 3 C]: queries, keys and values of all heads, a head's channels side by side: each head's
 * softmax(q k^T / sqrt(C / heads)) v, [T, 1, C]. */
value graph_attention(graph *g, value x, int heads);
/* x + gamma (W2 gelu(W1 y + b1) + b2), gelu(x) = x Phi(x) by the error function, torch's default
 * (Hendrycks, Gimpel 2016): prefix + ".mlp.fc1" [hidden, C], ".mlp.fc2" [C, hidden], with biases,
 * and where `scaled` ".ls2.gamma" [C]. */
value graph_mlp(graph *g, value x, value y, const char *prefix, int hidden, bool scaled);
/* Each channel times name + ".gamma" [C]: layer scale (Touvron et al. 2021). */
value graph_scale(graph *g, value x, const char *name);
/* Of tokens x those of patches, as a map [h, w, channels] of the channels from `channel` on.
 * image: what was embedded. */
value graph_patches(
    graph *g, value x, value image, const patch_embed *e, int channel, int channels);

/* A pixel's channels through a matrix: name + ".weight" [channels, C], name + ".bias" [channels].
 */
value graph_linear(graph *g, value x, const char *name, int channels);
/* Plans keep this value as output number n (0, 1, ... in order of the calls). Returns n. */
int graph_output(graph *g, value x);

int graph_outputs(const graph *g);
value graph_output_value(const graph *g, int output);
int graph_channels(const graph *g, value x);
/* Pixels of the input between two pixels of x, in a row: 1, 2, 4, 8, ... */
int graph_stride(const graph *g, value x);

#endif
