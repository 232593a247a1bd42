#include "src/nn/onednn.h"

#include "src/base/log.h"
#include "src/base/memory.h"

#include <assert.h>
#include <oneapi/dnnl/dnnl.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

/* Version 3 has opaque memory descriptors and creates primitive descriptors in one call; version 2
 * has plain structures and operation descriptors. Here both look like version 3. */
#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t descriptor;
typedef const_dnnl_memory_desc_t const_descriptor;

static dnnl_status_t descriptor_create(descriptor *d, int dims, const dnnl_dims_t shape,
    dnnl_data_type_t type, dnnl_format_tag_t layout) {
    return dnnl_memory_desc_create_with_tag(d, dims, shape, type, layout);
}

static void descriptor_destroy(descriptor d) {
    if (d) dnnl_memory_desc_destroy(d);
}

static dnnl_status_t append_relu(dnnl_post_ops_t ops) {
    return dnnl_post_ops_append_eltwise(ops, dnnl_eltwise_relu, 0.0f, 0.0f);
}

static dnnl_status_t append_sum(dnnl_post_ops_t ops) {
    return dnnl_post_ops_append_sum(ops, 1.0f, 0, dnnl_data_type_undef);
}
#else
typedef dnnl_memory_desc_t *descriptor;
typedef const dnnl_memory_desc_t *const_descriptor;

static dnnl_status_t descriptor_create(descriptor *d, int dims, const dnnl_dims_t shape,
    dnnl_data_type_t type, dnnl_format_tag_t layout) {
    *d = memory_alloc(1, sizeof **d, "oneDNN");
    return *d ? dnnl_memory_desc_init_by_tag(*d, dims, shape, type, layout) : dnnl_out_of_memory;
}

static void descriptor_destroy(descriptor d) {
    memory_free(d);
}

static dnnl_status_t append_relu(dnnl_post_ops_t ops) {
    return dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_relu, 0.0f, 0.0f);
}

static dnnl_status_t append_sum(dnnl_post_ops_t ops) {
    return dnnl_post_ops_append_sum(ops, 1.0f);
}
#endif

struct onednn {
    dnnl_engine_t engine;
    dnnl_stream_t *stream; /* [threads] */
    int threads;
};

typedef enum kernel_kind { FORWARD, BACKWARD_DATA, BACKWARD_WEIGHTS } kernel_kind;

/* What a thread hands to an execution. */
typedef struct operands {
    dnnl_memory_t x, y, weights, bias, scratch;
} operands;

struct onednn_kernel {
    onednn *o;
    kernel_kind kind;
    bool bias, transposed;
    dnnl_primitive_desc_t descriptor;
    dnnl_primitive_t primitive;
    operands *operand; /* [threads] */
    void *packed;      /* weights of FORWARD and BACKWARD_DATA */
    size_t packed_bytes, scratch_bytes;
    dnnl_primitive_desc_t reorder_descriptor;
    dnnl_primitive_t reorder; /* packs; of BACKWARD_WEIGHTS: unpacks */
    dnnl_memory_t plain, laid_out;
};

static int64_t primitives_created;

static status check(dnnl_status_t s, const char *what) {
    if (s == dnnl_success) return STATUS_OK;
    log_error("oneDNN: %s: %s", what,
        s == dnnl_unimplemented   ? "not implemented on this processor"
        : s == dnnl_out_of_memory ? "out of memory"
                                  : "refused");
    return STATUS_FAILED;
}

status onednn_create(onednn **out, int threads) {
    onednn *o = memory_alloc(1, sizeof *o, "oneDNN");
    if (!o) return STATUS_FAILED;
    o->threads = threads;
    o->stream = memory_alloc((size_t)threads, sizeof *o->stream, "oneDNN");
    status s = o->stream ? STATUS_OK : STATUS_FAILED;
    if (s == STATUS_OK) s = check(dnnl_engine_create(&o->engine, dnnl_cpu, 0), "engine");
    for (int i = 0; i < threads && s == STATUS_OK; i++)
        s = check(
            dnnl_stream_create(&o->stream[i], o->engine, dnnl_stream_default_flags), "stream");
    if (s != STATUS_OK) {
        onednn_destroy(o);
        return s;
    }
    *out = o;
    return STATUS_OK;
}

void onednn_destroy(onednn *o) {
    if (!o) return;
    for (int i = 0; o->stream && i < o->threads; i++)
        if (o->stream[i]) dnnl_stream_destroy(o->stream[i]);
    if (o->engine) dnnl_engine_destroy(o->engine);
    memory_free(o->stream);
    memory_free(o);
}

/* The descriptors from which a convolution is made: activations NHWC, weights oneDNN's choice. */
typedef struct convolution {
    descriptor source, destination, weights, gradient, bias;
    dnnl_dims_t stride, dilation, padding;
} convolution;

static void convolution_free(convolution *v) {
    descriptor_destroy(v->source);
    descriptor_destroy(v->destination);
    descriptor_destroy(v->weights);
    descriptor_destroy(v->gradient);
    descriptor_destroy(v->bias);
}

static dnnl_status_t convolution_describe(convolution *v, const conv_shape *c) {
    dnnl_dims_t source = {1, c->channels, c->height, c->width};
    dnnl_dims_t destination = {1, c->out_channels, c->out_height, c->out_width};
    dnnl_dims_t weights = {c->out_channels, c->channels, c->kernel, c->kernel};
    dnnl_data_type_t type = c->type == DTYPE_BF16 ? dnnl_bf16 : dnnl_f32;
    *v = (convolution){.stride = {c->stride, c->stride},
        .dilation = {c->dilation - 1, c->dilation - 1},
        .padding = {c->padding, c->padding}};
    dnnl_status_t s = descriptor_create(&v->source, 4, source, type, dnnl_nhwc);
    if (s == dnnl_success) s = descriptor_create(&v->destination, 4, destination, type, dnnl_nhwc);
    if (s == dnnl_success)
        s = descriptor_create(&v->weights, 4, weights, type, dnnl_format_tag_any);
    if (s == dnnl_success)
        s = descriptor_create(&v->gradient, 4, weights, dnnl_f32, dnnl_format_tag_any);
    if (s == dnnl_success) s = descriptor_create(&v->bias, 1, weights, dnnl_f32, dnnl_x);
    return s;
}

#if DNNL_VERSION_MAJOR >= 3
static dnnl_status_t describe_forward(dnnl_primitive_desc_t *out, const onednn *o,
    const convolution *v, bool bias, const_dnnl_primitive_attr_t attributes) {
    return dnnl_convolution_forward_primitive_desc_create(out, o->engine, dnnl_forward_training,
        dnnl_convolution_direct, v->source, v->weights, bias ? v->bias : NULL, v->destination,
        v->stride, v->dilation, v->padding, v->padding, attributes);
}

static dnnl_status_t describe_backward_data(dnnl_primitive_desc_t *out, const onednn *o,
    const convolution *v, const_dnnl_primitive_desc_t hint,
    const_dnnl_primitive_attr_t attributes) {
    return dnnl_convolution_backward_data_primitive_desc_create(out, o->engine,
        dnnl_convolution_direct, v->source, v->weights, v->destination, v->stride, v->dilation,
        v->padding, v->padding, hint, attributes);
}

static dnnl_status_t describe_backward_weights(dnnl_primitive_desc_t *out, const onednn *o,
    const convolution *v, const_dnnl_primitive_desc_t hint,
    const_dnnl_primitive_attr_t attributes) {
    return dnnl_convolution_backward_weights_primitive_desc_create(out, o->engine,
        dnnl_convolution_direct, v->source, v->gradient, NULL, v->destination, v->stride,
        v->dilation, v->padding, v->padding, hint, attributes);
}
#else
static dnnl_status_t describe_forward(dnnl_primitive_desc_t *out, const onednn *o,
    const convolution *v, bool bias, const_dnnl_primitive_attr_t attributes) {
    dnnl_convolution_desc_t d;
    dnnl_status_t s = dnnl_dilated_convolution_forward_desc_init(&d, dnnl_forward_training,
        dnnl_convolution_direct, v->source, v->weights, bias ? v->bias : NULL, v->destination,
        v->stride, v->dilation, v->padding, v->padding);
    return s != dnnl_success ? s : dnnl_primitive_desc_create(out, &d, attributes, o->engine, NULL);
}

static dnnl_status_t describe_backward_data(dnnl_primitive_desc_t *out, const onednn *o,
    const convolution *v, const_dnnl_primitive_desc_t hint,
    const_dnnl_primitive_attr_t attributes) {
    dnnl_convolution_desc_t d;
    dnnl_status_t s = dnnl_dilated_convolution_backward_data_desc_init(&d, dnnl_convolution_direct,
        v->source, v->weights, v->destination, v->stride, v->dilation, v->padding, v->padding);
    return s != dnnl_success ? s : dnnl_primitive_desc_create(out, &d, attributes, o->engine, hint);
}

static dnnl_status_t describe_backward_weights(dnnl_primitive_desc_t *out, const onednn *o,
    const convolution *v, const_dnnl_primitive_desc_t hint,
    const_dnnl_primitive_attr_t attributes) {
    dnnl_convolution_desc_t d;
    dnnl_status_t s =
        dnnl_dilated_convolution_backward_weights_desc_init(&d, dnnl_convolution_direct, v->source,
            v->gradient, NULL, v->destination, v->stride, v->dilation, v->padding, v->padding);
    return s != dnnl_success ? s : dnnl_primitive_desc_create(out, &d, attributes, o->engine, hint);
}
#endif

/* Scratch memory is the caller's; post-ops in the order sum, ReLU. */
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

static dnnl_status_t describe(onednn_kernel *k, const conv_shape *c, conv_fusion f) {
    convolution v;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_primitive_desc_t hint = NULL;
    dnnl_status_t s = convolution_describe(&v, c);
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
    convolution_free(&v);
    return s;
}

static const_descriptor query(const onednn_kernel *k, dnnl_query_t what) {
    return dnnl_primitive_desc_query_md(k->descriptor, what, 0);
}

static const_descriptor weights_of(const onednn_kernel *k) {
    return query(
        k, k->kind == BACKWARD_WEIGHTS ? dnnl_query_diff_weights_md : dnnl_query_weights_md);
}

/* The reorder between fp32 OIHW (IOHW) and the layout of the kernel's weights. */
static dnnl_status_t reorder_create(onednn_kernel *k, const conv_shape *c) {
    dnnl_dims_t shape = {c->out_channels, c->channels, c->kernel, c->kernel};
    bool packs = k->kind != BACKWARD_WEIGHTS;
    const_descriptor laid_out = weights_of(k);
    descriptor plain = NULL;
    dnnl_format_tag_t layout = k->transposed ? dnnl_iohw : dnnl_oihw;
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
    if (s == dnnl_success && k->bias)
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

static status kernel_build(onednn_kernel *k, const conv_shape *c, conv_fusion f) {
    dnnl_status_t s = describe(k, c, f);
    if (s == dnnl_success) s = dnnl_primitive_create(&k->primitive, k->descriptor);
    if (s != dnnl_success) goto done;
    k->scratch_bytes = dnnl_memory_desc_get_size(query(k, dnnl_query_scratchpad_md));
    k->packed_bytes = dnnl_memory_desc_get_size(weights_of(k));
    k->operand = memory_alloc((size_t)k->o->threads, sizeof *k->operand, "oneDNN");
    if (k->kind != BACKWARD_WEIGHTS) k->packed = memory_alloc(k->packed_bytes, 1, "weights");
    if (!k->operand || (k->kind != BACKWARD_WEIGHTS && !k->packed)) return STATUS_FAILED;
    s = reorder_create(k, c);
    for (int i = 0; i < k->o->threads && s == dnnl_success; i++)
        s = operands_create(k, &k->operand[i]);
done:
    return check(s, "convolution");
}

/* A primitive keeps the number of threads of the moment in which it is created, and in 2.6 a
 * backward-weights primitive made for two threads does half the work in a parallel region, without
 * an error: all are created for one. */
static status kernel_create(
    onednn_kernel **out, onednn *o, kernel_kind kind, const conv_shape *c, conv_fusion f) {
    onednn_kernel *k = memory_alloc(1, sizeof *k, "oneDNN");
    if (!k) return STATUS_FAILED;
    *k = (onednn_kernel){.o = o, .kind = kind, .bias = f.bias, .transposed = f.transposed};
    int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    status s = kernel_build(k, c, f);
    omp_set_num_threads(threads);
    if (s != STATUS_OK) {
        onednn_kernel_destroy(k);
        return s;
    }
    primitives_created += 2;
    *out = k;
    return STATUS_OK;
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
    memory_free(k->packed);
    memory_free(k);
}

size_t onednn_scratch(const onednn_kernel *k) {
    return k->scratch_bytes;
}

size_t onednn_bytes(const onednn_kernel *k) {
    return k->packed ? k->packed_bytes : 0;
}

size_t onednn_gradient_count(const onednn_kernel *k) {
    assert(k->kind == BACKWARD_WEIGHTS);
    return k->packed_bytes / sizeof(float);
}

static status execute(const onednn_kernel *k, int thread, dnnl_primitive_t primitive, int count,
    const dnnl_exec_arg_t *argument) {
    assert(thread >= 0 && thread < k->o->threads && omp_get_max_threads() == 1);
    dnnl_stream_t stream = k->o->stream[thread];
    dnnl_status_t s = dnnl_primitive_execute(primitive, stream, count, argument);
    if (s == dnnl_success) s = dnnl_stream_wait(stream);
    return check(s, "execution");
}

/* oneDNN takes what it only reads as plain pointers too. */
static dnnl_status_t point(dnnl_memory_t m, const void *at) {
    return dnnl_memory_set_data_handle(m, (void *)(uintptr_t)at);
}

status onednn_pack(onednn_kernel *k, int thread, const float *weight) {
    assert(k->kind != BACKWARD_WEIGHTS);
    status s = check(point(k->plain, weight), "weights");
    dnnl_exec_arg_t argument[] = {{DNNL_ARG_FROM, k->plain}, {DNNL_ARG_TO, k->laid_out}};
    return s == STATUS_OK ? execute(k, thread, k->reorder, 2, argument) : s;
}

status onednn_unpack(onednn_kernel *k, int thread, const float *packed, float *weight) {
    assert(k->kind == BACKWARD_WEIGHTS);
    dnnl_status_t s = point(k->plain, weight);
    if (s == dnnl_success) s = point(k->laid_out, packed);
    dnnl_exec_arg_t argument[] = {{DNNL_ARG_FROM, k->laid_out}, {DNNL_ARG_TO, k->plain}};
    return s == dnnl_success ? execute(k, thread, k->reorder, 2, argument)
                             : check(s, "weight gradient");
}

status onednn_run(
    const onednn_kernel *k, int thread, const void *x, void *y, const float *bias, void *scratch) {
    bool forward = k->kind == FORWARD;
    assert(k->kind != BACKWARD_WEIGHTS && k->bias == (bias != NULL));
    const operands *a = &k->operand[thread];
    dnnl_status_t s = point(a->x, x);
    if (s == dnnl_success) s = point(a->y, y);
    if (s == dnnl_success) s = point(a->scratch, scratch);
    if (s == dnnl_success && bias) s = point(a->bias, bias);
    if (s != dnnl_success) return check(s, "convolution");
    dnnl_exec_arg_t argument[] = {{forward ? DNNL_ARG_SRC : DNNL_ARG_DIFF_DST, a->x},
        {forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_SRC, a->y}, {DNNL_ARG_WEIGHTS, a->weights},
        {DNNL_ARG_SCRATCHPAD, a->scratch}, {DNNL_ARG_BIAS, a->bias}};
    return execute(k, thread, k->primitive, bias ? 5 : 4, argument);
}

status onednn_run_weights(const onednn_kernel *k, int thread, const void *x, const void *dy,
    float *packed, void *scratch) {
    assert(k->kind == BACKWARD_WEIGHTS);
    const operands *a = &k->operand[thread];
    dnnl_status_t s = point(a->x, x);
    if (s == dnnl_success) s = point(a->y, dy);
    if (s == dnnl_success) s = point(a->weights, packed);
    if (s == dnnl_success) s = point(a->scratch, scratch);
    if (s != dnnl_success) return check(s, "convolution");
    dnnl_exec_arg_t argument[] = {{DNNL_ARG_SRC, a->x}, {DNNL_ARG_DIFF_DST, a->y},
        {DNNL_ARG_DIFF_WEIGHTS, a->weights}, {DNNL_ARG_SCRATCHPAD, a->scratch}};
    return execute(k, thread, k->primitive, 4, argument);
}

int64_t onednn_primitives(void) {
    return primitives_created;
}

bool onednn_supports(dtype t) {
    if (t == DTYPE_F32) return true;
    unsigned isa = dnnl_get_effective_cpu_isa();
    return (isa & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
}

void onednn_describe(char *text, size_t size) {
    static const struct {
        unsigned isa;
        const char *name;
    } known[] = {{dnnl_cpu_isa_avx512_core_amx, "AVX-512 with AMX"},
        {dnnl_cpu_isa_avx512_core_bf16, "AVX-512 with bfloat16"},
        {dnnl_cpu_isa_avx512_core_vnni, "AVX-512 with VNNI"}, {dnnl_cpu_isa_avx512_core, "AVX-512"},
        {dnnl_cpu_isa_avx2, "AVX2"}, {dnnl_cpu_isa_avx, "AVX"}, {dnnl_cpu_isa_sse41, "SSE4.1"}};
    unsigned isa = dnnl_get_effective_cpu_isa();
    const char *name = "default instructions";
    for (size_t i = sizeof known / sizeof *known; i-- > 0;)
        if ((isa & known[i].isa) == known[i].isa) name = known[i].name;
    const dnnl_version_t *v = dnnl_version();
    snprintf(text, size, "oneDNN %d.%d.%d, %s", v->major, v->minor, v->patch, name);
}
