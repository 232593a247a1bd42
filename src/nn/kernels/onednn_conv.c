/* Convolutions by oneDNN: primitives of one image, created under one thread and run by any, each
 * with operands of its own. Weights are packed into the layout that the primitive asks for.
 *
 * All are of one image (batch 1): the program's threads are at work on images of their own, and an
 * image's arithmetic must not depend on how many others there are. A kernel has the primitive, and
 * for each thread the memory objects of its operands; packed weights in the layout that the
 * implementation chose, its own or those of the kernel that it is a part of (BACKWARD_WEIGHTS has
 * none: the caller holds the gradient); and a reorder from PyTorch's layout to that one or, of
 * BACKWARD_WEIGHTS, back. A part is never packed, and has no reorder.
 *
 * What has been created when something fails is destroyed by onednn_kernel_destroy, which takes a
 * kernel in any state. */
#include "src/base/memory.h"
#include "src/nn/kernels/onednn_version.h"

#include <assert.h>
#include <omp.h>
#include <string.h>

typedef enum kernel_kind { FORWARD, BACKWARD_DATA, BACKWARD_WEIGHTS } kernel_kind;

/* What a thread hands to an execution. */
typedef struct operands {
    dnnl_memory_t x, y, weights, bias, scratch;
} operands;

struct onednn_kernel {
    onednn *o;
    kernel_kind kind;
    conv_fusion fusion;
    const struct onednn_kernel *whole; /* of a part: whose packed weights it has */
    dnnl_primitive_desc_t descriptor;
    dnnl_primitive_t primitive;
    operands *operand; /* [threads] */
    void *packed;      /* weights of FORWARD and BACKWARD_DATA */
    size_t packed_bytes, scratch_bytes;
    dnnl_primitive_desc_t reorder_descriptor;
    dnnl_primitive_t reorder; /* packs; of BACKWARD_WEIGHTS: unpacks */
    dnnl_memory_t plain, laid_out;
};

/* Those that were never created are NULL. */
static void descriptors_free(conv_descriptors *v) {
    descriptor_destroy(v->source);
    descriptor_destroy(v->destination);
    descriptor_destroy(v->weights);
    descriptor_destroy(v->gradient);
    descriptor_destroy(v->bias);
}

/* Weights and their gradient are in whatever layout the implementation likes best ("any"): packing
 * and unpacking are a pass over weights, once a step. Gradients are fp32 whatever the maps are.
 * oneDNN counts dilation from 0. Of a part padding above and below differs from that at the sides.
 * On an error the caller frees what there is. */
static dnnl_status_t descriptors_create(conv_descriptors *v, const conv_shape *c) {
    dnnl_dims_t source = {1, c->channels, c->height, c->width};
    dnnl_dims_t destination = {1, c->out_channels, c->out_height, c->out_width};
    dnnl_dims_t weights = {c->out_channels, c->channels, c->kernel, c->kernel};
    dnnl_data_type_t type = c->type == DTYPE_BF16 ? dnnl_bf16 : dnnl_f32;
    *v = (conv_descriptors){.stride = {c->stride, c->stride},
        .dilation = {c->dilation - 1, c->dilation - 1},
        .padding = {c->padding + c->above, c->padding},
        .padding_end = {c->padding + c->below, c->padding}};
    dnnl_status_t s = descriptor_create(&v->source, 4, source, type, dnnl_nhwc);
    if (s == dnnl_success) s = descriptor_create(&v->destination, 4, destination, type, dnnl_nhwc);
    if (s == dnnl_success)
        s = descriptor_create(&v->weights, 4, weights, type, dnnl_format_tag_any);
    if (s == dnnl_success)
        s = descriptor_create(&v->gradient, 4, weights, dnnl_f32, dnnl_format_tag_any);
    if (s == dnnl_success) s = descriptor_create(&v->bias, 1, weights, dnnl_f32, dnnl_x);
    return s;
}

/* Scratch memory is the caller's; post-ops in the order sum, ReLU. The order is that of the formula
 * y = relu(conv(x) + bias + y). On an error *out may be set: the caller destroys it. */
static dnnl_status_t attributes_create(dnnl_primitive_attr_t *out, conv_fusion f) {
    dnnl_post_ops_t ops = NULL;
    dnnl_status_t s = dnnl_primitive_attr_create(out);
    if (s != dnnl_success) return s;
    s = dnnl_primitive_attr_set_scratchpad_mode(*out, dnnl_scratchpad_mode_user);
    if (s == dnnl_success) s = dnnl_post_ops_create(&ops);
    if (s == dnnl_success && f.sum) s = append_sum(ops);
    if (s == dnnl_success && f.relu) s = append_relu(ops);
    if (s == dnnl_success && (f.sum || f.relu)) s = dnnl_primitive_attr_set_post_ops(*out, ops);
    if (ops) dnnl_post_ops_destroy(ops);
    return s;
}

/* Backward passes are described after a forward one, their hint. The hint has no bias, for none of
 * the backward passes has one. Descriptors are copied into what is described, and may go. */
static dnnl_status_t describe(onednn_kernel *k, const conv_shape *c) {
    conv_fusion f = k->fusion;
    conv_descriptors v;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_primitive_desc_t hint = NULL;
    dnnl_status_t s = descriptors_create(&v, c);
    if (s == dnnl_success) s = attributes_create(&attributes, f);
    if (s != dnnl_success) goto done;
    if (k->kind == FORWARD) {
        s = describe_forward(&k->descriptor, k->o, &v, f.bias, attributes);
        goto done;
    }
    s = describe_forward(&hint, k->o, &v, false, attributes);
    if (s != dnnl_success) goto done;
    s = k->kind == BACKWARD_DATA
            ? describe_backward_data(&k->descriptor, k->o, &v, hint, attributes)
            : describe_backward_weights(&k->descriptor, k->o, &v, hint, attributes);
done:
    if (hint) dnnl_primitive_desc_destroy(hint);
    if (attributes) dnnl_primitive_attr_destroy(attributes);
    descriptors_free(&v);
    return s;
}

/* Owned by the primitive's descriptor. */
static const_descriptor query(const onednn_kernel *k, dnnl_query_t what) {
    return dnnl_primitive_desc_query_md(k->descriptor, what, 0);
}

/* The layout that was chosen for "any": known only once the primitive is described. */
static const_descriptor weights_of(const onednn_kernel *k) {
    return query(
        k, k->kind == BACKWARD_WEIGHTS ? dnnl_query_diff_weights_md : dnnl_query_weights_md);
}

/* The reorder between fp32 OIHW (IOHW) and the layout of the kernel's weights. A transposed
 * convolution reads the layer's own weights with inputs and outputs exchanged: IOHW. The fp32 side
 * is pointed at the caller's memory at each run. */
static dnnl_status_t reorder_create(onednn_kernel *k, const conv_shape *c) {
    dnnl_dims_t shape = {c->out_channels, c->channels, c->kernel, c->kernel};
    bool packs = k->kind != BACKWARD_WEIGHTS;
    const_descriptor laid_out = weights_of(k);
    descriptor plain = NULL;
    dnnl_format_tag_t layout = k->fusion.transposed ? dnnl_iohw : dnnl_oihw;
    dnnl_status_t s = descriptor_create(&plain, 4, shape, dnnl_f32, layout);
    if (s == dnnl_success) s = dnnl_memory_create(&k->plain, plain, k->o->engine, DNNL_MEMORY_NONE);
    if (s == dnnl_success)
        s = dnnl_memory_create(
            &k->laid_out, laid_out, k->o->engine, packs ? k->packed : DNNL_MEMORY_NONE);
    if (s == dnnl_success)
        s = dnnl_reorder_primitive_desc_create(&k->reorder_descriptor, packs ? plain : laid_out,
            k->o->engine, packs ? laid_out : plain, k->o->engine, NULL);
    if (s == dnnl_success) s = dnnl_primitive_create(&k->reorder, k->reorder_descriptor);
    descriptor_destroy(plain);
    return s;
}

/* Memory objects are made once a thread, and pointed anew at each execution: an execution allocates
 * nothing. x and y by kind: source and destination, the destination's gradient and the source's, or
 * source and the destination's gradient. */
static dnnl_status_t operands_create(onednn_kernel *k, operands *a) {
    static const dnnl_query_t x[] = {dnnl_query_src_md, dnnl_query_diff_dst_md, dnnl_query_src_md},
                              y[] = {dnnl_query_dst_md, dnnl_query_diff_src_md,
                                  dnnl_query_diff_dst_md};
    dnnl_engine_t e = k->o->engine;
    dnnl_status_t s = dnnl_memory_create(&a->x, query(k, x[k->kind]), e, DNNL_MEMORY_NONE);
    if (s == dnnl_success) s = dnnl_memory_create(&a->y, query(k, y[k->kind]), e, DNNL_MEMORY_NONE);
    if (s == dnnl_success)
        s = dnnl_memory_create(
            &a->weights, weights_of(k), e, k->packed ? k->packed : DNNL_MEMORY_NONE);
    if (s == dnnl_success)
        s = dnnl_memory_create(
            &a->scratch, query(k, dnnl_query_scratchpad_md), e, DNNL_MEMORY_NONE);
    if (s == dnnl_success && k->fusion.bias)
        s = dnnl_memory_create(&a->bias,
            dnnl_primitive_desc_query_md(k->descriptor, dnnl_query_weights_md, 1), e,
            DNNL_MEMORY_NONE);
    return s;
}

static void operands_destroy(operands *a) {
    if (a->x) dnnl_memory_destroy(a->x);
    if (a->y) dnnl_memory_destroy(a->y);
    if (a->weights) dnnl_memory_destroy(a->weights);
    if (a->bias) dnnl_memory_destroy(a->bias);
    if (a->scratch) dnnl_memory_destroy(a->scratch);
}

/* A part reads the whole's packed weights: they are not held twice. After the primitive is
 * described, for sizes and layouts are asked of it. */
static status kernel_operands(onednn_kernel *k) {
    dnnl_status_t s = dnnl_success;
    k->scratch_bytes = dnnl_memory_desc_get_size(query(k, dnnl_query_scratchpad_md));
    k->packed_bytes = dnnl_memory_desc_get_size(weights_of(k));
    k->operand = memory_alloc((size_t)k->o->threads, sizeof *k->operand, "oneDNN");
    if (k->whole)
        k->packed = k->whole->packed;
    else if (k->kind != BACKWARD_WEIGHTS)
        k->packed = memory_alloc(k->packed_bytes, 1, "weights");
    if (!k->operand || (k->kind != BACKWARD_WEIGHTS && !k->packed)) return STATUS_FAILED;
    for (int i = 0; i < k->o->threads && s == dnnl_success; i++)
        s = operands_create(k, &k->operand[i]);
    return onednn_check(s, "convolution");
}

static status kernel_build(onednn_kernel *k, const conv_shape *c) {
    dnnl_status_t s = describe(k, c);
    if (s == dnnl_success) s = dnnl_primitive_create(&k->primitive, k->descriptor);
    status built = onednn_check(s, "convolution");
    if (built == STATUS_OK) built = kernel_operands(k);
    return built == STATUS_OK ? onednn_check(reorder_create(k, c), "convolution") : built;
}

/* A primitive keeps the number of threads of the moment in which it is created, and in 2.6 a
 * backward-weights primitive made for two threads does half the work in a parallel region, without
 * an error: all are created for one. Two primitives are counted: its own and the reorder. */
static status kernel_create(
    onednn_kernel **out, onednn *o, kernel_kind kind, const conv_shape *c, conv_fusion f) {
    onednn_kernel *k = memory_alloc(1, sizeof *k, "oneDNN");
    if (!k) return STATUS_FAILED;
    *k = (onednn_kernel){.o = o, .kind = kind, .fusion = f};
    int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    status st = kernel_build(k, c);
    omp_set_num_threads(threads);
    if (st != STATUS_OK) {
        onednn_kernel_destroy(k);
        return st;
    }
    onednn_count(2);
    *out = k;
    return STATUS_OK;
}

/* oneDNN's name of it, as in its verbose log. */
static const char *implementation(const onednn_kernel *k) {
    const char *name = "";
    dnnl_primitive_desc_query(k->descriptor, dnnl_query_impl_info_str, 0, &name);
    return name;
}

/* Another implementation would add in another order: the name must be the same, and the layout of
 * the weights, which are shared. */
static bool part_build(onednn_kernel *k, const conv_shape *c) {
    const onednn_kernel *whole = k->whole;
    if (describe(k, c) != dnnl_success) return false;
    bool same = strcmp(implementation(k), implementation(whole)) == 0;
    if (same && k->kind != BACKWARD_WEIGHTS)
        same = dnnl_memory_desc_equal(weights_of(k), weights_of(whole));
    return same && dnnl_primitive_create(&k->primitive, k->descriptor) == dnnl_success &&
           kernel_operands(k) == STATUS_OK;
}

/* No message: the caller has another way. */
bool onednn_part(onednn_kernel **out, const onednn_kernel *whole, const conv_shape *c) {
    onednn_kernel *k = memory_alloc(1, sizeof *k, "oneDNN");
    if (!k) return false;
    *k = (onednn_kernel){
        .o = whole->o, .kind = whole->kind, .fusion = whole->fusion, .whole = whole};
    int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    bool built = part_build(k, c);
    omp_set_num_threads(threads);
    if (!built) {
        onednn_kernel_destroy(k);
        return false;
    }
    onednn_count(1);
    *out = k;
    return true;
}

status onednn_forward(onednn_kernel **out, onednn *o, const conv_shape *c, conv_fusion f) {
    return kernel_create(out, o, FORWARD, c, f);
}

status onednn_backward_data(onednn_kernel **out, onednn *o, const conv_shape *c) {
    return kernel_create(out, o, BACKWARD_DATA, c, (conv_fusion){.bias = false});
}

status onednn_backward_weights(onednn_kernel **out, onednn *o, const conv_shape *c) {
    return kernel_create(out, o, BACKWARD_WEIGHTS, c, (conv_fusion){.bias = false});
}

void onednn_kernel_destroy(onednn_kernel *k) {
    if (!k) return;
    for (int i = 0; k->operand && i < k->o->threads; i++) operands_destroy(&k->operand[i]);
    if (k->plain) dnnl_memory_destroy(k->plain);
    if (k->laid_out) dnnl_memory_destroy(k->laid_out);
    if (k->reorder) dnnl_primitive_destroy(k->reorder);
    if (k->reorder_descriptor) dnnl_primitive_desc_destroy(k->reorder_descriptor);
    if (k->primitive) dnnl_primitive_destroy(k->primitive);
    if (k->descriptor) dnnl_primitive_desc_destroy(k->descriptor);
    memory_free(k->operand);
    if (!k->whole) memory_free(k->packed);
    memory_free(k);
}

bool onednn_has_bias(const onednn_kernel *k) {
    return k->fusion.bias;
}

size_t onednn_scratch(const onednn_kernel *k) {
    return k->scratch_bytes;
}

size_t onednn_bytes(const onednn_kernel *k) {
    return k->packed && !k->whole ? k->packed_bytes : 0;
}

/* With what the layout pads. */
size_t onednn_gradient_count(const onednn_kernel *k) {
    assert(k->kind == BACKWARD_WEIGHTS);
    return k->packed_bytes / sizeof(float);
}

/* The reorder has one pair of memory objects, not one a thread: two threads must not pack the same
 * kernel at once. */
status onednn_pack(onednn_kernel *k, int thread, const float *weight) {
    assert(k->kind != BACKWARD_WEIGHTS);
    status st = onednn_check(onednn_point(k->plain, weight), "weights");
    dnnl_exec_arg_t argument[] = {{DNNL_ARG_FROM, k->plain}, {DNNL_ARG_TO, k->laid_out}};
    return st == STATUS_OK ? onednn_execute(k->o, thread, k->reorder, 2, argument) : st;
}

status onednn_unpack(onednn_kernel *k, int thread, const float *packed, float *weight) {
    assert(k->kind == BACKWARD_WEIGHTS);
    dnnl_status_t s = onednn_point(k->plain, weight);
    if (s == dnnl_success) s = onednn_point(k->laid_out, packed);
    dnnl_exec_arg_t argument[] = {{DNNL_ARG_FROM, k->laid_out}, {DNNL_ARG_TO, k->plain}};
    return s == dnnl_success ? onednn_execute(k->o, thread, k->reorder, 2, argument)
                             : onednn_check(s, "weight gradient");
}

/* A memory object belongs to a thread: that it is pointed elsewhere disturbs no other one. The bias
 * is the last argument, so that it can be left out by the count. */
status onednn_run(
    const onednn_kernel *k, int thread, const void *x, void *y, const float *bias, void *scratch) {
    bool forward = k->kind == FORWARD;
    assert(k->kind != BACKWARD_WEIGHTS && k->fusion.bias == (bias != NULL));
    const operands *a = &k->operand[thread];
    dnnl_status_t s = onednn_point(a->x, x);
    if (s == dnnl_success) s = onednn_point(a->y, y);
    if (s == dnnl_success) s = onednn_point(a->scratch, scratch);
    if (s == dnnl_success && bias) s = onednn_point(a->bias, bias);
    if (s != dnnl_success) return onednn_check(s, "convolution");
    dnnl_exec_arg_t argument[] = {{forward ? DNNL_ARG_SRC : DNNL_ARG_DIFF_DST, a->x},
        {forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_SRC, a->y}, {DNNL_ARG_WEIGHTS, a->weights},
        {DNNL_ARG_SCRATCHPAD, a->scratch}, {DNNL_ARG_BIAS, a->bias}};
    return onednn_execute(k->o, thread, k->primitive, bias ? 5 : 4, argument);
}

status onednn_run_weights(const onednn_kernel *k, int thread, const void *x, const void *dy,
    float *packed, void *scratch) {
    assert(k->kind == BACKWARD_WEIGHTS);
    const operands *a = &k->operand[thread];
    dnnl_status_t s = onednn_point(a->x, x);
    if (s == dnnl_success) s = onednn_point(a->y, dy);
    if (s == dnnl_success) s = onednn_point(a->weights, packed);
    if (s == dnnl_success) s = onednn_point(a->scratch, scratch);
    if (s != dnnl_success) return onednn_check(s, "convolution");
    dnnl_exec_arg_t argument[] = {{DNNL_ARG_SRC, a->x}, {DNNL_ARG_DIFF_DST, a->y},
        {DNNL_ARG_DIFF_WEIGHTS, a->weights}, {DNNL_ARG_SCRATCHPAD, a->scratch}};
    return onednn_execute(k->o, thread, k->primitive, 4, argument);
}
