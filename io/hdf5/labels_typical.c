/* The typical pixels in labels.h5, an array for each member of a pixel: a compound type would be
 * harder to read from other languages. */
#include "io/hdf5/labels_typical.h"

#include "src/base/log.h"
#include "src/base/memory.h"

enum { COLUMNS = 3 };

/* Members of typical_pixel, each an array of its own. */
static const struct {
    const char *name;
    int real;
} column[COLUMNS] = {{"/typical/distance", 1}, {"/typical/image", 0}, {"/typical/pixel", 0}};

/* In the file as in memory. */
static hid_t type_of(int i) {
    return column[i].real ? H5T_NATIVE_FLOAT : H5T_NATIVE_UINT32;
}

/* float and uint32_t are words of one size: member i of entry n. Copying words keeps the bits of
 * infinities. */
static uint32_t *word(typical_pixel *list, size_t n, int i) {
    return (uint32_t *)(void *)(list + n) + i;
}

/* Member by member: an array each. */
status labels_typical_write(hdf5_writer *w, const typical_pixel *list, int k) {
    size_t n = (size_t)k * TYPICAL;
    uint32_t *part = memory_alloc(n, sizeof *part, "typical pixels");
    status st = comm_agree(w->c, part ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK) st = hdf5_group(w, "/typical");
    for (int i = 0; i < COLUMNS && st == STATUS_OK; i++) {
        for (size_t p = 0; p < n; p++) part[p] = *word((typical_pixel *)(uintptr_t)list, p, i);
        hdf5_rows rows = {column[i].name, type_of(i), (hsize_t)k, TYPICAL, 0, 0, 0};
        st = hdf5_put(w, &rows, part);
    }
    memory_free(part);
    return st;
}

/* A column of another shape would not fit the list. */
static status read_column(hid_t file, const char *path, int k, int i, uint32_t *part) {
    hsize_t rows, columns;
    status st = hdf5_shape(file, path, column[i].name, &rows, &columns);
    if (st != STATUS_OK) return st;
    if (rows != (hsize_t)k || columns != TYPICAL) {
        log_error("%s: damaged: the shape of %s is not [k, %d]", path, column[i].name, TYPICAL);
        return STATUS_OUTPUT;
    }
    return hdf5_get(file, path, column[i].name, type_of(i), part);
}

/* A file without the group is an older one, or another program's: labels do without. */
status labels_typical_read(hid_t file, const char *path, int k, typical_pixel **out) {
    size_t n = (size_t)k * TYPICAL;
    *out = NULL;
    if (H5Lexists(file, "/typical", H5P_DEFAULT) <= 0) return STATUS_OK;
    uint32_t *part = memory_alloc(n, sizeof *part, "typical pixels");
    typical_pixel *list = memory_alloc(n, sizeof *list, "typical pixels");
    status st = part && list ? STATUS_OK : STATUS_FAILED;
    for (int i = 0; i < COLUMNS && st == STATUS_OK; i++) {
        st = read_column(file, path, k, i, part);
        for (size_t p = 0; p < n && st == STATUS_OK; p++) *word(list, p, i) = part[p];
    }
    memory_free(part);
    if (st == STATUS_OK)
        *out = list;
    else
        memory_free(list);
    return st;
}
