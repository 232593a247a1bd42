/* The inside of a plan, shared by the plan*.c files. */
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
    int height, width;
    size_t elements; /* of the value, an image */
    bool alive;      /* an output depends on it */
    value writer;    /* the node that computes the value: its own, or one that has it fused in */
    value root;      /* the value whose memory it shares: its own, or a lower one */
    int data, index; /* buffers of the value and of a max pool's positions, or -1 */
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
    size_t slot;        /* floats of an image's weight and bias gradient */

    layer_shape shape; /* pools, resize */
    norm_state norm;   /* NODE_NORM */
    value summed;      /* NODE_ADD, PLAN_TRAIN: the norm that is applied as it is added, or -1 */

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
    bool late;    /* they are packed when they are needed, and take each other's place */

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
    float *slot; /* [slots, slot_floats]: weight gradients of as many images */
    size_t slot_floats;
    int slots;
    float *unit_gradient; /* [slot_floats], their sum over a unit */
    float *plain;         /* the same in PyTorch's layout */
    double *gathered;     /* [gathered_rows, 2, C], NORM_SYNC */
    size_t gathered_count;
    bool *reported; /* [trainable]: gradient_ready was called */
    bool timed;
    size_t bytes;
};

/* memory_alloc, counted in plan_bytes. */
void *plan_alloc(plan *p, size_t count, size_t size, const char *what);

/* plan_shape.c: shapes, liveness, fusion, gradient flow and the layout of the arena. */
status plan_shapes(plan *p);
void plan_fuse(plan *p);
void plan_fuse_sums(plan *p);
status plan_layout(plan *p);
/* The arena, inputs and outputs as they are laid out; and what an image in PLAN_TRAIN takes of
 * them. */
status plan_create_maps(plan *p);
size_t plan_map_bytes(const plan *p);

/* plan_again.c */
void plan_choose_again(plan *p);
/* Whether v is computed again by itself, for a convolution. */
bool plan_again_alone(const plan *p, value v);

/* plan_team.c: the most threads that compute an image together. */
int plan_largest_team(const plan *p);
/* What a team, mostly one thread, does with an image; all of its threads go the same way whatever
 * fails, for they meet. */
typedef status plan_work(plan *p, int image, const team *t, const void *job, const step_context *c);
/* Images first .. end - 1 by all threads of a parallel region, which meet at the end: each by one
 * thread, the last ones, where they are too few for all threads, by teams. */
status plan_each_image(
    plan *p, int first, int end, plan_work *work, const void *job, const step_context *c);

/* plan_conv.c */
status plan_create_kernels(plan *p);
/* Where weights are packed late: those of nodes begin .. end - 1 for the forward pass, or of one
 * node for the backward pass. By all threads of a parallel region, which meet at the end. */
status plan_pack_forward(plan *p, value begin, value end);
status plan_pack_backward(plan *p, value v);
/* The next norm from v on that needs statistics of all images; the end of the graph if there is
 * none. */
value plan_next_norm(const plan *p, value v);

/* plan_norm.c */
status plan_create_norms(plan *p);
/* Bytes of statistics that an image in PLAN_TRAIN adds, at most: where it is a unit. */
size_t plan_norm_bytes(const plan *p);
int plan_norm_units(const plan *p, int images);
/* An image's statistics; then, when all images have theirs, those of the units. What takes a team
 * is each thread's share. */
void norm_measure(plan *p, value v, int image, const team *t);
status norm_combine(plan *p, value v, int images, const step_context *c);
void norm_apply(plan *p, value v, int image, const team *t, bool again);
/* The norm of the sum v, which is added to the other input. Sums are never computed again. */
void norm_apply_sum(plan *p, value v, int image, const team *t);
/* The same backward: an image's sums, then the units' and the parameters' gradients. */
void norm_sum_image(plan *p, value v, int image, const team *t);
/* The same of a sum's norm: the gradient of the sum v becomes that of what its ReLU took. */
void norm_sum_summed(plan *p, value v, int image, const team *t);
status norm_combine_sums(plan *p, value v, int images, const step_context *c, gradient *total);
void norm_backward(plan *p, value v, int image, const team *t);

/* plan_forward.c: the random numbers of a dropout node for an image. */
random_stream plan_dropout_stream(const plan *p, value v, int image, const step_context *c);
/* Computes again what the backward pass needs of the block that ends with v. */
status plan_run_again(plan *p, value v, int images, const step_context *c);

/* plan_time.c: adds the time since `since` (0: begins) to the node's, where the plan is timed;
 * returns the present moment. */
double plan_lap(const plan *p, int thread, value v, node_pass pass, double since);

/* plan_backward.c */
status plan_create_backward(plan *p);

/* A trainable parameter, or a running statistic. NULL for -1. */
static inline float *plan_parameter(const plan *p, int declared) {
    if (declared < 0) return NULL;
    const parameter *item = &p->p->item[p->item[declared]];
    return (item->trainable ? p->p->value : p->p->buffer) + item->offset;
}

static inline bool plan_is_norm(const plan *p, value v) {
    const layer *l = &p->layer[v];
    return l->alive && l->n->kind == NODE_NORM && (p->o.mode == PLAN_TRAIN || l->writer == v);
}

/* Whether the sum v passes its gradient as its norm, the node before, takes its own sums. */
static inline bool plan_passes_summed(const plan *p, value v) {
    const layer *l = &p->layer[v];
    return l->summed >= 0 && l->summed == v - 1 && l->n->relu && l->gradient >= 0 &&
           p->layer[l->summed].gradient == l->gradient;
}

enum { PLAN_SHARE = 64 }; /* elements of a thread's share: whole cache lines */

/* A thread's share of rows. */
static inline layer_part plan_rows(const team *t, int rows) {
    size_t begin, end;
    team_share(t, (size_t)rows, 1, &begin, &end);
    return (layer_part){(int)begin, (int)end};
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

static inline void *plan_gradient(const plan *p, value v, int image) {
    return plan_lane(p, image, 0) + p->buffer[p->layer[v].gradient].offset;
}

#endif
