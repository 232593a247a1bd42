/* The operators of transformers in a plan: plan_operators.h. */
#ifndef AUXSEG_NN_PLAN_PLAN_TOKENS_H
#define AUXSEG_NN_PLAN_PLAN_TOKENS_H

#include "src/nn/plan/plan_operators.h"

status embed_create(plan *p, layer *l);
void embed_destroy(layer *l);
status embed_pack(plan *p, layer *l);
size_t embed_scratch(const layer *l);
status embed_forward(plan *p, value v, const turn *r);

status attention_layer_create(plan *p, layer *l);
void attention_layer_destroy(layer *l);
size_t attention_layer_scratch(const layer *l);
status attention_forward(plan *p, value v, const turn *r);

status mlp_layer_create(plan *p, layer *l);
void mlp_layer_destroy(layer *l);
status mlp_layer_pack(plan *p, layer *l);
size_t mlp_layer_scratch(const layer *l);
status mlp_forward(plan *p, value v, const turn *r);

status layer_norm_forward(plan *p, value v, const turn *r);
status scale_forward(plan *p, value v, const turn *r);
status patches_forward(plan *p, value v, const turn *r);

#endif
