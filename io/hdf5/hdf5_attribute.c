/* Attributes of files whose writer is not trusted. HDF5 writes as many values as the file says to
 * where one is expected, so that the number of values and their type are looked at first. Integers
 * of every width are taken, as other programs write them in their own, but only where the value
 * fits: HDF5 itself would bend it to the nearest that does. */
#include "io/hdf5/hdf5.h"
#include "io/hdf5/hdf5_object.h"
#include "src/base/log.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* One value, not of a type that is an object of the file. */
typedef struct attribute {
    hid_t id, type;
} attribute;

static void close_attribute(attribute *a) {
    if (a->type > 0) H5Tclose(a->type);
    if (a->id > 0) H5Aclose(a->id);
    *a = (attribute){0};
}

static status open_attribute(
    attribute *out, hid_t file, const char *path, const char *object, const char *name) {
    status st = hdf5_links_check(file, path, object);
    if (st != STATUS_OK) return st;
    if (H5Aexists_by_name(file, object, name, H5P_DEFAULT) <= 0)
        return hdf5_refuse(path, name, "is missing among the attributes");
    attribute a = {0};
    a.id = H5Aopen_by_name(file, object, name, H5P_DEFAULT, H5P_DEFAULT);
    a.type = a.id >= 0 ? H5Aget_type(a.id) : H5I_INVALID_HID;
    hid_t space = a.id >= 0 ? H5Aget_space(a.id) : H5I_INVALID_HID;
    const char *wrong = NULL;
    if (a.type < 0 || space < 0)
        wrong = "cannot be read";
    else if (H5Sget_simple_extent_npoints(space) != 1)
        wrong = "is not a single value";
    else if (H5Tcommitted(a.type) != 0)
        wrong = "has a type that is an object of the file";
    if (space >= 0) H5Sclose(space);
    if (!wrong)
        *out = a;
    else
        close_attribute(&a);
    return wrong ? hdf5_refuse(path, name, wrong) : STATUS_OK;
}

/* The standard integer of the same width and sign; negative: there is none. */
static hid_t standard_integer(hid_t type) {
    bool natural = H5Tget_sign(type) == H5T_SGN_NONE;
    switch (H5Tget_size(type)) {
    case 1:
        return natural ? H5T_NATIVE_UINT8 : H5T_NATIVE_INT8;
    case 2:
        return natural ? H5T_NATIVE_UINT16 : H5T_NATIVE_INT16;
    case 4:
        return natural ? H5T_NATIVE_UINT32 : H5T_NATIVE_INT32;
    case 8:
        return natural ? H5T_NATIVE_UINT64 : H5T_NATIVE_INT64;
    default:
        return H5I_INVALID_HID;
    }
}

/* What was read, 64 bits wide, to an integer of `type`, 4 or 8 bytes. False if it does not fit. */
static bool store_integer(uint64_t bits, bool negative, hid_t type, void *number) {
    bool natural = H5Tget_sign(type) == H5T_SGN_NONE;
    unsigned width = 8 * (unsigned)H5Tget_size(type);
    uint64_t largest = UINT64_MAX >> (64 - width + !natural);
    /* -largest - 1, in two's complement. */
    if (negative ? natural || bits < ~largest : bits > largest) return false;
    uint32_t low = (uint32_t)bits;
    if (width == 32)
        memcpy(number, &low, sizeof low);
    else
        memcpy(number, &bits, sizeof bits);
    return true;
}

static status read_integer(
    const attribute *a, const char *path, const char *name, hid_t type, void *number) {
    hid_t standard = standard_integer(a->type);
    uint64_t bits = 0;
    if (standard < 0 || !hdf5_type_is(a->type, standard))
        return hdf5_refuse(path, name, "is no plain integer");
    bool natural = H5Tget_sign(standard) == H5T_SGN_NONE;
    if (H5Aread(a->id, natural ? H5T_NATIVE_UINT64 : H5T_NATIVE_INT64, &bits) < 0)
        return hdf5_refuse(path, name, "cannot be read");
    if (store_integer(bits, !natural && bits > INT64_MAX, type, number)) return STATUS_OK;
    return hdf5_refuse(path, name, "is out of range");
}

static status read_real(
    const attribute *a, const char *path, const char *name, hid_t type, void *number) {
    if (!hdf5_type_is(a->type, H5T_NATIVE_FLOAT) && !hdf5_type_is(a->type, H5T_NATIVE_DOUBLE))
        return hdf5_refuse(path, name, "is no plain real number");
    return H5Aread(a->id, type, number) >= 0 ? STATUS_OK
                                             : hdf5_refuse(path, name, "cannot be read");
}

status hdf5_get_number(
    hid_t file, const char *path, const char *object, const char *name, hid_t type, void *number) {
    attribute a = {0};
    status st = open_attribute(&a, file, path, object, name);
    if (st != STATUS_OK) return st;
    if (H5Tget_class(a.type) != H5Tget_class(type))
        st = hdf5_refuse(path, name, "is not the kind of number that it should be");
    else if (H5Tget_class(type) == H5T_INTEGER)
        st = read_integer(&a, path, name, type, number);
    else
        st = read_real(&a, path, name, type, number);
    close_attribute(&a);
    return st;
}

/* Copied with a zero of our own, as texts need not end with one. */
status hdf5_get_text(hid_t file, const char *path, const char *name, char *text, size_t size) {
    attribute a = {0};
    status st = open_attribute(&a, file, path, "/", name);
    if (st != STATUS_OK) return st;
    bool fixed = H5Tget_class(a.type) == H5T_STRING && H5Tis_variable_str(a.type) == 0;
    size_t length = fixed ? H5Tget_size(a.type) : 0;
    if (!fixed)
        st = hdf5_refuse(path, name, "is no text of fixed length");
    else if (length == 0 || length >= size)
        st = hdf5_refuse(path, name, "is a text of another length than it can have");
    else if (H5Aread(a.id, a.type, text) < 0)
        st = hdf5_refuse(path, name, "cannot be read");
    else
        text[length] = 0;
    close_attribute(&a);
    return st;
}
