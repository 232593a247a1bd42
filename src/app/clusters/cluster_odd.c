/* Results that are right by their definition and still no use: k-means of features that are all the
 * same, or of fewer kinds than clusters. They are allowed, as a test or a first try may mean them;
 * whoever does not gets a warning before hours of training with such labels. */
#include "src/app/clusters/cluster_odd.h"

#include "mpi/distinct_rows.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/label/kmeans.h"

/* Whether a row of this rank, any, is zeros; false where it has none. */
static bool first_is_zero(const features *x) {
    if (x->n == 0) return false;
    const unsigned char *row = x->data;
    size_t i = 0, bytes = features_row_bytes(x);
    while (i < bytes && row[i] == 0) i++;
    return i == bytes;
}

status cluster_odd_rows(
    const comm *c, const char *what, const features *x, int k, int64_t *distinct) {
    status st = distinct_rows(c, x, k, distinct);
    if (st != STATUS_OK) return st;
    int64_t zero = first_is_zero(x);
    comm_sum_i64(c, &zero, 1);
    if (!comm_root(c)) return STATUS_OK;
    if (*distinct == 1)
        log_warn("the features of all %s are %s: clusters say nothing", what,
            zero > 0 ? "zeros" : "the same");
    else if (*distinct < k)
        log_warn("the features of all %s have %lld different values: that many of the %d clusters "
                 "can have any",
            what, (long long)*distinct, k);
    return STATUS_OK;
}

status cluster_odd_labels(
    const comm *c, const char *what, const uint16_t *label, size_t n, int k, int *empty) {
    int64_t *count = memory_alloc((size_t)k, sizeof *count, "sizes of clusters");
    status st = comm_agree(c, count ? STATUS_OK : STATUS_FAILED);
    *empty = 0;
    if (st == STATUS_OK) {
        for (size_t i = 0; i < n; i++)
            if (label[i] != LABEL_NONE) count[label[i]]++;
        comm_sum_i64(c, count, (size_t)k);
        for (int a = 0; a < k; a++) *empty += count[a] == 0;
        if (comm_root(c) && *empty == k - 1)
            log_warn("one cluster has all %s that have a label", what);
        else if (comm_root(c) && *empty > 0)
            log_warn("%d of %d clusters have no %s", *empty, k, what);
    }
    memory_free(count);
    return st;
}
