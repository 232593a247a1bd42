/* The end of every extraction. Rounding comes last: the bits that are stored are those that are
 * clustered. In memory and through a file the rows get the same bits. */
#include "src/app/features/extract_finish.h"

#include "src/app/features/extract_pca.h"
#include "src/app/features/extract_project.h"
#include "src/app/stage/setup.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/rows.h"

#include <unistd.h>

dtype extract_first_type(const settings *s) {
    return s->extract.pca > 0 ? DTYPE_F32 : s->extract.dtype;
}

/* Rows that the projection left in float32 become what extract.dtype says. */
static status round_rows(const settings *s, features *x) {
    size_t d = (size_t)x->d;
    if (s->extract.dtype == x->type) return STATUS_OK;
    uint16_t *y = memory_alloc(x->n * d, sizeof *y, "rounded features");
    if (!y) return STATUS_FAILED;
    const float *from = x->data;
#pragma omp parallel for num_threads(setup_threads(s))
    for (size_t i = 0; i < x->n; i++) row_store(y + i * d, from + i * d, d, DTYPE_BF16);
    memory_free(x->data);
    x->data = y;
    x->type = DTYPE_BF16;
    return STATUS_OK;
}

status extract_finish_held(
    stage *t, const extract_request *q, const features_origin *from, features *x) {
    status st = extract_pca(t, x);
    if (st == STATUS_OK) st = comm_agree(t->c, round_rows(t->s, x));
    if (st == STATUS_OK && q->keep) st = features_write(t->c, q->file, x, from);
    return st;
}

/* The file of first rows goes at the end, once no rank has it mapped any more; a stop leaves it for
 * the next start. */
status extract_finish_streamed(
    stage *t, const extract_request *q, const features_origin *from, const char *raw) {
    features x = {0};
    if (t->s->extract.pca == 0) return STATUS_OK;
    status st = features_map(t->c, raw, q->key, &x);
    if (st == STATUS_OK) st = extract_project(t, &x, t->s->extract.dtype, q->file, from);
    features_destroy(&x);
    comm_barrier(t->c);
    if (st == STATUS_STOPPED)
        log_info("extract: the network's outputs are kept in %s", raw);
    else if (comm_root(t->c))
        unlink(raw);
    return st;
}
