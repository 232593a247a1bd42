/* oneDNN as a whole: its engine, a stream a thread, execution, errors, and what it says of itself
 * and of the processor.
 *
 * An execution is by the calling thread, to its end: the streams are there because oneDNN asks for
 * one, nothing runs in the background. All that creates or executes a primitive sets the number of
 * OpenMP threads to one first (README.md, "Traps of oneDNN"). */
#include "src/nn/kernels/onednn.h"

#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/nn/kernels/onednn_version.h"

#include <assert.h>
#include <omp.h>
#include <stdio.h>

static int64_t primitives_created;

/* oneDNN has many codes of refusal; a reader can do something about these two alone. */
status onednn_check(dnnl_status_t s, const char *what) {
    if (s == dnnl_success) return STATUS_OK;
    log_error("oneDNN: %s: %s", what,
        s == dnnl_unimplemented   ? "not implemented on this processor"
        : s == dnnl_out_of_memory ? "out of memory"
                                  : "refused");
    return STATUS_FAILED;
}

/* A stream for each thread: one must not be used by two at once. */
status onednn_create(onednn **out, int threads) {
    onednn *o = memory_alloc(1, sizeof *o, "oneDNN");
    if (!o) return STATUS_FAILED;
    o->threads = threads;
    o->stream = memory_alloc((size_t)threads, sizeof *o->stream, "oneDNN");
    status st = o->stream ? STATUS_OK : STATUS_FAILED;
    if (st == STATUS_OK) st = onednn_check(dnnl_engine_create(&o->engine, dnnl_cpu, 0), "engine");
    for (int i = 0; i < threads && st == STATUS_OK; i++)
        st = onednn_check(
            dnnl_stream_create(&o->stream[i], o->engine, dnnl_stream_default_flags), "stream");
    if (st != STATUS_OK) {
        onednn_destroy(o);
        return st;
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

status onednn_execute(const onednn *o, int thread, dnnl_primitive_t primitive, int count,
    const dnnl_exec_arg_t *argument) {
    /* With more threads oneDNN would open a parallel region of its own inside of ours. */
    assert(thread >= 0 && thread < o->threads && omp_get_max_threads() == 1);
    dnnl_stream_t stream = o->stream[thread];
    dnnl_status_t s = dnnl_primitive_execute(primitive, stream, count, argument);
    if (s == dnnl_success) s = dnnl_stream_wait(stream);
    return onednn_check(s, "execution");
}

/* The cast takes `const` away, which oneDNN's interface does not know. Nothing is written through
 * what an execution only reads. */
dnnl_status_t onednn_point(dnnl_memory_t m, const void *at) {
    return dnnl_memory_set_data_handle(m, (void *)(uintptr_t)at);
}

/* A test asserts that training creates none after its plan. */
void onednn_count(int primitives) {
#pragma omp atomic
    primitives_created += primitives;
}

int64_t onednn_primitives(void) {
    return primitives_created;
}

/* Without the instructions oneDNN would compute bf16 by conversion, or answer "unimplemented"
 * (2.6). */
bool onednn_supports(dtype t) {
    if (t == DTYPE_F32) return true;
    unsigned isa = dnnl_get_effective_cpu_isa();
    return (isa & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
}

bool onednn_is_wide(void) {
    unsigned isa = dnnl_get_effective_cpu_isa();
    return (isa & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core;
}

/* Its effective set, not the processor's flags: tiles need a permission of the operating system. */
bool onednn_uses_amx(void) {
    unsigned isa = dnnl_get_effective_cpu_isa();
    return (isa & dnnl_cpu_isa_avx512_core_amx) == dnnl_cpu_isa_avx512_core_amx;
}

/* The sets are listed from the largest on and tried from the smallest up: each has all bits of
 * those below it, so the last one that fits is the answer. */
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
