/* Writes HDF5 files of all ranks: the structure by rank 0 through HDF5, rows by everyone at their
 * places. Ranks agree on the success of each step: one that failed alone would leave the others in
 * the next one for ever. The same contents make the same bytes, as no times are stored. */
#include "io/hdf5/hdf5_writer.h"

#include "io/files/file.h"
#include "io/hdf5/hdf5_library.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/open_retry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What HDF5 says on rank 0 becomes what all ranks say. */
static status agree_hdf5(const hdf5_writer *w, bool good, const char *what) {
    if (!good) {
        char reason[HDF5_REASON];
        hdf5_reason(reason);
        log_error("%s: HDF5 cannot write %s: %s", w->path, what, reason);
    }
    return comm_agree(w->c, good ? STATUS_OK : STATUS_OUTPUT);
}

/* The rank that has the file open in HDF5. */
static bool is_root(const hdf5_writer *w) {
    return comm_root(w->c);
}

/* A file without a name in HDF5's hands: it cannot create one from memfd_create's descriptor, as it
 * wants a real path. The name is gone as soon as both have it open. */
static int create_in_memory(char *path, hid_t access, hid_t *file) {
    enum { ROOM = 4 << 20 };
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) return fd;
    /* HDF5 writes at the end: a place that is full already would show when all else is done. */
    int error = posix_fallocate(fd, 0, ROOM);
    if (error == ENOSPC) {
        close(fd);
        unlink(path);
        errno = error;
        return -1;
    }
    hdf5_begin();
    *file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    unlink(path);
    return fd;
}

/* Rank 0's part: HDF5 writes a file in memory, of which arrays are holes. Where the system has no
 * such place, in the folder of temporary files. */
static bool create(hdf5_writer *w) {
    char path[4096] = "/dev/shm/auxseg-XXXXXX";
    const char *folder = getenv("TMPDIR");
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access < 0 || H5Pset_alignment(access, 1 << 16, 1 << 20) < 0) return false;
    w->memory = create_in_memory(path, access, &w->file);
    if (w->memory < 0) {
        snprintf(path, sizeof path, "%s/auxseg-XXXXXX", folder && folder[0] ? folder : "/tmp");
        w->memory = create_in_memory(path, access, &w->file);
    }
    if (w->memory < 0) log_error("%s: cannot be made: %s", path, strerror(errno));
    H5Pclose(access);
    return w->file >= 0;
}

/* The system's reason: a full disk, a quota, a folder without permission. */
static status failed(const hdf5_writer *w) {
    log_error("%s: cannot be written: %s", w->path, strerror(errno));
    return STATUS_OUTPUT;
}

static status open_rows(hdf5_writer *w) {
    if (w->fd < 0) w->fd = open_retry(w->path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0);
    return comm_agree(w->c, w->fd >= 0 ? STATUS_OK : failed(w));
}

static void begin(hdf5_writer *w, const comm *c, const char *path) {
    *w = (hdf5_writer)HDF5_WRITER_NONE;
    w->c = c;
    w->path = path;
}

/* Rank 0 makes the file, then every rank opens it: not before it is there. */
status hdf5_create(hdf5_writer *w, const comm *c, const char *path) {
    begin(w, c, path);
    status st = agree_hdf5(w, !is_root(w) || create(w), "the file");
    if (st != STATUS_OK) return st;
    if (is_root(w)) w->fd = file_create_temporary(path);
    st = comm_agree(w->c, !is_root(w) || w->fd >= 0 ? STATUS_OK : failed(w));
    return st == STATUS_OK ? open_rows(w) : st;
}

status hdf5_continue(hdf5_writer *w, const comm *c, const char *path) {
    begin(w, c, path);
    return open_rows(w);
}

/* The first byte from `at` on that is in no array, and how far there is none: the arrays' rows are
 * on the disk already, of other ranks, too. */
static uint64_t between_arrays(const hdf5_writer *w, uint64_t at, uint64_t *end) {
    for (int i = 0; i < w->array_count; i++)
        if (w->arrays[i].begin <= at && at < w->arrays[i].end) {
            at = w->arrays[i].end;
            i = -1; /* another may begin where this one ends */
        }
    for (int i = 0; i < w->array_count; i++)
        if (w->arrays[i].begin >= at && w->arrays[i].begin < *end) *end = w->arrays[i].begin;
    return at;
}

/* The bytes begin .. end - 1 of the file in memory, but for arrays, to the disk. */
static status copy_span(const hdf5_writer *w, uint64_t begin, uint64_t end) {
    char block[4096];
    while (begin < end) {
        uint64_t stop = begin + sizeof block < end ? begin + sizeof block : end;
        uint64_t from = between_arrays(w, begin, &stop);
        if (from < stop) {
            ssize_t bytes = pread(w->memory, block, (size_t)(stop - from), (off_t)from);
            if (bytes <= 0) return failed(w);
            status st = file_write_at(w->fd, w->path, from, block, (size_t)bytes);
            if (st != STATUS_OK) return st;
            from += (uint64_t)bytes;
        }
        begin = from;
    }
    return STATUS_OK;
}

/* Rank 0's part: what HDF5 wrote, hole by hole, and the file's length. */
static status copy_structure(const hdf5_writer *w) {
    off_t length = lseek(w->memory, 0, SEEK_END), at = 0;
    status st = length >= 0 && ftruncate(w->fd, length) == 0 ? STATUS_OK : failed(w);
    while (st == STATUS_OK && at < length) {
        off_t begin = lseek(w->memory, at, SEEK_DATA);
        if (begin < 0 && errno == ENXIO) break; /* only a hole is left */
        off_t end = begin < 0 ? -1 : lseek(w->memory, begin, SEEK_HOLE);
        st = end < 0 ? failed(w) : copy_span(w, (uint64_t)begin, (uint64_t)end);
        at = end;
    }
    return st;
}

/* HDF5's end, which touches no disk; then rank 0's part of the file on it, once. */
static status close_structure(hdf5_writer *w, status st) {
    bool good = w->file < 0 || H5Fclose(w->file) >= 0;
    w->file = H5I_INVALID_HID;
    if (st == STATUS_OK) st = agree_hdf5(w, good, "its end");
    if (st == STATUS_OK) st = comm_agree(w->c, w->memory >= 0 ? copy_structure(w) : STATUS_OK);
    if (w->memory >= 0) close(w->memory);
    w->memory = -1;
    return st;
}

status hdf5_seal(hdf5_writer *w) {
    return close_structure(w, STATUS_OK);
}

/* This rank's rows are on the disk. A close may be the first to tell of a full quota. */
static status close_rows(hdf5_writer *w, bool keep) {
    status st = STATUS_OK;
    if (w->fd < 0) return st;
    if (keep && fsync(w->fd) != 0) st = failed(w);
    if (file_close(w->fd) != 0 && keep && st == STATUS_OK) st = failed(w);
    w->fd = -1;
    return st;
}

/* Each rank syncs what it wrote, which no other could do on another node. */
status hdf5_close(hdf5_writer *w, status st) {
    st = close_structure(w, st);
    status rows = close_rows(w, st == STATUS_OK);
    return st == STATUS_OK ? comm_agree(w->c, rows) : st;
}

static bool group(const hdf5_writer *w, const char *name) {
    hid_t g = H5Gcreate2(w->file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (g >= 0) H5Gclose(g);
    return g >= 0;
}

status hdf5_group(hdf5_writer *w, const char *name) {
    return agree_hdf5(w, !is_root(w) || group(w, name), name);
}

/* Rank 0's part: *offset is where the array stands, 0 if it is empty. */
static bool make(const hdf5_writer *w, const hdf5_rows *r, int64_t *offset) {
    hsize_t shape[2] = {r->rows, r->columns};
    hid_t space = H5Screate_simple(r->columns ? 2 : 1, shape, NULL);
    hid_t how = H5Pcreate(H5P_DATASET_CREATE);
    bool good = space >= 0 && how >= 0 && H5Pset_layout(how, H5D_CONTIGUOUS) >= 0 &&
                H5Pset_alloc_time(how, H5D_ALLOC_TIME_EARLY) >= 0 &&
                H5Pset_fill_time(how, H5D_FILL_TIME_NEVER) >= 0 &&
                /* The same contents are the same bytes, whenever they are written. */
                H5Pset_obj_track_times(how, 0) >= 0;
    hid_t set = good ? H5Dcreate2(w->file, r->name, r->type, space, H5P_DEFAULT, how, H5P_DEFAULT)
                     : H5I_INVALID_HID;
    haddr_t at = set >= 0 && r->rows > 0 ? H5Dget_offset(set) : 0;
    if (set >= 0) H5Dclose(set);
    if (how >= 0) H5Pclose(how);
    if (space >= 0) H5Sclose(space);
    *offset = (int64_t)at;
    return set >= 0 && at != HADDR_UNDEF;
}

/* Of an array in the file, which is as in memory. */
static uint64_t row_bytes(const hdf5_rows *r) {
    return H5Tget_size(r->type) * (r->columns ? r->columns : 1);
}

/* All ranks learn where the array stands. Its space is asked of the file system at once, so that a
 * full disk is found before hours of work. */
status hdf5_make(hdf5_writer *w, hdf5_rows *r) {
    bool room = w->array_count < HDF5_WRITER_ARRAYS;
    status st = agree_hdf5(w, !is_root(w) || (room && make(w, r, &r->offset)), r->name);
    if (st != STATUS_OK) return st;
    comm_broadcast(w->c, &r->offset, sizeof r->offset);
    uint64_t bytes = r->rows * row_bytes(r), begin = (uint64_t)r->offset;
    if (bytes > 0) w->arrays[w->array_count++] = (struct hdf5_span){begin, begin + bytes};
    return comm_agree(
        w->c, is_root(w) ? file_reserve(w->fd, w->path, (uint64_t)r->offset, bytes) : STATUS_OK);
}

/* Each rank at its own place: no locks, no order. */
status hdf5_write(hdf5_writer *w, const hdf5_rows *r, const void *data) {
    uint64_t row = row_bytes(r), at = (uint64_t)r->offset + r->first * row;
    return comm_agree(w->c, file_write_at(w->fd, w->path, at, data, (size_t)(r->count * row)));
}

/* A small array that every rank has could be written by all: one does. */
status hdf5_put(hdf5_writer *w, const hdf5_rows *r, const void *data) {
    hdf5_rows mine = *r;
    mine.first = 0;
    mine.count = is_root(w) ? r->rows : 0;
    status st = hdf5_make(w, &mine);
    return st == STATUS_OK ? hdf5_write(w, &mine, data) : st;
}

/* Fixed length: strings of varying length lie in a heap of the file, which cannot be read at an
 * offset. */
static hid_t string_type(size_t length) {
    hid_t t = H5Tcopy(H5T_C_S1);
    if (t >= 0 && (H5Tset_size(t, length ? length : 1) < 0 || H5Tset_cset(t, H5T_CSET_UTF8) < 0)) {
        H5Tclose(t);
        return H5I_INVALID_HID;
    }
    return t;
}

/* As long as the longest and its zero. */
status hdf5_put_strings(hdf5_writer *w, const char *name, const char *const *text, hsize_t n) {
    size_t longest = 0;
    for (hsize_t i = 0; i < n; i++)
        if (strlen(text[i]) > longest) longest = strlen(text[i]);
    longest++;
    char *block = memory_alloc((size_t)n, longest, name);
    hid_t type = string_type(longest);
    status st = comm_agree(w->c, block && type >= 0 ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK) {
        for (hsize_t i = 0; i < n; i++) strcpy(block + i * longest, text[i]);
        st = hdf5_put(w, &(hdf5_rows){.name = name, .type = type, .rows = n}, block);
    }
    if (type >= 0) H5Tclose(type);
    memory_free(block);
    return st;
}

/* Rank 0's part: scalar, of the type in memory. */
static bool put_number(
    const hdf5_writer *w, const char *object, const char *name, hid_t type, const void *number) {
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t a = H5Acreate_by_name(
        w->file, object, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    bool good = a >= 0 && H5Awrite(a, type, number) >= 0;
    if (a >= 0) H5Aclose(a);
    if (space >= 0) H5Sclose(space);
    return good;
}

status hdf5_put_number(
    hdf5_writer *w, const char *object, const char *name, hid_t type, const void *number) {
    return agree_hdf5(w, !is_root(w) || put_number(w, object, name, type, number), name);
}

/* An attribute of a string type of its own length. */
status hdf5_put_text(hdf5_writer *w, const char *object, const char *name, const char *text) {
    hid_t type = string_type(strlen(text) + 1);
    status st = hdf5_put_number(w, object, name, type, text);
    if (type >= 0) H5Tclose(type);
    return st;
}
