/* Operators of transformers. Tokens are a value [T, 1, C]: linear layers are the 1 x 1 convolutions
 * that they are elsewhere, and a team shares out tokens. None has a backward pass.
 *
 * Attention, the MLP and the embedding hold kernels and packed parameters of their own, made with
 * the plan; the rest are loops over tokens. */
#include "src/nn/plan/plan_tokens.h"

#include "src/base/rows.h"
#include "src/nn/kernels/attention.h"
#include "src/nn/kernels/embedding.h"
#include "src/nn/kernels/mlp.h"
#include "src/nn/kernels/tokens.h"

#include <omp.h>
#include <string.h>

/* ---- the embedding ---- */

status embed_create(plan *p, layer *l) {
    const patch_embed *e = &l->n->tokens;
    embedding_shape s = {.height = p->o.height,
        .width = p->o.width,
        .patch = e->patch,
        .channels = e->channels,
        .grid = e->grid,
        .prefix = 1 + e->registers,
        .class_position = e->class_position,
        .antialias = e->rule == POSITIONS_TIMM,
        .type = p->o.type};
    status st = embedding_create(&l->embedding, &s);
    if (st == STATUS_OK) p->bytes += embedding_bytes(l->embedding);
    return st;
}

void embed_destroy(layer *l) {
    embedding_destroy(l->embedding);
}

status embed_pack(plan *p, layer *l) {
    const node *n = l->n;
    embedding_weights w = {.first = plan_parameter(p, n->first),
        .registers = n->registers >= 0 ? plan_parameter(p, n->registers) : NULL,
        .position = plan_parameter(p, n->position),
        .weight = plan_parameter(p, n->weight),
        .bias = plan_parameter(p, n->bias)};
    return embedding_pack(l->embedding, &w);
}

size_t embed_scratch(const layer *l) {
    return embedding_scratch(l->embedding);
}

/* The image is the caller's own, in fp32: the operator takes_image. */
status embed_forward(plan *p, value v, const turn *r) {
    const layer *l = &p->layer[v];
    const layer *image = &p->layer[l->n->input[0]];
    embedding_run(l->embedding, r->t, p->input + (size_t)r->image * image->elements,
        plan_data(p, v, r->image, r->t->leader));
    return STATUS_OK;
}

/* ---- attention ---- */

status attention_layer_create(plan *p, layer *l) {
    attention_shape s = {.tokens = l->height,
        .heads = l->n->heads,
        .dim = l->n->channels / l->n->heads,
        .type = p->o.type};
    return attention_create(&l->attention, p->engine, &s);
}

void attention_layer_destroy(layer *l) {
    attention_destroy(l->attention);
}

size_t attention_layer_scratch(const layer *l) {
    return attention_scratch(l->attention);
}

status attention_forward(plan *p, value v, const turn *r) {
    const layer *l = &p->layer[v];
    return attention_run(l->attention, r->t, plan_data(p, l->n->input[0], r->image, r->t->leader),
        plan_data(p, v, r->image, r->t->leader));
}

/* ---- the MLP ---- */

status mlp_layer_create(plan *p, layer *l) {
    mlp_shape s = {
        .tokens = l->height, .channels = l->n->channels, .hidden = l->n->hidden, .type = p->o.type};
    status st = mlp_create(&l->mlp, p->engine, &s);
    if (st == STATUS_OK) p->bytes += mlp_bytes(l->mlp);
    return st;
}

void mlp_layer_destroy(layer *l) {
    mlp_destroy(l->mlp);
}

status mlp_layer_pack(plan *p, layer *l) {
    const node *n = l->n;
    mlp_weights w = {.weight1 = plan_parameter(p, n->weight),
        .bias1 = plan_parameter(p, n->bias),
        .weight2 = plan_parameter(p, n->weight2),
        .bias2 = plan_parameter(p, n->bias2),
        .scale = plan_parameter(p, n->scale)};
    return mlp_pack(l->mlp, omp_get_thread_num(), &w);
}

size_t mlp_layer_scratch(const layer *l) {
    return mlp_scratch(l->mlp);
}

/* The sum is added where it stands. If its tokens are needed further on, they are copied first. */
status mlp_forward(plan *p, value v, const turn *r) {
    const layer *l = &p->layer[v];
    const void *x = plan_data(p, l->n->input[0], r->image, r->t->leader);
    void *y = plan_data(p, v, r->image, r->t->leader);
    if (x != y) {
        size_t begin, end;
        team_share(r->t, l->elements, PLAN_SHARE, &begin, &end);
        memcpy(row_at(y, begin, p->o.type), row_at(x, begin, p->o.type),
            (end - begin) * dtype_size(p->o.type));
        team_meet(r->t);
    }
    return mlp_run(l->mlp, r->t, plan_data(p, l->n->input[1], r->image, r->t->leader), y);
}

/* ---- loops over tokens ---- */

/* This thread's tokens of node v: how many, where they begin in its first input and in it. */
typedef struct part {
    size_t count, channels;
    const void *x;
    void *y;
} part;

static part part_of(const plan *p, value v, const turn *r) {
    const layer *l = &p->layer[v];
    size_t begin, end, c = (size_t)l->n->channels;
    team_share(r->t, (size_t)l->height * (size_t)l->width, 1, &begin, &end);
    return (part){end - begin, c,
        row_at(plan_data(p, l->n->input[0], r->image, r->t->leader), begin * c, p->o.type),
        row_at(plan_data(p, v, r->image, r->t->leader), begin * c, p->o.type)};
}

status layer_norm_forward(plan *p, value v, const turn *r) {
    const node *n = p->layer[v].n;
    part w = part_of(p, v, r);
    tokens_layer_norm(w.x, w.y, w.count, w.channels, plan_parameter(p, n->weight),
        plan_parameter(p, n->bias), p->o.type);
    return STATUS_OK;
}

status scale_forward(plan *p, value v, const turn *r) {
    part w = part_of(p, v, r);
    tokens_scale(
        w.x, w.y, w.count, w.channels, plan_parameter(p, p->layer[v].n->weight), p->o.type);
    return STATUS_OK;
}

/* The input has more tokens and may have more channels than the map. */
status patches_forward(plan *p, value v, const turn *r) {
    const layer *l = &p->layer[v];
    const node *n = l->n;
    size_t begin, end, c = (size_t)n->channels;
    size_t total = (size_t)p->layer[n->input[0]].n->channels;
    team_share(r->t, (size_t)l->height * (size_t)l->width, 1, &begin, &end);
    const void *x = plan_data(p, n->input[0], r->image, r->t->leader);
    void *y = plan_data(p, v, r->image, r->t->leader);
    tokens_take(row_at(x, ((size_t)n->prefix + begin) * total, p->o.type),
        row_at(y, begin * c, p->o.type), end - begin, total, (size_t)n->channel, c, p->o.type);
    return STATUS_OK;
}
