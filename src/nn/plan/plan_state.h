/* The inside of a plan, shared by the files of this folder: what is known of each node and of each
 * piece of memory once the plan is made, and where things stand. README.md has the drawing. */
#ifndef AUXSEG_NN_PLAN_PLAN_STATE_H
#define AUXSEG_NN_PLAN_PLAN_STATE_H

#include "src/nn/kernels/convolution.h"
#include "src/nn/kernels/layers.h"
#include "src/nn/graph/node.h"
#include "src/nn/kernels/onednn.h"
#include "src/nn/kernels/team.h"
#include "src/nn/plan/plan.h"

#define NORM_EPSILON 1e-5
#define NORM_MOMENTUM 0.1

/* A piece of the arena, alive from one moment to another: node i runs forward at moment i and
 * backward at moment 2 * nodes - 1 - i. */
typedef struct buffer {
    size_t bytes, offset;
    int born, dies;
} buffer;

/* Statistics of a norm. C channels, U norm units (groups, or 1). */
typedef struct norm_state {
    size_t pixels;
    double *moments;      /* [images, 2, C]: each image's mean and sum of squared deviations */
    double *sums;         /* [images, 2, C]: each image's sums of the backward pass */
    double *mean;         /* [U, C] */
    double *deviation;    /* [U, C], sqrt(variance + epsilon) */
    double *unbiased;     /* [U, C], variance */
    float *scale, *shift; /* [U, C] */
    float *factors;       /* [U, 3, C] of the gradient */
    float *gradient;      /* [C] */
    double *total;        /* [2, C], sums over a unit */
} norm_state;

/* A node in this plan. */
typedef struct layer {
    const node *n;
    const struct operator* op; /* plan_operators.h */
    int height, width;
    size_t elements; /* of the value, an image */
    bool alive;      /* an output depends on it */
    value writer;    /* the node that computes the value: its own, or one that has it fused in */
    value root;      /* the value whose memory it shares: its own, or a lower one */
    int data, kept;  /* buffers of the value and of what the node keeps of its own, or -1 */
    int again;       /* buffer of the value as the backward pass has computed it again, or -1 */
    value again_at;  /* the node whose backward pass needs it first; -1: it is kept instead */
    value block;     /* NODE_ADD, RECOMPUTE_BLOCKS: first node of the block that it ends, or -1 */

    /* NODE_CONV */
    conv_shape conv;
    value target; /* what it computes: its own value, or that of the last node fused into it */
    value fold;   /* norm folded into the weights, or -1 */
    bool fuse_relu, fuse_sum;
    convolution *forward, *backward_data, *backward_weights;
    float *folded_bias; /* [O] */
    size_t slot;        /* floats of an image's weight and bias gradient; of units: of a unit's, and
                           of another bias */
    bool units;         /* the gradient is computed of a unit's images at once (plan_units.h) */

    layer_shape shape;           /* pools, resize */
    norm_state norm;             /* NODE_NORM */
    struct embedding *embedding; /* NODE_EMBED, kernels/embedding.h */
    struct attention *attention; /* NODE_ATTENTION, kernels/attention.h */
    struct mlp *mlp;             /* NODE_MLP, kernels/mlp.h */
    value summed; /* NODE_ADD, PLAN_TRAIN: the norm that is applied as it is added, or -1 */

    /* Gradients, PLAN_TRAIN. */
    bool trainable;                 /* it, or what it depends on, has parameters */
    int gradient;                   /* buffer of the value's gradient, or -1: nothing flows */
    bool consumed;                  /* a node gives to it, besides the outputs */
    bool flows[GRAPH_CONCAT];       /* to this input, */
    bool accumulates[GRAPH_CONCAT]; /* which has received from another consumer before */
} layer;

typedef struct plan_output_data {
    value v;
    float *data, *gradient; /* [images, h, w, C] */
} plan_output_data;

/* What a node's time is spent on. */
typedef enum node_pass { FORWARD_PASS, BACKWARD_PASS, WEIGHTS_PASS, PASSES } node_pass;

/* Memory of a thread. */
typedef struct worker {
    void *scratch;             /* oneDNN's */
    float *work;               /* a whole image's gradient, or weights before they are packed */
    double (*seconds)[PASSES]; /* [nodes] */
} worker;

/* Nodes `high` .. `low` of the backward pass, image by image; `conv` is the one convolution among
 * them, or -1; `norm` the norm whose sums are taken at the end, or -1. */
typedef struct backward_step {
    int high, low, conv, norm;
} backward_step;

struct plan {
    const graph *g;
    parameters *p;
    plan_options o;
    int nodes;
    layer *layer; /* [nodes] */
    int *item;    /* [declarations]: index in p->item */
    onednn *engine;
    char *packed; /* packed weights of convolutions that ask for it; see plan_conv.c */
    size_t packed_bytes;
    bool late; /* they are packed when they are needed, and take each other's place */

    buffer *buffer;
    int buffers;
    char
        *arena; /* [lanes, arena_bytes]: a lane is an image in PLAN_TRAIN, a thread in PLAN_INFER */
    size_t arena_bytes;
    int lanes;
    int images;   /* of the last forward pass */
    float *input; /* [images, H, W, C] */
    plan_output_data *output;
    worker *worker;        /* [threads] */
    team_meeting *meeting; /* [threads], of teams */

    backward_step *step;
    int steps;
    float *slot; /* [slots, slot_floats]: weight gradients of as many images, or units */
    size_t slot_floats;
    int slots;
    float *unit_gradient;           /* [slot_floats], their sum over a unit */
    const void **unit_x, **unit_dy; /* [slots, images of a unit], of units that are computed */
    float *plain;                   /* the same in PyTorch's layout */
    int32_t *sync_exponent;         /* NORM_SYNC, of the widest norm: plan_sync.c */
    int64_t *sync_sum;
    bool *reported; /* [trainable]: gradient_ready was called */
    bool timed;
    size_t bytes;
};

/* memory_alloc, counted in plan_bytes. */
void *plan_alloc(plan *p, size_t count, size_t size, const char *what);
/* Whether v is an output of the graph. */
bool plan_is_output(const plan *p, value v);
/* Whether norms take statistics of the batch, not the running ones. */
bool plan_batch_statistics(const plan *p);
/* The next norm from v on that needs statistics of all images; the end of the graph if there is
 * none. */
value plan_next_norm(const plan *p, value v);
/* Adds the time since `since` (0: begins) to the node's, where the plan is timed; returns the
 * present moment. */
double plan_lap(const plan *p, int thread, value v, node_pass pass, double since);

/* A trainable parameter, or a running statistic. NULL for -1. */
static inline float *plan_parameter(const plan *p, int declared) {
    if (declared < 0) return NULL;
    const parameter *item = &p->p->item[p->item[declared]];
    return (item->trainable ? p->p->value : p->p->buffer) + item->offset;
}

/* Images of a unit: under "sync" and "frozen" each is rounded by itself. */
static inline int plan_unit_images(const plan *p) {
    return p->o.norm == NORM_GROUP ? p->o.group : 1;
}

enum { PLAN_SHARE = 64 }; /* elements of a thread's share: whole cache lines */

/* Elements of a convolution's weight. */
static inline size_t plan_weight_count(const layer *l) {
    return (size_t)l->conv.out_channels * (size_t)l->conv.channels * (size_t)l->conv.kernel *
           (size_t)l->conv.kernel;
}

static inline char *plan_lane(const plan *p, int image, int thread) {
    return p->arena + (size_t)(p->o.mode == PLAN_TRAIN ? image : thread) * p->arena_bytes;
}

/* An image's value; the input is the caller's own where nothing reads it in another type. */
static inline void *plan_data(const plan *p, value v, int image, int thread) {
    const layer *l = &p->layer[p->layer[v].root];
    if (l->data < 0) return p->input + (size_t)image * l->elements;
    return plan_lane(p, image, thread) + p->buffer[l->data].offset;
}

/* An image's value in the backward pass. */
static inline void *plan_saved(const plan *p, value v, int image, int thread) {
    const layer *l = &p->layer[p->layer[v].root];
    if (l->again < 0) return plan_data(p, v, image, thread);
    return plan_lane(p, image, thread) + p->buffer[l->again].offset;
}

/* In the forward pass, or where it is run again. */
static inline void *plan_place(const plan *p, value v, int image, int thread, bool again) {
    return again ? plan_saved(p, v, image, thread) : plan_data(p, v, image, thread);
}

/* What an image's node keeps of its own for the backward pass. */
static inline void *plan_kept(const plan *p, value v, int image) {
    return plan_lane(p, image, 0) + p->buffer[p->layer[v].kept].offset;
}

static inline void *plan_gradient(const plan *p, value v, int image) {
    return plan_lane(p, image, 0) + p->buffer[p->layer[v].gradient].offset;
}

#endif
