/* A plan from its graph to its memory: each part is laid out before any memory is taken, so that
 * the size of an image can be told without making a plan; and what a caller sees of it.
 *
 * The order of creation is one of dependence. Fusion decides which values exist and who writes
 * them, and the layout which gradients flow; kernels are chosen when both are known, for they must
 * know what they add and what is fused into them. Packed weights and scratch memory are measured by
 * the kernels, slots by their layouts of gradients. Weights are packed last.
 *
 * A plan that fails half-way is destroyed as it is: every part is zero, or NULL, until it is
 * made. */
#include "src/nn/plan/plan.h"

#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/nn/kernels/processor.h"
#include "src/nn/plan/plan_backward.h"
#include "src/nn/plan/plan_conv.h"
#include "src/nn/plan/plan_fuse.h"
#include "src/nn/plan/plan_layout.h"
#include "src/nn/plan/plan_norm.h"
#include "src/nn/plan/plan_operators.h"
#include "src/nn/plan/plan_pack.h"
#include "src/nn/plan/plan_shape.h"
#include "src/nn/plan/plan_sync.h"

#include <assert.h>
#include <stdio.h>

/* Where the graph's parameters stand among the caller's. By name, for the caller's set may have
 * been declared by another graph, in another order, and with more than this one needs. */
static status find_parameters(plan *p) {
    const graph *g = p->g;
    p->item = plan_alloc(p, (size_t)g->declarations, sizeof *p->item, "plan");
    if (!p->item) return STATUS_FAILED;
    for (int i = 0; i < g->declarations; i++) {
        const parameter *d = &g->declared[i];
        p->item[i] = parameters_find(p->p, d->name);
        const parameter *found = p->item[i] < 0 ? NULL : &p->p->item[p->item[i]];
        bool same = found && found->dims == d->dims && found->trainable == d->trainable;
        for (int k = 0; same && k < d->dims; k++) same = found->shape[k] == d->shape[k];
        if (!same) {
            log_error("parameter %s is missing, or has another shape than the network's", d->name);
            return STATUS_FAILED;
        }
    }
    return STATUS_OK;
}

/* Where everything will stand. No map is allocated, no primitive made: enough for plan_image_bytes.
 * Which fusion there is depends on the mode, for in training a norm must wait for all images. */
static status lay_out(plan *p) {
    status st = find_parameters(p);
    p->layer = plan_alloc(p, (size_t)p->nodes, sizeof *p->layer, "plan");
    if (!p->layer) st = STATUS_FAILED;
    if (st == STATUS_OK) st = plan_shapes(p);
    if (st == STATUS_OK) st = plan_check_norms(p);
    if (st == STATUS_OK && p->o.mode == PLAN_INFER) plan_fuse(p);
    if (st == STATUS_OK && p->o.mode == PLAN_TRAIN) plan_fuse_sums(p);
    return st == STATUS_OK ? plan_layout(p) : st;
}

/* What oneDNN takes for its code while kernels are made: measured at tens of MiB, and it ends the
 * process where it gets none. */
enum { KERNEL_CODE = 128 << 20 };

static status build(plan *p) {
    status st = lay_out(p);
    if (st == STATUS_OK) st = plan_create_maps(p);
    if (st == STATUS_OK) st = plan_create_norms(p);
    if (st == STATUS_OK && !memory_room(KERNEL_CODE, "oneDNN")) st = STATUS_FAILED;
    if (st == STATUS_OK) st = plan_create_kernels(p);
    if (st == STATUS_OK) st = plan_create_packed(p);
    if (st == STATUS_OK) st = plan_create_workers(p);
    if (st == STATUS_OK && p->o.mode == PLAN_TRAIN) st = plan_create_backward(p);
    return st == STATUS_OK ? plan_pack(p) : st;
}

/* An error of the graph, kept while it was built, is handed on here. */
status plan_create(plan **out, const graph *g, parameters *p, plan_options o) {
    assert(o.height > 0 && o.width > 0 && o.images > 0 && o.threads > 0);
    assert(o.mode == PLAN_INFER || o.norm != NORM_GROUP || o.group > 0);
    if (graph_status(g) != STATUS_OK) return graph_status(g);
    plan *made = memory_alloc(1, sizeof *made, "plan");
    if (!made) return STATUS_FAILED;
    *made = (plan){.g = g, .p = p, .o = o, .nodes = g->nodes};
    status st = build(made);
    if (st != STATUS_OK) {
        plan_destroy(made);
        return st;
    }
    *out = made;
    return STATUS_OK;
}

/* A plan that is laid out and taken apart again: no kernel, no arena. `bytes` is of maps and norm
 * statistics: what each further image costs. Threads' memory, slots and weights are there once,
 * whatever the number of images. */
status plan_image_bytes(const graph *g, parameters *p, plan_options o, size_t *bytes) {
    assert(o.mode == PLAN_TRAIN);
    if (graph_status(g) != STATUS_OK) return graph_status(g);
    plan *made = memory_alloc(1, sizeof *made, "plan");
    if (!made) return STATUS_FAILED;
    *made = (plan){.g = g, .p = p, .o = o, .nodes = g->nodes};
    status st = lay_out(made);
    if (st == STATUS_OK) *bytes = plan_map_bytes(made) + plan_norm_bytes(made);
    plan_destroy(made);
    return st;
}

void plan_destroy(plan *p) {
    if (!p) return;
    for (int i = 0; p->layer && i < p->nodes; i++) {
        plan_destroy_kernels(&p->layer[i]);
        plan_destroy_norm(&p->layer[i]);
    }
    for (int i = 0; p->output && i < p->g->outputs; i++) {
        memory_free(p->output[i].data);
        memory_free(p->output[i].gradient);
    }
    for (int i = 0; p->worker && i < p->o.threads; i++) {
        memory_free(p->worker[i].scratch);
        memory_free(p->worker[i].work);
        memory_free(p->worker[i].seconds);
    }
    /* After all kernels. */
    onednn_destroy(p->engine);
    memory_free(p->packed);
    memory_free(p->item);
    memory_free(p->layer);
    memory_free(p->buffer);
    memory_free(p->arena);
    memory_free(p->input);
    memory_free(p->output);
    memory_free(p->worker);
    memory_free(p->meeting);
    memory_free(p->step);
    memory_free(p->slot);
    memory_free(p->unit_gradient);
    memory_free(p->unit_x);
    memory_free(p->unit_dy);
    memory_free(p->plain);
    plan_destroy_sync(p);
    memory_free(p->reported);
    memory_free(p);
}

/* Every graph has an image. */
static size_t image_elements(const plan *p) {
    value v = 0;
    while (p->layer[v].op->role != OPERATOR_IMAGE) v++;
    return p->layer[v].elements;
}

float *plan_input(plan *p, int image) {
    assert(image >= 0 && image < p->o.images);
    return p->input + (size_t)image * image_elements(p);
}

/* Pointers change hands: a ready batch costs no copy. */
void plan_swap_input(plan *p, float **input) {
    float *mine = p->input;
    p->input = *input;
    *input = mine;
}

/* Images are [h, w, C], one after the other. */
const float *plan_output(const plan *p, int output, int image) {
    const plan_output_data *o = &p->output[output];
    return o->data + (size_t)image * p->layer[o->v].elements;
}

void plan_output_shape(const plan *p, int output, int *height, int *width, int *channels) {
    const layer *l = &p->layer[p->output[output].v];
    *height = l->height;
    *width = l->width;
    *channels = l->n->channels;
}

float *plan_output_gradient(plan *p, int output, int image) {
    const plan_output_data *o = &p->output[output];
    return o->gradient + (size_t)image * p->layer[o->v].elements;
}

size_t plan_bytes(const plan *p) {
    return p->bytes;
}

size_t plan_packed_bytes(const plan *p) {
    return p->packed_bytes;
}

bool plan_supports(dtype t) {
    return onednn_supports(t);
}

/* From a table of processors, never from a measurement: the type decides bits, and a run that is
 * continued must find the same one. */
bool plan_fast_bf16(void) {
    processor here = processor_here();
    return processor_fast_bf16(&here, NULL);
}

bool plan_bf16_tiles(void) {
    return processor_here().amx;
}

/* The reason is a static string: only the name needs memory here. */
void plan_processor(char *text, size_t size) {
    processor here = processor_here();
    const char *why;
    char name[64];
    processor_fast_bf16(&here, &why);
    processor_describe(&here, name, sizeof name);
    snprintf(text, size, "%s: %s", name, why);
}

void plan_describe(char *text, size_t size) {
    onednn_describe(text, size);
}
