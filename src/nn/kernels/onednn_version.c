/* The differences between oneDNN 2.6 and 3.x, and nothing else: each function twice.
 *
 * Debian 12 and some clusters have the one, everything newer the other. The convolution is asked
 * for as "direct": 2.6's own Winograd and its choice among algorithms ("auto") are not wanted.
 *
 * What differs: in 3 a memory descriptor is a handle, in 2.6 a structure, which is put into memory
 * of its own here so that both can be handed on as a pointer; in 2.6 an operation is described
 * first and then made a primitive descriptor, in 3 in one call; post-ops have their arguments in
 * another order, and 3 has more of them. Callers see the meaning of 3. */
#include "src/nn/kernels/onednn_version.h"

#include "src/base/memory.h"

#if DNNL_VERSION_MAJOR >= 3
dnnl_status_t descriptor_create(descriptor *d, int dims, const dnnl_dims_t shape,
    dnnl_data_type_t type, dnnl_format_tag_t layout) {
    return dnnl_memory_desc_create_with_tag(d, dims, shape, type, layout);
}

void descriptor_destroy(descriptor d) {
    if (d) dnnl_memory_desc_destroy(d);
}

/* Slope 0 below zero. */
dnnl_status_t append_relu(dnnl_post_ops_t ops) {
    return dnnl_post_ops_append_eltwise(ops, dnnl_eltwise_relu, 0.0f, 0.0f);
}

/* What stands in the destination is added as it is: scale 1, zero point 0, in the destination's own
 * type. */
dnnl_status_t append_sum(dnnl_post_ops_t ops) {
    return dnnl_post_ops_append_sum(ops, 1.0f, 0, dnnl_data_type_undef);
}

dnnl_status_t describe_forward(dnnl_primitive_desc_t *out, const onednn *o,
    const conv_descriptors *v, bool bias, const_dnnl_primitive_attr_t attributes) {
    return dnnl_convolution_forward_primitive_desc_create(out, o->engine, dnnl_forward_training,
        dnnl_convolution_direct, v->source, v->weights, bias ? v->bias : NULL, v->destination,
        v->stride, v->dilation, v->padding, v->padding_end, attributes);
}

dnnl_status_t describe_backward_data(dnnl_primitive_desc_t *out, const onednn *o,
    const conv_descriptors *v, const_dnnl_primitive_desc_t hint,
    const_dnnl_primitive_attr_t attributes) {
    return dnnl_convolution_backward_data_primitive_desc_create(out, o->engine,
        dnnl_convolution_direct, v->source, v->weights, v->destination, v->stride, v->dilation,
        v->padding, v->padding_end, hint, attributes);
}

/* The bias is left out: its gradient is summed by layer_channel_sums, in one order. */
dnnl_status_t describe_backward_weights(dnnl_primitive_desc_t *out, const onednn *o,
    const conv_descriptors *v, const_dnnl_primitive_desc_t hint,
    const_dnnl_primitive_attr_t attributes) {
    return dnnl_convolution_backward_weights_primitive_desc_create(out, o->engine,
        dnnl_convolution_direct, v->source, v->gradient, NULL, v->destination, v->stride,
        v->dilation, v->padding, v->padding_end, hint, attributes);
}

/* No bias; what is added comes by way of the attributes. */
dnnl_status_t describe_product(dnnl_primitive_desc_t *out, const onednn *o, const_descriptor a,
    const_descriptor b, const_descriptor c, const_dnnl_primitive_attr_t attributes) {
    return dnnl_matmul_primitive_desc_create(out, o->engine, a, b, NULL, c, attributes);
}
#else
dnnl_status_t descriptor_create(descriptor *d, int dims, const dnnl_dims_t shape,
    dnnl_data_type_t type, dnnl_format_tag_t layout) {
    *d = memory_alloc(1, sizeof **d, "oneDNN");
    return *d ? dnnl_memory_desc_init_by_tag(*d, dims, shape, type, layout) : dnnl_out_of_memory;
}

void descriptor_destroy(descriptor d) {
    memory_free(d);
}

dnnl_status_t append_relu(dnnl_post_ops_t ops) {
    return dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_relu, 0.0f, 0.0f);
}

dnnl_status_t append_sum(dnnl_post_ops_t ops) {
    return dnnl_post_ops_append_sum(ops, 1.0f);
}

dnnl_status_t describe_forward(dnnl_primitive_desc_t *out, const onednn *o,
    const conv_descriptors *v, bool bias, const_dnnl_primitive_attr_t attributes) {
    dnnl_convolution_desc_t d;
    dnnl_status_t s = dnnl_dilated_convolution_forward_desc_init(&d, dnnl_forward_training,
        dnnl_convolution_direct, v->source, v->weights, bias ? v->bias : NULL, v->destination,
        v->stride, v->dilation, v->padding, v->padding_end);
    return s != dnnl_success ? s : dnnl_primitive_desc_create(out, &d, attributes, o->engine, NULL);
}

dnnl_status_t describe_backward_data(dnnl_primitive_desc_t *out, const onednn *o,
    const conv_descriptors *v, const_dnnl_primitive_desc_t hint,
    const_dnnl_primitive_attr_t attributes) {
    dnnl_convolution_desc_t d;
    dnnl_status_t s = dnnl_dilated_convolution_backward_data_desc_init(&d, dnnl_convolution_direct,
        v->source, v->weights, v->destination, v->stride, v->dilation, v->padding, v->padding_end);
    return s != dnnl_success ? s : dnnl_primitive_desc_create(out, &d, attributes, o->engine, hint);
}

dnnl_status_t describe_backward_weights(dnnl_primitive_desc_t *out, const onednn *o,
    const conv_descriptors *v, const_dnnl_primitive_desc_t hint,
    const_dnnl_primitive_attr_t attributes) {
    dnnl_convolution_desc_t d;
    dnnl_status_t s =
        dnnl_dilated_convolution_backward_weights_desc_init(&d, dnnl_convolution_direct, v->source,
            v->gradient, NULL, v->destination, v->stride, v->dilation, v->padding, v->padding_end);
    return s != dnnl_success ? s : dnnl_primitive_desc_create(out, &d, attributes, o->engine, hint);
}

dnnl_status_t describe_product(dnnl_primitive_desc_t *out, const onednn *o, const_descriptor a,
    const_descriptor b, const_descriptor c, const_dnnl_primitive_attr_t attributes) {
    dnnl_matmul_desc_t d;
    dnnl_status_t s = dnnl_matmul_desc_init(&d, a, b, NULL, c);
    return s != dnnl_success ? s : dnnl_primitive_desc_create(out, &d, attributes, o->engine, NULL);
}
#endif
