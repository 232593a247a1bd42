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
    if (close(fd) != 0 && st == STATUS_OK) st = failed(path);
    return st;
}

/* Each rank syncs what it has written: rank 0 could not do it for other nodes. */
static status add_rows(
    const char *temporary, const char *path, uint64_t offset, const features *x, float *scratch) {
    int fd = open(temporary, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return failed(path);
    status st = write_rows(fd, path, offset, x, scratch);
    if (st == STATUS_OK && fsync(fd) != 0) st = failed(path);
    if (close(fd) != 0 && st == STATUS_OK) st = failed(path);
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
