/* The calls of HDF5 that read a file, each checked, each with a message that names the file and
 * what of it. HDF5 prints nothing by itself. */
#include "io/hdf5/hdf5.h"

#include "io/files/file.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { REASON = 256 };

/* Once a process: what fails is told by us, with file and name, and HDF5 must not try to write
 * again while the process ends. */
void hdf5_begin(void) {
    static bool begun;
    if (begun) return;
    begun = true;
    H5dont_atexit();
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

/* What is missing or of another kind is bad input. */
static status unreadable(const char *path, const char *name) {
    log_error("%s: HDF5 cannot read %s", path, name);
    return STATUS_DATA;
}

/* The innermost function that failed knows why: what it said goes to text [REASON]. */
static herr_t take_reason(unsigned n, const H5E_error2_t *error, void *text) {
    if (n == 0 && error->desc) snprintf(text, REASON, "%s", error->desc);
    return 0;
}

void hdf5_reason(char text[HDF5_REASON]) {
    char reason[REASON] = "no reason given";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_reason, reason);
    snprintf(text, HDF5_REASON, "%s%s", reason,
        strstr(reason, "lock") ? " (HDF5_USE_FILE_LOCKING=FALSE in the environment goes without)"
                               : "");
}

/* Whether the file is there and may be read is the system's to say: HDF5's own words for it are
 * long and name the wrong culprit. */
status hdf5_open(hid_t *file, const char *path) {
    char reason[HDF5_REASON];
    int fd;
    uint64_t bytes;
    *file = H5I_INVALID_HID;
    status st = file_open(path, &fd, &bytes);
    if (st != STATUS_OK) return st;
    close(fd);
    hdf5_begin();
    *file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (*file >= 0) return STATUS_OK;
    hdf5_reason(reason);
    log_error("%s: HDF5 cannot open it: %s", path, reason);
    return STATUS_DATA;
}

/* One or two dimensions are all that the program's files have. */
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

/* HDF5 converts: a file from a machine of the other byte order reads like any. */
status hdf5_get(hid_t file, const char *path, const char *name, hid_t type, void *data) {
    hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
    bool good = set >= 0 && H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0;
    if (set >= 0) H5Dclose(set);
    return good ? STATUS_OK : unreadable(path, name);
}

/* Lengths come from the file: a limit is set before memory is taken. Texts need not end in a zero
 * there, so that they are spread apart by one byte each. */
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

/* Converted likewise. */
status hdf5_get_number(
    hid_t file, const char *path, const char *object, const char *name, hid_t type, void *number) {
    hid_t a = H5Aopen_by_name(file, object, name, H5P_DEFAULT, H5P_DEFAULT);
    bool good = a >= 0 && H5Aread(a, type, number) >= 0;
    if (a >= 0) H5Aclose(a);
    return good ? STATUS_OK : unreadable(path, name);
}

/* Copied with a zero of our own, as above. */
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

/* A contiguous array's place, for pread. Chunked or compressed arrays, which another program may
 * have made, have none. */
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
