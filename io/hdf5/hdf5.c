/* HDF5 in the few forms that the program needs. Ranks agree on the success of each collective
 * call: one that failed alone would leave the others in the next call for ever. The same contents
 * make the same bytes, as no times are stored. A transfer stays below 2 GiB, where the counts of
 * MPI's files end. */
#include "io/hdf5/hdf5.h"

#include "io/files/file.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* TRANSFER: bytes of one. */
enum { TRANSFER = 1 << 30, REASON = 256 };

static status agree(const hdf5_writer *w, bool good, const char *what) {
    if (!good) log_error("%s: HDF5 cannot write %s", w->path, what);
    return comm_agree(w->c, good ? STATUS_OK : STATUS_OUTPUT);
}

status hdf5_create(hdf5_writer *w, const comm *c, const char *path) {
    *w = (hdf5_writer){c, path, H5I_INVALID_HID};
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    bool good = access >= 0;
    if (good && c) good = H5Pset_fapl_mpio(access, c->mpi, MPI_INFO_NULL) >= 0;
    if (good) good = H5Pset_alignment(access, 1 << 16, 1 << 20) >= 0;
    if (good) w->file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    if (access >= 0) H5Pclose(access);
    return agree(w, w->file >= 0, "the file");
}

status hdf5_close(hdf5_writer *w) {
    if (w->file < 0) return STATUS_OK;
    bool good = H5Fflush(w->file, H5F_SCOPE_GLOBAL) >= 0;
    good = H5Fclose(w->file) >= 0 && good;
    w->file = H5I_INVALID_HID;
    return agree(w, good, "its end");
}

status hdf5_group(hdf5_writer *w, const char *name) {
    hid_t g = H5Gcreate2(w->file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (g >= 0) H5Gclose(g);
    return agree(w, g >= 0, name);
}

status hdf5_make(hdf5_writer *w, const hdf5_rows *r) {
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
    if (set >= 0) H5Dclose(set);
    if (how >= 0) H5Pclose(how);
    if (space >= 0) H5Sclose(space);
    return agree(w, set >= 0, r->name);
}

/* Rows begin .. begin + count - 1 of the array from `data`; count may be 0 on this rank. */
static bool transfer(
    hdf5_writer *w, const hdf5_rows *r, hid_t set, hsize_t begin, hsize_t count, const void *data) {
    hsize_t start[2] = {begin, 0}, size[2] = {count, r->columns};
    int dims = r->columns ? 2 : 1;
    hid_t file = H5Dget_space(set), memory = H5Screate_simple(dims, size, NULL);
    hid_t how = H5Pcreate(H5P_DATASET_XFER);
    bool good = file >= 0 && memory >= 0 && how >= 0;
    if (good && count > 0)
        good = H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, size, NULL) >= 0;
    else if (good)
        good = H5Sselect_none(file) >= 0 && H5Sselect_none(memory) >= 0;
    if (good && w->c) good = H5Pset_dxpl_mpio(how, H5FD_MPIO_COLLECTIVE) >= 0;
    if (good) good = H5Dwrite(set, r->type, memory, file, how, data) >= 0;
    if (how >= 0) H5Pclose(how);
    if (memory >= 0) H5Sclose(memory);
    if (file >= 0) H5Sclose(file);
    return good;
}

status hdf5_write(hdf5_writer *w, const hdf5_rows *r, const void *data) {
    size_t row = H5Tget_size(r->type) * (size_t)(r->columns ? r->columns : 1);
    hsize_t piece = TRANSFER / row ? TRANSFER / row : 1;
    int64_t pieces = (int64_t)((r->count + piece - 1) / piece), mine = pieces;
    hid_t set = H5Dopen2(w->file, r->name, H5P_DEFAULT);
    bool good = set >= 0;
    int32_t most = (int32_t)mine;
    comm_max_i32(w->c, &most, 1);
    status st = agree(w, good, r->name);
    for (int32_t i = 0; st == STATUS_OK && i < most; i++) {
        hsize_t done = (hsize_t)i * piece < r->count ? (hsize_t)i * piece : r->count;
        hsize_t count = r->count - done < piece ? r->count - done : piece;
        good = transfer(w, r, set, r->first + done, count, (const char *)data + done * row) && good;
    }
    if (set >= 0) H5Dclose(set);
    return st == STATUS_OK ? agree(w, good, r->name) : st;
}

status hdf5_put(hdf5_writer *w, const hdf5_rows *r, const void *data) {
    hdf5_rows mine = *r;
    mine.first = 0;
    mine.count = comm_root(w->c) ? r->rows : 0;
    status st = hdf5_make(w, &mine);
    return st == STATUS_OK ? hdf5_write(w, &mine, data) : st;
}

static hid_t string_type(size_t length) {
    hid_t t = H5Tcopy(H5T_C_S1);
    if (t >= 0 && (H5Tset_size(t, length ? length : 1) < 0 || H5Tset_cset(t, H5T_CSET_UTF8) < 0)) {
        H5Tclose(t);
        return H5I_INVALID_HID;
    }
    return t;
}

status hdf5_put_strings(hdf5_writer *w, const char *name, const char *const *text, hsize_t n) {
    size_t longest = 0;
    for (hsize_t i = 0; i < n; i++)
        if (strlen(text[i]) > longest) longest = strlen(text[i]);
    longest++;
    char *block = memory_alloc((size_t)n, longest, name);
    hid_t type = string_type(longest);
    status st = agree(w, block && type >= 0, name);
    if (st == STATUS_OK) {
        for (hsize_t i = 0; i < n; i++) strcpy(block + i * longest, text[i]);
        st = hdf5_put(w, &(hdf5_rows){name, type, n, 0, 0, 0}, block);
    }
    if (type >= 0) H5Tclose(type);
    memory_free(block);
    return st;
}

status hdf5_put_number(
    hdf5_writer *w, const char *object, const char *name, hid_t type, const void *number) {
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t a = H5Acreate_by_name(
        w->file, object, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    bool good = a >= 0 && H5Awrite(a, type, number) >= 0;
    if (a >= 0) H5Aclose(a);
    if (space >= 0) H5Sclose(space);
    return agree(w, good, name);
}

status hdf5_put_text(hdf5_writer *w, const char *object, const char *name, const char *text) {
    hid_t type = string_type(strlen(text) + 1);
    status st = hdf5_put_number(w, object, name, type, text);
    if (type >= 0) H5Tclose(type);
    return st;
}

static status unreadable(const char *path, const char *name) {
    log_error("%s: HDF5 cannot read %s", path, name);
    return STATUS_DATA;
}

/* The innermost function that failed knows why: what it said goes to text [REASON]. */
static herr_t take_reason(unsigned n, const H5E_error2_t *error, void *text) {
    if (n == 0 && error->desc) snprintf(text, REASON, "%s", error->desc);
    return 0;
}

/* Whether the file is there and may be read is the system's to say: HDF5's own words for it are
 * long and name the wrong culprit. */
status hdf5_open(hid_t *file, const char *path) {
    char reason[REASON] = "no reason given";
    int fd;
    uint64_t bytes;
    *file = H5I_INVALID_HID;
    status st = file_open(path, &fd, &bytes);
    if (st != STATUS_OK) return st;
    close(fd);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    *file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (*file >= 0) return STATUS_OK;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_reason, reason);
    log_error("%s: HDF5 cannot open it: %s%s", path, reason,
        strstr(reason, "lock") ? " (HDF5_USE_FILE_LOCKING=FALSE in the environment goes without)"
                               : "");
    return STATUS_DATA;
}

status hdf5_shape(hid_t file, const char *path, const char *name, hsize_t *rows, hsize_t *columns) {
    hsize_t shape[2] = {0, 1};
    hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
    hid_t space = set >= 0 ? H5Dget_space(set) : H5I_INVALID_HID;
    int dims = space >= 0 ? H5Sget_simple_extent_ndims(space) : -1;
    bool good = (dims == 1 || dims == 2) && H5Sget_simple_extent_dims(space, shape, NULL) >= 0;
    if (space >= 0) H5Sclose(space);
    if (set >= 0) H5Dclose(set);
    if (!good) return unreadable(path, name);
    *rows = shape[0];
    *columns = dims == 2 ? shape[1] : 1;
    return STATUS_OK;
}

status hdf5_get(hid_t file, const char *path, const char *name, hid_t type, void *data) {
    hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
    bool good = set >= 0 && H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0;
    if (set >= 0) H5Dclose(set);
    return good ? STATUS_OK : unreadable(path, name);
}

status hdf5_get_strings(hid_t file, const char *path, const char *name, char ***text, hsize_t *n) {
    enum { LONGEST = 1 << 16 };
    hsize_t columns;
    status st = hdf5_shape(file, path, name, n, &columns);
    if (st != STATUS_OK) return st;
    hid_t set = H5Dopen2(file, name, H5P_DEFAULT), type = H5Dget_type(set);
    size_t length = H5Tis_variable_str(type) > 0 ? 0 : H5Tget_size(type);
    if (H5Tget_class(type) != H5T_STRING || length == 0 || length > LONGEST) {
        st = unreadable(path, name);
    } else {
        char **list = memory_alloc((size_t)*n, sizeof *list + length + 1, name);
        char *block = (char *)(list ? list + *n : NULL);
        if (!list)
            st = STATUS_FAILED;
        else if (H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, block) < 0)
            st = unreadable(path, name);
        /* Spread apart from the last on, so that each has its end. */
        for (hsize_t i = *n; st == STATUS_OK && i-- > 0;) {
            list[i] = block + i * (length + 1);
            memmove(list[i], block + i * length, length);
            list[i][length] = 0;
        }
        if (st == STATUS_OK)
            *text = list;
        else
            memory_free(list);
    }
    H5Tclose(type);
    H5Dclose(set);
    return st;
}

status hdf5_get_number(
    hid_t file, const char *path, const char *object, const char *name, hid_t type, void *number) {
    hid_t a = H5Aopen_by_name(file, object, name, H5P_DEFAULT, H5P_DEFAULT);
    bool good = a >= 0 && H5Aread(a, type, number) >= 0;
    if (a >= 0) H5Aclose(a);
    return good ? STATUS_OK : unreadable(path, name);
}

status hdf5_get_text(hid_t file, const char *path, const char *name, char *text, size_t size) {
    hid_t a = H5Aopen_by_name(file, "/", name, H5P_DEFAULT, H5P_DEFAULT);
    hid_t type = a >= 0 ? H5Aget_type(a) : H5I_INVALID_HID;
    size_t length = type >= 0 && H5Tis_variable_str(type) == 0 ? H5Tget_size(type) : 0;
    bool good = length > 0 && length < size && H5Aread(a, type, text) >= 0;
    if (good) text[length] = 0;
    if (type >= 0) H5Tclose(type);
    if (a >= 0) H5Aclose(a);
    return good ? STATUS_OK : unreadable(path, name);
}

status hdf5_offset(hid_t file, const char *path, const char *name, int64_t *offset) {
    hsize_t rows, columns;
    status st = hdf5_shape(file, path, name, &rows, &columns);
    if (st != STATUS_OK) return st;
    *offset = 0;
    if (rows == 0 || columns == 0) return STATUS_OK;
    hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
    haddr_t at = set >= 0 ? H5Dget_offset(set) : HADDR_UNDEF;
    if (set >= 0) H5Dclose(set);
    if (at == HADDR_UNDEF) return unreadable(path, name);
    *offset = (int64_t)at;
    return STATUS_OK;
}
