/* What of an HDF5 file may be used at all. The format can do far more than the program's files need
 * (other files by link, arrays in pieces elsewhere, filters that are libraries to be loaded, types
 * of the file's own), and each of these is a way to make a reader open, run or allocate what it
 * should not. So an array is opened and looked at before anything is read or memory is taken, and
 * whatever is not plain is refused by name. Its extent is held against the file's size: a few bytes
 * cannot ask for gigabytes. */
#include "io/hdf5/hdf5_object.h"

#include "io/hdf5/hdf5_library.h"
#include "src/base/log.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { NAME = 256, LONGEST_ELEMENT = 1 << 16, DESCRIPTION = 32 };

status hdf5_refuse(const char *path, const char *name, const char *why) {
    char reason[HDF5_REASON] = "";
    /* Where the last call of HDF5 failed, it knows more: a disk that cannot be read, say. */
    if (H5Eget_num(H5E_DEFAULT) > 0) hdf5_reason(reason);
    log_error("%s: %s %s%s%s", path, name, why, reason[0] ? ": " : "", reason);
    return STATUS_DATA;
}

/* Step by step, as HDF5 would follow a link in the middle of a path without a word. Soft links stay
 * in the file, but may lead to external ones. */
status hdf5_links_check(hid_t file, const char *path, const char *name) {
    char part[NAME];
    H5L_info_t link;
    size_t n = strlen(name);
    if (n == 0 || n >= sizeof part) return hdf5_refuse(path, name, "is no name of an array");
    memcpy(part, name, n + 1);
    for (size_t i = 1; n > 1 && i <= n; i++) {
        if (name[i] != '/' && name[i] != '\0') continue;
        part[i] = '\0';
        htri_t there = H5Lexists(file, part, H5P_DEFAULT);
        if (there == 0) return hdf5_refuse(path, part, "is not in the file");
        if (there < 0 || H5Lget_info(file, part, &link, H5P_DEFAULT) < 0)
            return hdf5_refuse(path, part, "cannot be read");
        if (link.type != H5L_TYPE_HARD)
            return hdf5_refuse(path, part, "is a link to another place, which is not followed");
        part[i] = name[i];
    }
    return STATUS_OK;
}

/* Both orders are tried: for single bytes HDF5 tells them apart, too. */
bool hdf5_type_is(hid_t type, hid_t standard) {
    static const H5T_order_t order[] = {H5T_ORDER_LE, H5T_ORDER_BE};
    bool same = false;
    for (int i = 0; i < 2 && !same; i++) {
        hid_t copy = H5Tcopy(standard);
        same = copy >= 0 && H5Tset_order(copy, order[i]) >= 0 && H5Tequal(type, copy) > 0;
        if (copy >= 0) H5Tclose(copy);
    }
    return same;
}

/* "uint16", for messages. */
static void describe(hid_t type, char text[DESCRIPTION]) {
    const char *word = "another type";
    switch (H5Tget_class(type)) {
    case H5T_INTEGER:
        word = H5Tget_sign(type) == H5T_SGN_NONE ? "uint" : "int";
        break;
    case H5T_FLOAT:
        word = "float";
        break;
    case H5T_STRING:
        snprintf(text, DESCRIPTION, "text");
        return;
    default:
        snprintf(text, DESCRIPTION, "%s", word);
        return;
    }
    snprintf(text, DESCRIPTION, "%s%zu", word, 8 * H5Tget_size(type));
}

status hdf5_type_check(const char *path, const char *name, hid_t type, hid_t standard) {
    char is[DESCRIPTION], wanted[DESCRIPTION];
    if (hdf5_type_is(type, standard)) return STATUS_OK;
    describe(type, is);
    describe(standard, wanted);
    log_error("%s: %s is not of plain %s (%s)", path, name, wanted, is);
    return STATUS_DATA;
}

/* What an element is: its class and size alone, which one it has to be is the reader's to say. */
static const char *wrong_type(hid_t type) {
    H5T_class_t class = H5Tget_class(type);
    size_t size = H5Tget_size(type);
    if (H5Tcommitted(type) != 0) return "has a type that is an object of the file";
    if (class != H5T_INTEGER && class != H5T_FLOAT && class != H5T_STRING)
        return "holds neither numbers nor texts";
    if (class == H5T_STRING && H5Tis_variable_str(type) != 0)
        return "holds texts of variable length, fixed ones are needed";
    return size == 0 || size > LONGEST_ELEMENT ? "has elements of an absurd size" : NULL;
}

/* How it is stored, before HDF5 is asked for any of it: filters are code that would be loaded. */
static const char *wrong_storage(hid_t set) {
    hid_t how = H5Dget_create_plist(set);
    const char *wrong = NULL;
    if (how < 0) return "cannot be read";
    H5D_layout_t layout = H5Pget_layout(how);
    if (layout == H5D_VIRTUAL)
        wrong = "is put together of other arrays (a virtual data set)";
    else if (H5Pget_nfilters(how) != 0)
        wrong = "is compressed or filtered, which is not supported";
    else if (layout == H5D_CHUNKED)
        wrong = "is stored in chunks, one piece is needed";
    else if (layout != H5D_CONTIGUOUS && layout != H5D_COMPACT)
        wrong = "is stored in an unknown way";
    else if (layout == H5D_CONTIGUOUS && H5Pget_external_count(how) != 0)
        wrong = "lies in another file";
    H5Pclose(how);
    return wrong;
}

/* Rows and columns from the data space. */
static const char *wrong_shape(hdf5_object *o) {
    hsize_t shape[2] = {0, 1};
    hid_t space = H5Dget_space(o->id);
    bool simple = space >= 0 && H5Sget_simple_extent_type(space) == H5S_SIMPLE;
    o->dimensions = simple ? H5Sget_simple_extent_ndims(space) : 0;
    bool good = (o->dimensions == 1 || o->dimensions == 2) &&
                H5Sget_simple_extent_dims(space, shape, NULL) >= 0;
    if (space >= 0) H5Sclose(space);
    o->rows = shape[0];
    o->columns = o->dimensions == 2 ? shape[1] : 1;
    return good ? NULL : "has neither one nor two dimensions";
}

/* All of its bytes are in the file: nothing that is not there is asked for. */
static const char *wrong_extent(hdf5_object *o, const char *path) {
    struct stat s;
    hsize_t size = H5Tget_size(o->type), elements, bytes;
    if (stat(path, &s) != 0) return "is in a file that is gone";
    if (__builtin_mul_overflow(o->rows, o->columns, &elements) ||
        __builtin_mul_overflow(elements, size, &bytes) || bytes > (hsize_t)s.st_size)
        return "is larger than the file";
    o->offset = bytes > 0 ? H5Dget_offset(o->id) : HADDR_UNDEF;
    if (bytes > 0 && H5Dget_storage_size(o->id) < bytes) return "has no bytes in the file";
    if (o->offset != HADDR_UNDEF &&
        (o->offset > (haddr_t)s.st_size || (haddr_t)s.st_size - o->offset < bytes))
        return "reaches beyond the end of the file";
    return NULL;
}

void hdf5_object_close(hdf5_object *o) {
    if (o->type > 0) H5Tclose(o->type);
    if (o->id > 0) H5Dclose(o->id);
    *o = (hdf5_object){0};
}

/* From what costs nothing to what needs the size. */
status hdf5_object_open(hdf5_object *o, hid_t file, const char *path, const char *name) {
    hdf5_object x = {.offset = HADDR_UNDEF};
    status st = hdf5_links_check(file, path, name);
    if (st != STATUS_OK) return st;
    x.id = H5Dopen2(file, name, H5P_DEFAULT);
    x.type = x.id >= 0 ? H5Dget_type(x.id) : H5I_INVALID_HID;
    const char *wrong = x.type < 0 ? "is no array, or cannot be read" : wrong_type(x.type);
    if (!wrong) wrong = wrong_storage(x.id);
    if (!wrong) wrong = wrong_shape(&x);
    if (!wrong) wrong = wrong_extent(&x, path);
    if (!wrong)
        *o = x;
    else
        hdf5_object_close(&x);
    return wrong ? hdf5_refuse(path, name, wrong) : STATUS_OK;
}
