/* The farthest rows of all ranks, by a threshold from histograms: distances are not sent. Rows
 * exactly at the threshold are shared out in the order of ranks, which is that of image and pixel.
 */
#include "mpi/outliers.h"

#include "mpi/prefix.h"
#include "src/base/memory.h"
#include "src/label/kmeans.h"
#include "src/label/quantile.h"

#include <math.h>
#include <string.h>

/* f->take: this rank's part of the q->left rows at the threshold: those that the ranks before it
 * leave, at most as many as it has. Collective. */
static void share_ties(const comm *c, const quantile *q, const float *distance,
    const uint16_t *group, size_t n, farthest *f, int64_t *ties) {
    for (size_t i = 0; i < n; i++) {
        int g = group ? group[i] : 0;
        if (g < f->groups) ties[g] += quantile_bits(distance[i]) == f->threshold[g];
    }
    prefix_sum_i64(c, ties, f->take, f->groups);
    for (int g = 0; g < f->groups; g++) {
        int64_t rest = q->left[g] - f->take[g];
        f->take[g] = rest < 0 ? 0 : rest < ties[g] ? rest : ties[g];
    }
}

/* Passes of histograms narrow all groups at once: two or three reductions, whatever the number of
 * rows. */
status farthest_find(const comm *c, const float *distance, const uint16_t *group, size_t n,
    int groups, const int64_t *want, farthest *out) {
    quantile q = {0};
    farthest f = {.groups = groups};
    int64_t *ties = memory_alloc((size_t)groups, sizeof *ties, "ties");
    f.threshold = memory_alloc((size_t)groups, sizeof *f.threshold, "thresholds");
    f.take = memory_alloc((size_t)groups, sizeof *f.take, "ties");
    status st = ties && f.threshold && f.take ? STATUS_OK : STATUS_FAILED;
    if (st == STATUS_OK) st = quantile_create(&q, groups, want);
    st = comm_agree(c, st);
    if (st != STATUS_OK) goto done;
    do {
        quantile_count(&q, distance, group, n);
        comm_sum_i64(c, q.histogram, (size_t)groups << q.digit);
    } while (quantile_narrow(&q));
    memcpy(f.threshold, q.threshold, (size_t)groups * sizeof *f.threshold);
    share_ties(c, &q, distance, group, n, &f, ties);
    *out = f;
    f = (farthest){0};
done:
    farthest_destroy(&f);
    quantile_destroy(&q);
    memory_free(ties);
    return st;
}

/* Of zeros: nothing. */
void farthest_destroy(farthest *f) {
    memory_free(f->threshold);
    memory_free(f->take);
    *f = (farthest){0};
}

/* Above the threshold in any case; at it, as long as this rank's part of the ties lasts. */
bool farthest_next(farthest *f, float distance, int group) {
    uint32_t bits = quantile_bits(distance);
    if (bits != f->threshold[group]) return bits > f->threshold[group];
    return f->take[group]-- > 0;
}

/* want [groups]: outliers of each group, of its rows on all ranks. llround: halves go away from
 * zero, everywhere alike. Collective. */
static void count_outliers(
    const comm *c, double share, const uint16_t *group, size_t n, int groups, int64_t *want) {
    memset(want, 0, (size_t)groups * sizeof *want);
    for (size_t i = 0; i < n; i++) want[group ? group[i] : 0]++;
    comm_sum_i64(c, want, (size_t)groups);
    for (int g = 0; g < groups; g++) want[g] = llround(share * (double)want[g]);
}

/* One group for all rows, or one a cluster: rows are asked in order, by which ties are taken. */
status outliers_mark(const comm *c, const kmeans_options *o, const float *distance, uint16_t *label,
    size_t n, double *threshold) {
    bool global = o->scope == OUTLIERS_GLOBAL;
    int groups = global ? 1 : o->k;
    farthest f = {0};
    int64_t *want = memory_alloc((size_t)groups, sizeof *want, "outliers");
    status st = comm_agree(c, want ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK) {
        const uint16_t *group = global ? NULL : label;
        count_outliers(c, o->outliers, group, n, groups, want);
        st = farthest_find(c, distance, group, n, groups, want, &f);
    }
    if (st == STATUS_OK) {
        for (size_t i = 0; i < n; i++)
            if (farthest_next(&f, distance[i], global ? 0 : label[i])) label[i] = LABEL_NONE;
        *threshold = global ? (double)quantile_value(f.threshold[0]) : NAN;
    }
    farthest_destroy(&f);
    memory_free(want);
    return st;
}
