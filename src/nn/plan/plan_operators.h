/* One table of operators: all that a plan must know of a kind of node to give it a shape, memory
 * and its place in both passes. To add one: a kind and its builder (graph/node.h, graph/graph.c), a
 * row (plan_operators.c), and the functions of the row, beside their like or in a file of their
 * own. */
#ifndef AUXSEG_NN_PLAN_PLAN_OPERATORS_H
#define AUXSEG_NN_PLAN_PLAN_OPERATORS_H

#include "src/nn/plan/plan_state.h"

/* An image's turn at a node, by one thread of the team that computes it. */
typedef struct turn {
    int image;
    const team *t;
    const step_context *c;
    bool again;  /* forward: what is run once more for the backward pass */
    float *slot; /* backward: of the image's weight gradient; NULL: units take it */
} turn;

/* What a node needs besides an image by itself: where the passes are cut. */
typedef enum operator_role {
    OPERATOR_PLAIN,      /* nothing */
    OPERATOR_IMAGE,      /* nothing before it: the caller's image */
    OPERATOR_WEIGHTS,    /* a gradient of weights, added over images in their order (plan_slots.h,
                            plan_units.h) */
    OPERATOR_STATISTICS, /* statistics of several images (plan_norm.h) */
} operator_role;

typedef struct operator{
    const char *name; /* in tables of times */
    operator_role role;
    /* Height and width of the value, from those of the inputs; 0: the image is too small. */
    void (*shape)(const plan *p, layer *l);

    /* ---- memory ---- */
    int read;          /* so many inputs' elements are read, and get a gradient; 0: all. The other
                          inputs give a shape alone */
    bool saves_input;  /* the backward pass reads the first input */
    bool saves_output; /* and the value, where the node has a ReLU */
    size_t keeps;      /* bytes an element of what it keeps of its own for the backward pass */
    bool in_place;     /* the gradient of the first input may stand where that of the value does */
    bool identity;     /* PLAN_INFER: the value is the first input */
    bool overwrites;   /* PLAN_INFER: the value may stand where the first input does, if no node
                          reads that later */
    bool takes_image;  /* reads the caller's image in fp32, whatever the maps are */

    /* ---- the passes ----
     * Called by all threads of a team at once, which share out the work and meet afterwards,
     * whatever each returns. backward: from the gradient of the value to those of the inputs to
     * which it flows, added to or written. Not called where nothing flows, but for
     * OPERATOR_WEIGHTS. */
    status (*forward)(plan * p, value v, const turn *r);
    status (*backward)(plan * p, value v, const turn *r); /* NULL: PLAN_TRAIN refuses the graph */

    /* ---- what a node has of its own in PLAN_INFER; NULL: nothing ---- */
    status (*create)(plan * p, layer * l);
    void (*destroy)(layer * l);
    status (*pack)(plan * p, layer * l); /* weights have changed; by one thread */
    size_t (*scratch)(const layer *l);   /* bytes of each thread's memory */
}
operator;

const operator* plan_operator(node_kind kind);

/* Whether v is needed and has this role. */
static inline bool plan_has_role(const plan *p, value v, operator_role role) {
    return p->layer[v].alive && p->layer[v].op->role == role;
}

/* Inputs whose elements are read. */
static inline int plan_inputs_read(const layer *l) {
    return l->op->read > 0 ? l->op->read : l->n->inputs;
}

/* Whether the gradient of the value goes on to an input. */
static inline bool plan_flows_on(const layer *l) {
    for (int k = 0; k < l->n->inputs; k++)
        if (l->flows[k]) return true;
    return false;
}

#endif
