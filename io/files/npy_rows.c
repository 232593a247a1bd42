/* A .npy file of all ranks' rows. Where each row goes follows from the header and the place of a
 * rank's rows, so that ranks write without a word to each other once rank 0 has made the file. The
 * format has no checksum: the file gets its name when every rank has written and synced. The same
 * bytes for any number of ranks: rows stand in the order of the data set, and a rank's are
 * together. */
#include "io/files/npy_rows.h"

#include "io/files/file.h"
#include "io/files/npy.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/open_retry.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Rows that are written at once. */
enum { ROWS = 4096 };

/* Some thousand rows at a time; those that are not floats are widened in scratch [ROWS, D]. */
static status write_rows(
    int fd, const char *path, uint64_t offset, const features *x, float *scratch) {
    size_t d = (size_t)x->d;
    status st = STATUS_OK;
    for (size_t i = 0; st == STATUS_OK && i < x->n; i += ROWS) {
        size_t rows = x->n - i < ROWS ? x->n - i : ROWS;
        const float *from = scratch;
        if (x->type == DTYPE_F32)
            from = (const float *)x->data + i * d;
        else
            for (size_t r = 0; r < rows; r++) features_row(x, i + r, scratch + r * d);
        st = file_write_at(fd, path, offset + i * d * sizeof *from, from, rows * d * sizeof *from);
        features_passed(x, i, rows);
    }
    features_release(x, 0, x->n);
    return st;
}

static status failed(const char *path) {
    log_error("%s: cannot be written: %s", path, strerror(errno));
    return STATUS_OUTPUT;
}

/* Rank 0: the header alone, in a new file. What an interrupted run has left is removed. */
static status begin_file(const char *temporary, const char *path, const char *header, size_t n) {
    int fd = file_create_temporary(temporary);
    if (fd < 0) return failed(path);
    status st = file_write_at(fd, path, 0, header, n);
    if (file_close(fd) != 0 && st == STATUS_OK) st = failed(path);
    return st;
}

/* Each rank syncs what it has written: rank 0 could not do it for other nodes. */
static status add_rows(
    const char *temporary, const char *path, uint64_t offset, const features *x, float *scratch) {
    int fd = open_retry(temporary, O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (fd < 0) return failed(path);
    status st = write_rows(fd, path, offset, x, scratch);
    if (st == STATUS_OK && fsync(fd) != 0) st = failed(path);
    if (file_close(fd) != 0 && st == STATUS_OK) st = failed(path);
    return st;
}

/* Rank 0 makes the file before the others open it; all have written before it gets its name. Each
 * of the four agreements is for what comes next: memory, the file, the rows, the name. A rank
 * without rows opens nothing, but agrees all the same. */
status npy_write_rows(const comm *c, const char *path, const features *x) {
    char temporary[FILE_PATH], header[NPY_HEADER];
    size_t d = (size_t)x->d;
    float *scratch = NULL;
    status st = file_temporary(temporary, path);
    if (st == STATUS_OK && x->type != DTYPE_F32) {
        scratch = memory_alloc(ROWS * d, sizeof *scratch, "rows to write");
        if (!scratch) st = STATUS_FAILED;
    }
    st = comm_agree(c, st);
    if (st != STATUS_OK) goto done;
    size_t bytes = npy_header(header, "<f4", (size_t)x->total, d);
    if (comm_root(c)) st = begin_file(temporary, path, header, bytes);
    st = comm_agree(c, st);
    if (st == STATUS_OK && x->n > 0)
        st = add_rows(temporary, path, bytes + (uint64_t)x->before * d * sizeof(float), x, scratch);
    st = comm_agree(c, st);
    if (comm_root(c) && st == STATUS_OK)
        st = file_publish(temporary, path);
    else if (comm_root(c))
        unlink(temporary);
    st = comm_agree(c, st);
done:
    memory_free(scratch);
    return st;
}

/* Labels that are gathered at once. */
enum { LABELS = 1 << 22 };

/* How many of items begin .. end - 1 lie below `end` and from `from` on. */
static int64_t overlap(int64_t begin, int64_t end, int64_t from, int64_t to) {
    int64_t low = begin > from ? begin : from, high = end < to ? end : to;
    return high > low ? high - low : 0;
}

/* The labels from .. from + count - 1 of all, in rank 0's `all`. first [ranks + 1]: where each
 * rank's begin. Collective. */
static void gather_labels(const comm *c, const uint16_t *label, const int64_t *first, int64_t from,
    int64_t count, size_t *bytes, uint16_t *all) {
    int me = comm_rank(c);
    for (int r = 0; r < comm_size(c); r++)
        bytes[r] = (size_t)overlap(first[r], first[r + 1], from, from + count) * sizeof *label;
    int64_t at = from > first[me] ? from - first[me] : 0;
    comm_gather(c, bytes[me] > 0 ? label + at : label, bytes, all);
}

/* A piece at a time: what all ranks have may be more than one of them can hold. A rank 0 that
 * cannot write goes on gathering, as the others wait for it, and says so at the end. */
static status write_labels(const comm *c, int fd, const char *path, uint64_t offset,
    const uint16_t *label, const int64_t *first) {
    size_t ranks = (size_t)comm_size(c), *bytes = memory_alloc(ranks, sizeof *bytes, "labels");
    int64_t total = first[ranks], most = total < LABELS ? total : LABELS;
    uint16_t *all = memory_alloc((size_t)most, sizeof *all, "labels to write");
    status st = comm_agree(c, bytes && all ? STATUS_OK : STATUS_FAILED), written = STATUS_OK;
    for (int64_t from = 0; st == STATUS_OK && from < total; from += LABELS) {
        int64_t count = total - from < LABELS ? total - from : LABELS;
        gather_labels(c, label, first, from, count, bytes, all);
        if (comm_root(c) && written == STATUS_OK)
            written = file_write_at(
                fd, path, offset + (uint64_t)from * sizeof *all, all, (size_t)count * sizeof *all);
    }
    memory_free(bytes);
    memory_free(all);
    return st == STATUS_OK ? written : st;
}

/* Where each rank's labels begin is asked once. */
status npy_write_labels(const comm *c, const char *path, const uint16_t *label, int64_t n,
    int64_t before, int64_t total) {
    char temporary[FILE_PATH], header[NPY_HEADER];
    size_t ranks = (size_t)comm_size(c);
    int fd = -1;
    int64_t *first = memory_alloc(ranks + 1, sizeof *first, "labels");
    status st = first ? file_temporary(temporary, path) : STATUS_FAILED;
    st = comm_agree(c, st);
    if (st != STATUS_OK) goto done;
    first[comm_rank(c)] = before;
    comm_sum_i64(c, first, ranks);
    first[ranks] = total;
    assert(before + n == first[comm_rank(c) + 1]);
    (void)n;
    size_t bytes = npy_header(header, "<u2", (size_t)total, 0);
    if (comm_root(c)) st = begin_file(temporary, path, header, bytes);
    if (comm_root(c) && st == STATUS_OK &&
        (fd = open_retry(temporary, O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0)) < 0)
        st = failed(path);
    st = comm_agree(c, st);
    if (st == STATUS_OK) st = write_labels(c, fd, path, bytes, label, first);
    if (fd >= 0 && file_close(fd) != 0 && st == STATUS_OK) st = failed(path);
    if (comm_root(c) && st == STATUS_OK)
        st = file_publish(temporary, path);
    else if (comm_root(c))
        unlink(temporary);
    st = comm_agree(c, st);
done:
    memory_free(first);
    return st;
}
