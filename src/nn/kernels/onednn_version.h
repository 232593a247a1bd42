/* The inside of the oneDNN wrappers, for onednn*.c: versions 2 and 3 as one.
 * Version 3 has opaque memory descriptors and creates primitive descriptors in one call; version 2
 * has plain structures and operation descriptors. Here both look like version 3. */
#ifndef AUXSEG_NN_KERNELS_ONEDNN_VERSION_H
#define AUXSEG_NN_KERNELS_ONEDNN_VERSION_H

#include "src/nn/kernels/onednn.h"

#include <oneapi/dnnl/dnnl.h>

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t descriptor;
typedef const_dnnl_memory_desc_t const_descriptor;
#else
typedef dnnl_memory_desc_t *descriptor;
typedef const dnnl_memory_desc_t *const_descriptor;
#endif

struct onednn {
    dnnl_engine_t engine;
    dnnl_stream_t *stream; /* [threads] */
    int threads;
};

/* The descriptors from which a convolution is made: activations NHWC, weights oneDNN's choice. */
typedef struct conv_descriptors {
    descriptor source, destination, weights, gradient, bias;
    dnnl_dims_t stride, dilation, padding, padding_end; /* before and after */
} conv_descriptors;

dnnl_status_t descriptor_create(descriptor *d, int dims, const dnnl_dims_t shape,
    dnnl_data_type_t type, dnnl_format_tag_t layout);
/* NULL-safe. */
void descriptor_destroy(descriptor d);

dnnl_status_t append_relu(dnnl_post_ops_t ops);
dnnl_status_t append_sum(dnnl_post_ops_t ops);

dnnl_status_t describe_forward(dnnl_primitive_desc_t *out, const onednn *o,
    const conv_descriptors *v, bool bias, const_dnnl_primitive_attr_t attributes);
dnnl_status_t describe_backward_data(dnnl_primitive_desc_t *out, const onednn *o,
    const conv_descriptors *v, const_dnnl_primitive_desc_t hint,
    const_dnnl_primitive_attr_t attributes);
dnnl_status_t describe_backward_weights(dnnl_primitive_desc_t *out, const onednn *o,
    const conv_descriptors *v, const_dnnl_primitive_desc_t hint,
    const_dnnl_primitive_attr_t attributes);
dnnl_status_t describe_product(dnnl_primitive_desc_t *out, const onednn *o, const_descriptor a,
    const_descriptor b, const_descriptor c, const_dnnl_primitive_attr_t attributes);

/* A status of oneDNN's as one of ours, with a message. */
status onednn_check(dnnl_status_t s, const char *what);
/* By thread `thread`, to its end. */
status onednn_execute(const onednn *o, int thread, dnnl_primitive_t primitive, int count,
    const dnnl_exec_arg_t *argument);
/* oneDNN takes what it only reads as plain pointers too. */
dnnl_status_t onednn_point(dnnl_memory_t m, const void *at);
/* Counts what onednn_primitives returns. */
void onednn_count(int primitives);

#endif
