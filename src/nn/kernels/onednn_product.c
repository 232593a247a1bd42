/* Products of matrices by oneDNN: for weight gradients tap by tap, and for Winograd in bf16.
 *
 * A product is described for one shape, by one thread, and computes matrices that stand in plain
 * rows ("abc", the left one "acb" where it is transposed). The batch is oneDNN's first dimension.
 * Operands are memory objects that are made once a thread and pointed at the data at each
 * execution, so that executing allocates nothing. Results are fp32 whatever the operands are: they
 * are sums that go on to be added. */
#include "src/base/memory.h"
#include "src/nn/kernels/onednn_version.h"

#include <omp.h>

/* What a thread hands to an execution. */
typedef struct operands {
    dnnl_memory_t a, b, c, scratch;
} operands;

struct onednn_product {
    onednn *o;
    dnnl_primitive_desc_t descriptor;
    dnnl_primitive_t primitive;
    operands *operand; /* [threads] */
    size_t scratch_bytes;
};

/* The scratchpad is the caller's: one that oneDNN owned could not be used by several threads at
 * once. `add`: the product is added to what stands in c, within the primitive. */
static dnnl_status_t attributes_create(dnnl_primitive_attr_t *out, bool add) {
    dnnl_post_ops_t ops = NULL;
    dnnl_status_t s = dnnl_primitive_attr_create(out);
    if (s == dnnl_success)
        s = dnnl_primitive_attr_set_scratchpad_mode(*out, dnnl_scratchpad_mode_user);
    if (s != dnnl_success || !add) return s;
    s = dnnl_post_ops_create(&ops);
    if (s == dnnl_success) s = append_sum(ops);
    if (s == dnnl_success) s = dnnl_primitive_attr_set_post_ops(*out, ops);
    if (ops) dnnl_post_ops_destroy(ops);
    return s;
}

/* On an error some are made; operands_destroy takes what there is. */
static dnnl_status_t operands_create(
    onednn_product *k, operands *p, const_descriptor a, const_descriptor b, const_descriptor c) {
    dnnl_engine_t e = k->o->engine;
    const_descriptor scratch =
        dnnl_primitive_desc_query_md(k->descriptor, dnnl_query_scratchpad_md, 0);
    dnnl_status_t s = dnnl_memory_create(&p->a, a, e, DNNL_MEMORY_NONE);
    if (s == dnnl_success) s = dnnl_memory_create(&p->b, b, e, DNNL_MEMORY_NONE);
    if (s == dnnl_success) s = dnnl_memory_create(&p->c, c, e, DNNL_MEMORY_NONE);
    if (s == dnnl_success) s = dnnl_memory_create(&p->scratch, scratch, e, DNNL_MEMORY_NONE);
    return s;
}

/* Described for one shape, with the caller's scratch memory, like a convolution. All descriptors
 * may go afterwards: primitive and memory objects have their own copies. On an error k is as far as
 * it came, for onednn_product_destroy. */
static dnnl_status_t build(onednn_product *k, const product_shape *q) {
    dnnl_data_type_t type = q->type == DTYPE_BF16 ? dnnl_bf16 : dnnl_f32;
    dnnl_dims_t shape_a = {q->batch, q->rows, q->inner};
    dnnl_dims_t shape_b = {q->batch, q->inner, q->columns};
    dnnl_dims_t shape_c = {q->batch, q->rows, q->columns};
    descriptor a = NULL, b = NULL, c = NULL;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_status_t s = descriptor_create(&a, 3, shape_a, type, q->transposed ? dnnl_acb : dnnl_abc);
    if (s == dnnl_success) s = descriptor_create(&b, 3, shape_b, type, dnnl_abc);
    if (s == dnnl_success) s = descriptor_create(&c, 3, shape_c, dnnl_f32, dnnl_abc);
    if (s == dnnl_success) s = attributes_create(&attributes, q->add);
    if (s == dnnl_success) s = describe_product(&k->descriptor, k->o, a, b, c, attributes);
    if (s == dnnl_success) s = dnnl_primitive_create(&k->primitive, k->descriptor);
    if (s != dnnl_success) goto done;
    /* Known only when the primitive is described. */
    k->scratch_bytes = dnnl_memory_desc_get_size(
        dnnl_primitive_desc_query_md(k->descriptor, dnnl_query_scratchpad_md, 0));
    k->operand = memory_alloc((size_t)k->o->threads, sizeof *k->operand, "oneDNN");
    if (!k->operand) s = dnnl_out_of_memory;
    for (int i = 0; i < k->o->threads && s == dnnl_success; i++)
        s = operands_create(k, &k->operand[i], a, b, c);
done:
    if (attributes) dnnl_primitive_attr_destroy(attributes);
    descriptor_destroy(a);
    descriptor_destroy(b);
    descriptor_destroy(c);
    return s;
}

status onednn_product_create(onednn_product **out, onednn *o, const product_shape *q) {
    onednn_product *k = memory_alloc(1, sizeof *k, "oneDNN");
    if (!k) return STATUS_FAILED;
    k->o = o;
    int threads = omp_get_max_threads();
    omp_set_num_threads(1); /* see onednn_conv.c */
    status st = onednn_check(build(k, q), "matrix product");
    omp_set_num_threads(threads);
    if (st != STATUS_OK) {
        onednn_product_destroy(k);
        return st;
    }
    onednn_count(1);
    *out = k;
    return STATUS_OK;
}

static void operands_destroy(operands *p) {
    if (p->a) dnnl_memory_destroy(p->a);
    if (p->b) dnnl_memory_destroy(p->b);
    if (p->c) dnnl_memory_destroy(p->c);
    if (p->scratch) dnnl_memory_destroy(p->scratch);
}

void onednn_product_destroy(onednn_product *k) {
    if (!k) return;
    for (int i = 0; k->operand && i < k->o->threads; i++) operands_destroy(&k->operand[i]);
    if (k->primitive) dnnl_primitive_destroy(k->primitive);
    if (k->descriptor) dnnl_primitive_desc_destroy(k->descriptor);
    memory_free(k->operand);
    memory_free(k);
}

/* Bytes, for each thread that runs it at once. */
size_t onednn_product_scratch(const onednn_product *k) {
    return k->scratch_bytes;
}

/* By any thread below the engine's number of threads, each with operands of its own. */
status onednn_product_run(
    const onednn_product *k, int thread, const void *a, const void *b, float *c, void *scratch) {
    const operands *p = &k->operand[thread];
    dnnl_status_t s = onednn_point(p->a, a);
    if (s == dnnl_success) s = onednn_point(p->b, b);
    if (s == dnnl_success) s = onednn_point(p->c, c);
    if (s == dnnl_success) s = onednn_point(p->scratch, scratch);
    if (s != dnnl_success) return onednn_check(s, "matrix product");
    dnnl_exec_arg_t argument[] = {{DNNL_ARG_SRC, p->a}, {DNNL_ARG_WEIGHTS, p->b},
        {DNNL_ARG_DST, p->c}, {DNNL_ARG_SCRATCHPAD, p->scratch}};
    return onednn_execute(k->o, thread, k->primitive, 4, argument);
}
