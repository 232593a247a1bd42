/* Principal components over ranks. Integers are summed by all; eigenvectors are found by rank 0
 * and sent, since nodes with other processors or libraries would find other last bits. */
#include "mpi/pca.h"

#include "mpi/stop_watch.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <math.h>

typedef struct fit {
    const comm *c;
    const features *x;
    pca_units units;
    int threads;
    double *largest;
    int *exponent;
    int64_t *sum, *product; /* [D], [D, D] */
} fit;

/* Also of one that was created half. */
static void fit_destroy(fit *f) {
    pca_units_destroy(&f->units);
    memory_free(f->largest);
    memory_free(f->exponent);
    memory_free(f->sum);
    memory_free(f->product);
}

/* What each rank needs, and the arrays of the result. */
static status fit_create(fit *f, pca *p) {
    size_t d = (size_t)p->d;
    status st = pca_units_create(&f->units, f->x);
    f->largest = memory_alloc(d, sizeof *f->largest, "largest elements");
    f->exponent = memory_alloc(d, sizeof *f->exponent, "units of columns");
    f->sum = memory_alloc(d, sizeof *f->sum, "sums of columns");
    f->product = memory_alloc(d * d, sizeof *f->product, "products of columns");
    p->mean = memory_alloc(d, sizeof *p->mean, "mean");
    p->axis = memory_alloc((size_t)p->components * d, sizeof *p->axis, "principal axes");
    p->variance = memory_alloc((size_t)p->components, sizeof *p->variance, "variances");
    bool good = f->largest && f->exponent && f->sum && f->product;
    return st == STATUS_OK && !(good && p->mean && p->axis && p->variance) ? STATUS_FAILED : st;
}

/* Units from `first` on, at most `count` of them: borrowed. */
static pca_units units_from(const pca_units *u, size_t first, size_t count) {
    return (pca_units){u->count - first < count ? u->count - first : count, u->begin + first};
}

/* f->product += those of this rank's rows, some units at a time, as many as take a second or two:
 * integers add to the same in any order. Collective. */
static status add_products(fit *f, const pca *p) {
    double each = (double)PCA_UNIT * p->d * p->d / 2, units = 0x1p33 * f->threads / each;
    size_t together = (size_t)(units < f->threads ? f->threads : units);
    status st = STATUS_OK;
    stop_watch watch = stop_watch_begin_whole(f->c);
    for (size_t at = 0; st == STATUS_OK && at < f->units.count; at += together) {
        const pca_units some = units_from(&f->units, at, together);
        st = pca_products(
            f->x, &some, p->mean, f->exponent, pca_shift(f->x->total), f->threads, f->product);
        st = stop_watch_ask(&watch, st);
    }
    return stop_watch_end(&watch, st);
}

/* Columns have scales of their own: features of one layer may be a thousand times those of
 * another. Collective. */
static status fit_mean(fit *f, pca *p) {
    status st = comm_agree(f->c, pca_largest(f->x, f->largest));
    if (st != STATUS_OK) return st;
    comm_max_f64(f->c, f->largest, (size_t)p->d);
    pca_exponents(f->largest, f->x->total, p->d, f->exponent);
    st = comm_agree(f->c, pca_sum(f->x, &f->units, f->exponent, f->threads, f->sum));
    if (st != STATUS_OK) return st;
    comm_sum_i64(f->c, f->sum, (size_t)p->d);
    for (int j = 0; j < p->d; j++)
        p->mean[j] = (float)(ldexp((double)f->sum[j], -f->exponent[j]) / (double)f->x->total);
    return STATUS_OK;
}

/* Products need the mean, which is why there are two passes over the rows. Rank 0's axes are
 * everybody's. Collective. */
static status fit_axes(fit *f, pca *p) {
    size_t d = (size_t)p->d, n = (size_t)p->components;
    status st = add_products(f, p);
    if (st != STATUS_OK) return st;
    comm_sum_i64(f->c, f->product, d * d);
    /* On one rank, as nodes may find other last bits. */
    if (comm_root(f->c)) st = pca_axes(p, f->product, f->exponent, f->x->total);
    st = comm_agree(f->c, st);
    comm_broadcast(f->c, p->axis, n * d * sizeof *p->axis);
    comm_broadcast(f->c, p->variance, n * sizeof *p->variance);
    comm_broadcast(f->c, &p->variance_of_all, sizeof p->variance_of_all);
    if (st != STATUS_OK || comm_size(f->c) == 1) return st;
    uint64_t hash =
        hash_append(hash_bytes(p->mean, d * sizeof *p->mean), p->axis, n * d * sizeof *p->axis);
    return comm_compare(f->c, "principal components: mean or axes", hash);
}

/* Usage is told before any work, by all ranks alike. */
status pca_fit(const comm *c, const features *x, int components, int threads, pca *out) {
    fit f = {.c = c, .x = x, .threads = threads};
    double largest;
    pca p = {.d = x->d, .components = components};
    if (components > x->d) {
        if (comm_root(c))
            log_error("extract.pca = %d: the features have %d dimensions", components, x->d);
        return STATUS_USAGE;
    }
    status st = features_check(x, threads, &largest, NULL);
    if (st == STATUS_OK) st = fit_create(&f, &p);
    st = comm_agree(c, st);
    if (st != STATUS_OK) goto done;
    st = fit_mean(&f, &p);
    if (st == STATUS_OK) st = fit_axes(&f, &p);
done:
    fit_destroy(&f);
    if (st == STATUS_OK)
        *out = p;
    else
        pca_destroy(&p);
    return st;
}
