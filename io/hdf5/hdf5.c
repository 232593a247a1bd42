/* The calls of HDF5 that read arrays, each checked, each with a message that names the file and
 * what of it. */
#include "io/hdf5/hdf5.h"

#include "io/files/file.h"
#include "io/hdf5/hdf5_guard.h"
#include "io/hdf5/hdf5_library.h"
#include "io/hdf5/hdf5_object.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Without a lock: files of this program never change once they have their name, what another
 * process that has one open for writing does to it is told by checksums, and network file systems
 * that cannot lock are common. */
static hid_t unlocked(void) {
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access < 0 || H5Pset_file_locking(access, false, true) >= 0) return access;
    H5Pclose(access);
    return H5I_INVALID_HID;
}

/* HDF5's own open gives up where a signal interrupts it (network file systems). Its reason is taken
 * before another call forgets it. */
static hid_t open_retried(const char *path, hid_t access, char reason[HDF5_REASON]) {
    hid_t file;
    do {
        file = H5Fopen(path, H5F_ACC_RDONLY, access);
        if (file < 0) hdf5_reason(reason);
    } while (file < 0 && strstr(reason, strerror(EINTR)));
    return file;
}

/* Whether the file is there and may be read is the system's to say: HDF5's own words for it are
 * long and name the wrong culprit. */
status hdf5_open(hid_t *file, const char *path) {
    char reason[HDF5_REASON] = "no memory";
    int fd;
    uint64_t bytes;
    *file = H5I_INVALID_HID;
    status st = file_open(path, &fd, &bytes);
    if (st != STATUS_OK) return st;
    close(fd);
    st = hdf5_guard(path);
    if (st != STATUS_OK) return st;
    hdf5_begin();
    hid_t access = unlocked();
    if (access >= 0) *file = open_retried(path, access, reason);
    if (*file < 0) {
        log_error("%s: HDF5 cannot open it: %s", path, reason);
        st = STATUS_DATA;
    }
    if (access >= 0) H5Pclose(access);
    return st;
}

status hdf5_shape(hid_t file, const char *path, const char *name, hsize_t *rows, hsize_t *columns) {
    hdf5_object o = {0};
    status st = hdf5_object_open(&o, file, path, name);
    if (st != STATUS_OK) return st;
    *rows = o.rows;
    *columns = o.columns;
    hdf5_object_close(&o);
    return STATUS_OK;
}

/* HDF5 converts the order of bytes, nothing else: a file from another machine reads like any. */
status hdf5_get(hid_t file, const char *path, const char *name, hid_t type, void *data) {
    hdf5_object o = {0};
    status st = hdf5_object_open(&o, file, path, name);
    if (st == STATUS_OK) st = hdf5_type_check(path, name, o.type, type);
    if (st == STATUS_OK && H5Dread(o.id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        st = hdf5_refuse(path, name, "cannot be read");
    hdf5_object_close(&o);
    return st;
}

/* Texts need not end in a zero there, so that they are spread apart by one byte each. */
static status read_strings(
    const hdf5_object *o, const char *path, const char *name, char ***text, hsize_t *n) {
    size_t length = H5Tget_size(o->type);
    char **list = memory_alloc((size_t)o->rows, sizeof *list + length + 1, name);
    if (!list) return STATUS_FAILED;
    char *block = (char *)(list + o->rows);
    if (o->rows > 0 && H5Dread(o->id, o->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, block) < 0) {
        memory_free(list);
        return hdf5_refuse(path, name, "cannot be read");
    }
    /* From the last on, so that none is overwritten before it has moved. */
    for (hsize_t i = o->rows; i-- > 0;) {
        list[i] = block + i * (length + 1);
        memmove(list[i], block + i * length, length);
        list[i][length] = 0;
    }
    *text = list;
    *n = o->rows;
    return STATUS_OK;
}

/* A list, not a table: a second dimension would be more texts than there are rows. */
status hdf5_get_strings(hid_t file, const char *path, const char *name, char ***text, hsize_t *n) {
    hdf5_object o = {0};
    status st = hdf5_object_open(&o, file, path, name);
    if (st != STATUS_OK) return st;
    if (H5Tget_class(o.type) != H5T_STRING)
        st = hdf5_refuse(path, name, "holds no texts");
    else if (o.dimensions != 1)
        st = hdf5_refuse(path, name, "has two dimensions");
    else
        st = read_strings(&o, path, name, text, n);
    hdf5_object_close(&o);
    return st;
}

/* A contiguous array's place, for pread, which converts nothing: the type is the native one. Arrays
 * that HDF5 keeps among its own structure have no place. */
status hdf5_offset(hid_t file, const char *path, const char *name, hid_t type, int64_t *offset) {
    hdf5_object o = {0};
    status st = hdf5_object_open(&o, file, path, name);
    if (st != STATUS_OK) return st;
    bool empty = o.rows == 0 || o.columns == 0;
    if (H5Tequal(o.type, type) <= 0) {
        st = hdf5_type_check(path, name, o.type, type);
        if (st == STATUS_OK) st = hdf5_refuse(path, name, "has its bytes in the other order");
    } else if (!empty && o.offset == HADDR_UNDEF) {
        st = hdf5_refuse(path, name, "is not stored in one piece");
    }
    if (st == STATUS_OK) *offset = empty ? 0 : (int64_t)o.offset;
    hdf5_object_close(&o);
    return st;
}
