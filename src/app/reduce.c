#include "src/app/reduce.h"

#include "mpi/pca.h"
#include "src/app/setup.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <stdio.h>

static status project(const pca *p, const settings *s, feature_block *b) {
    int threads = setup_threads(s), d = p->components;
    float *y = memory_alloc(b->rows.n * (size_t)d, sizeof *y, "projected features");
    if (!y) return STATUS_FAILED;
    status st = pca_project(p, &b->rows, threads, y);
    if (st != STATUS_OK) {
        memory_free(y);
        return st;
    }
    if (s->extract.normalize) {
#pragma omp parallel for num_threads(threads)
        for (size_t i = 0; i < b->rows.n; i++) kmeans_normalize(y + i * (size_t)d, 1, d);
    }
    memory_free(b->rows.data);
    b->rows.data = y;
    b->rows.d = d;
    b->rows.type = DTYPE_F32;
    return STATUS_OK;
}

/* The share of the variance that is kept: logged, and among the stage's figures. */
static status report_variance(stage *t, const pca *p) {
    double kept = 0;
    for (int a = 0; a < p->components; a++) kept += p->variance[a];
    double share = p->variance_of_all > 0 ? kept / p->variance_of_all : 1;
    log_info("PCA: %d of %d dimensions keep %.2f %% of the features' variance", p->components, p->d,
        100 * share);
    char group[STAGE_NAME] = "features";
    if (t->round > 1) snprintf(group, sizeof group, "features-%d", t->round);
    return stage_figure(t, group, "variance kept by PCA", share);
}

status reduce_features(stage *t, feature_block *b) {
    pca p = {0};
    if (t->s->extract.pca == 0) return STATUS_OK;
    int64_t *rows = feature_block_rows(b);
    status st = comm_agree(t->c, rows ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK)
        st = pca_fit(
            t->c, &b->rows, rows, b->images, b->first, t->s->extract.pca, setup_threads(t->s), &p);
    if (st == STATUS_OK) st = report_variance(t, &p);
    if (st == STATUS_OK) st = project(&p, t->s, b);
    st = comm_agree(t->c, st);
    pca_destroy(&p);
    memory_free(rows);
    return st;
}
