/* A sample of all rows on every rank. A rank's part follows from where its rows lie among all and
 * from streams of its images, so that only the rows themselves are sent. */
#include "mpi/row_sample.h"

#include "src/base/memory.h"
#include "src/label/row_sample.h"

/* This rank's rows of the sample, in image order: mine [.., D]. */
static status sample_rows(
    const features *x, uint64_t seed, int restart, int64_t sample, float *mine) {
    size_t d = (size_t)x->d, local = 0;
    int64_t *chosen = memory_alloc((size_t)sample, sizeof *chosen, "sample of rows");
    if (!chosen) return STATUS_FAILED;
    for (int64_t i = 0; i < x->images; i++) {
        int64_t rows = (int64_t)features_image_rows(x, i);
        int64_t begin = x->before + (int64_t)local, end = begin + rows;
        int64_t share =
            row_sample_share(end, x->total, sample) - row_sample_share(begin, x->total, sample);
        random_stream r =
            random_begin(seed, RANDOM_CLUSTER, (uint64_t)restart, (uint64_t)(x->first + i));
        row_sample_choose(&r, rows, share, chosen);
        for (int64_t j = 0; j < share; j++, mine += d) {
            size_t next = (size_t)(j + 1 < share ? chosen[j + 1] : rows);
            features_copy_row(x, local + (size_t)chosen[j], mine);
            features_passed(x, local + (size_t)chosen[j], next - (size_t)chosen[j]);
        }
        local += (size_t)rows;
    }
    features_release(x, 0, x->n);
    memory_free(chosen);
    return STATUS_OK;
}

/* bytes [ranks] of each rank's part of the sample, from where its rows begin and end. Collective.
 */
static void sample_sizes(
    const comm *c, const features *x, int64_t sample, int64_t *part, size_t *bytes) {
    int64_t end = x->before + (int64_t)x->n;
    part[comm_rank(c)] =
        row_sample_share(end, x->total, sample) - row_sample_share(x->before, x->total, sample);
    comm_sum_i64(c, part, (size_t)comm_size(c));
    for (int r = 0; r < comm_size(c); r++)
        bytes[r] = (size_t)part[r] * (size_t)x->d * sizeof(float);
}

/* Parts are gathered in rank order, which is the order of images; a rank's own stands at its place
 * from the beginning, so that the sample is held once. */
status row_sample_gather(
    const comm *c, const features *x, uint64_t seed, int restart, int64_t sample, float **out) {
    size_t d = (size_t)x->d, ranks = (size_t)comm_size(c), me = (size_t)comm_rank(c);
    int64_t *part = memory_alloc(ranks, sizeof *part, "sizes of the sample");
    size_t *bytes = memory_alloc(ranks, sizeof *bytes, "sizes of the sample");
    float *all = memory_alloc((size_t)sample * d, sizeof *all, "sample of rows");
    status st = comm_agree(c, part && bytes && all ? STATUS_OK : STATUS_FAILED);
    if (st != STATUS_OK) goto done;
    sample_sizes(c, x, sample, part, bytes);
    size_t before = 0;
    for (size_t r = 0; r < me; r++) before += bytes[r];
    float *mine = all + before / sizeof *all;
    st = comm_agree(c, sample_rows(x, seed, restart, sample, mine));
    if (st != STATUS_OK) goto done;
    comm_gather(c, mine, bytes, all);
    *out = all;
    all = NULL;
done:
    memory_free(part);
    memory_free(bytes);
    memory_free(all);
    return st;
}
