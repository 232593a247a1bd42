/* Two files in the folder of checkpoints: extract.rows, raw rows of all images at their places
 * among those of all ranks, with holes, and extract.state, which images' rows are there, with their
 * hashes. Rows are written before the state that tells of them; where a kill comes between, or
 * somebody has touched the file, the hashes tell, and the image is computed again. */
#include "src/app/features/extract_kept.h"

#include "io/files/stage_state.h"
#include "src/app/stage/setup.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/open_retry.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static status find_paths(extract_kept *k) {
    char folder[FILE_PATH];
    status st = setup_path(folder, k->t->s, "checkpoints", 1);
    if (st == STATUS_OK) st = file_path(k->state, folder, "extract.state");
    return st == STATUS_OK ? file_path(k->rows, folder, "extract.rows") : st;
}

static int count_done(const extract_kept *k) {
    int done = 0;
    for (int i = 0; i < k->images; i++) done += k->done[i] != 0;
    return done;
}

status extract_kept_whole(const stage *t, const char *file, uint64_t key, bool *whole) {
    features_info info;
    int32_t found = 0;
    status st = STATUS_OK;
    if (comm_root(t->c) && t->s->run.resume == RUN_RESUME_AUTO && file_exists(file)) {
        st = features_about(file, &info);
        found = st == STATUS_OK && info.key == key;
        bool unknown = st == STATUS_FAILED || (st != STATUS_OK && file_unreadable(file));
        st = unknown ? STATUS_FAILED : STATUS_OK;
    }
    st = comm_agree(t->c, st);
    comm_broadcast(t->c, &found, sizeof found);
    *whole = st == STATUS_OK && found;
    return st;
}

/* Rows that follow from the network alone have another key than those that stay, where they are
 * projected: D tells them apart. */
status extract_kept_create(
    extract_kept *k, const stage *t, const features *x, uint64_t key, bool stream) {
    *k = (extract_kept){.t = t, .x = x, .images = setup_training(t->d)};
    size_t n = (size_t)k->images;
    const int64_t made_of[] = {k->images, x->total, x->d, x->type == DTYPE_BF16, stream};
    k->key = hash_append(key, made_of, sizeof made_of);
    k->bytes = sizeof *k->begin + n * (sizeof *k->hash + sizeof *k->done);
    k->block = memory_alloc(k->bytes, 1, "state of the extraction");
    status st = comm_agree(t->c, k->block ? find_paths(k) : STATUS_FAILED);
    if (st != STATUS_OK) return st;
    k->begin = k->block;
    k->hash = (uint64_t *)(void *)(k->begin + 1);
    k->done = (int32_t *)(void *)(k->hash + n);
    if (t->s->run.resume == RUN_RESUME_AUTO)
        st = stage_state_load(t->c, k->state, k->key, k->block, k->bytes, &k->found);
    if (st == STATUS_OK && k->found)
        log_info("extract: continues after %d of %d images", count_done(k), k->images);
    return st;
}

void extract_kept_destroy(extract_kept *k) {
    memory_free(k->block);
}

static size_t bytes_of(const extract_kept *k, int64_t i) {
    return features_image_rows(k->x, i) * features_row_bytes(k->x);
}

/* Where row `row` of this rank's stands in the file of rows. */
static uint64_t place_of(const extract_kept *k, size_t row) {
    return (uint64_t)*k->begin + ((uint64_t)k->x->before + row) * features_row_bytes(k->x);
}

bool extract_kept_read(extract_kept *k, int64_t i, size_t row, void *rows) {
    int fd;
    uint64_t size;
    int64_t at = k->x->first + i;
    status st = file_open(k->rows, &fd, &size);
    if (st == STATUS_OK) {
        st = file_read_at(fd, k->rows, place_of(k, row), rows, bytes_of(k, i));
        close(fd);
    }
    if (st == STATUS_OK && hash_bytes(rows, bytes_of(k, i)) == k->hash[at]) return true;
    log_warn("%s: rows of image %s are damaged: they are computed again", k->rows,
        dataset_get(k->t->d, (int)at).name);
    k->done[at] = 0;
    return false;
}

/* Rows in memory are hashed when they are kept, if ever. */
void extract_kept_add(extract_kept *k, int64_t i, const void *rows) {
    int64_t at = k->x->first + i;
    if (!k->x->data) k->hash[at] = hash_bytes(rows, bytes_of(k, i));
    k->done[at] = 1;
}

/* Flags and hashes of all ranks' own images, then rank 0's block into the file. */
static status save(extract_kept *k) {
    const comm *c = k->t->c;
    for (int i = 0; i < k->images; i++) {
        bool mine = i >= k->x->first && i < k->x->first + k->x->images;
        if (!mine) k->done[i] = 0;
        if (!k->done[i]) k->hash[i] = 0;
    }
    comm_max_i32(c, k->done, (size_t)k->images);
    /* One rank has each: the sum is it. */
    comm_sum_i64(c, (int64_t *)k->hash, (size_t)k->images);
    log_info("extract: stopped after %d of %d images, their rows are kept in %s", count_done(k),
        k->images, k->rows);
    return stage_state_stop(c, k->state, k->key, k->block, k->bytes);
}

/* All rows of this rank that are done, in a file that every rank has open. Rows that an earlier
 * start has left are written again: they are in memory, and the file need not be trusted. */
static status write_rows(extract_kept *k) {
    const char *from = k->x->data;
    status st = STATUS_OK;
    int fd = open_retry(k->rows, O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (fd < 0) {
        log_error("%s: cannot be written: %s", k->rows, strerror(errno));
        return STATUS_OUTPUT;
    }
    uint64_t to = place_of(k, 0);
    for (int64_t i = 0; i < k->x->images && st == STATUS_OK; i++) {
        size_t bytes = bytes_of(k, i);
        int64_t at = k->x->first + i;
        if (k->done[at]) {
            k->hash[at] = hash_bytes(from, bytes);
            st = file_write_at(fd, k->rows, to, from, bytes);
        }
        from += bytes;
        to += bytes;
    }
    bool synced = st != STATUS_OK || fsync(fd) == 0;
    int why = errno;
    if ((file_close(fd) != 0 && (why = errno)) || !synced) {
        log_error("%s: cannot be written: %s", k->rows, strerror(why));
        st = STATUS_OUTPUT;
    }
    return st;
}

status extract_kept_stop_memory(extract_kept *k) {
    const comm *c = k->t->c;
    *k->begin = 0;
    /* An empty file of rank 0's in place of what is there. */
    status st = comm_agree(c, comm_root(c) ? file_write(k->rows, "", 0) : STATUS_OK);
    if (st == STATUS_OK) st = comm_agree(c, write_rows(k));
    return st == STATUS_OK ? save(k) : st;
}

status extract_kept_stop_streamed(extract_kept *k, features_writer *w) {
    uint64_t begin;
    status st = features_writer_leave(w, k->rows, &begin);
    *k->begin = (int64_t)begin;
    return st == STATUS_OK ? save(k) : st;
}

void extract_kept_clear(const extract_kept *k) {
    stage_state_clear(k->t->c, k->state);
    if (comm_root(k->t->c)) unlink(k->rows);
}
