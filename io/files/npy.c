/* numpy's arrays, for features and labels that come from or go to other programs. The header is the
 * text of a Python dictionary; the reader here takes the few forms that numpy writes, in any order
 * and spacing, and refuses everything else, objects that numpy would unpickle above all. The format
 * is numpy's lib/format.py: six bytes of magic, two of version, the header's length, the header,
 * the elements in C or Fortran order. A file is whole if it has exactly the bytes that its shape
 * asks for: that is all there is to check, as the format has no checksum. Elements are taken as
 * they are on a little-endian machine; the type's first letter says so ("<"), and other ones are
 * refused. */
#include "io/files/npy.h"

#include "io/files/file.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC "\x93NUMPY"
enum { MAGIC_BYTES = 6, TEXT_LIMIT = 65536, DIMENSIONS = NPY_DIMENSIONS, ALIGN = 64 };

typedef struct array {
    char type[NPY_TYPE];
    bool fortran;
    int dimensions; /* more than DIMENSIONS are counted only */
    uint64_t shape[DIMENSIONS];
    uint64_t data; /* where it begins in the file */
} array;

static status refuse(const char *path, const char *why) {
    log_error("%s: %s", path, why);
    return STATUS_DATA;
}

/* The header is a Python dictionary: a cursor over its text. */
static bool take(const char **at, char expected) {
    while (**at == ' ' || **at == '\n') (*at)++;
    if (**at != expected) return false;
    (*at)++;
    return true;
}

/* Longer strings than there is room for are read to their end and refused. */
static bool take_string(const char **at, char *text, size_t size) {
    if (!take(at, '\'') && !take(at, '"')) return false;
    char quote = (*at)[-1];
    size_t n = 0;
    for (; **at && **at != quote; (*at)++, n++)
        if (n + 1 < size) text[n] = **at;
    text[n < size ? n : size - 1] = '\0';
    return n < size && take(at, quote);
}

/* Python's True and False; what may follow is for the caller, who wants a comma or the end. */
static bool take_word(const char **at, const char *word) {
    while (**at == ' ') (*at)++;
    size_t n = strlen(word);
    if (strncmp(*at, word, n) != 0) return false;
    *at += n;
    return true;
}

/* Overflow is refused: a shape is multiplied later, and what has wrapped once cannot be told from a
 * small one. */
static bool take_number(const char **at, uint64_t *n) {
    while (**at == ' ') (*at)++;
    const char *begin = *at;
    for (*n = 0; isdigit((unsigned char)**at); (*at)++)
        if (__builtin_mul_overflow(*n, 10u, n) ||
            __builtin_add_overflow(*n, (unsigned)(**at - '0'), n))
            return false;
    return *at != begin;
}

/* "(3,)" is a shape as well as "(3, 4)"; how many dimensions are allowed is for the caller, so that
 * all are counted, but no more are stored than there is room for. */
static bool take_shape(const char **at, array *a) {
    if (!take(at, '(')) return false;
    while (!take(at, ')')) {
        uint64_t n;
        if (!take_number(at, &n)) return false;
        if (a->dimensions < DIMENSIONS) a->shape[a->dimensions] = n;
        a->dimensions++;
        if (!take(at, ',')) return take(at, ')');
    }
    return true;
}

/* {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } with the keys in any order, each once
 * and all three: a key twice would leave open which one counts. What follows the last brace is
 * padding. */
static bool take_header(const char *at, array *a) {
    enum { DESCR = 1, ORDER = 2, SHAPE = 4 };
    int seen = 0;
    if (!take(&at, '{')) return false;
    while (!take(&at, '}')) {
        char key[16];
        int bit;
        bool good = take_string(&at, key, sizeof key) && take(&at, ':');
        if (good && strcmp(key, "descr") == 0) {
            bit = DESCR;
            good = take_string(&at, a->type, sizeof a->type);
        } else if (good && strcmp(key, "fortran_order") == 0) {
            bit = ORDER;
            a->fortran = take_word(&at, "True");
            good = a->fortran || take_word(&at, "False");
        } else if (good && strcmp(key, "shape") == 0) {
            bit = SHAPE;
            good = take_shape(&at, a);
        } else {
            return false;
        }
        if (!good || (seen & bit)) return false;
        seen |= bit;
        if (!take(&at, ',')) return take(&at, '}') && seen == (DESCR | ORDER | SHAPE);
    }
    return seen == (DESCR | ORDER | SHAPE);
}

/* Magic, version, and the header's text into *a; a->data is where elements begin. `bytes`: of the
 * file, which the length that the file claims is compared with. */
static status read_text(int fd, const char *path, uint64_t bytes, array *a) {
    unsigned char head[MAGIC_BYTES + 6];
    if (bytes < sizeof head) return refuse(path, "not a .npy file: too short");
    status st = file_read_at(fd, path, 0, head, sizeof head);
    if (st != STATUS_OK) return st;
    if (memcmp(head, MAGIC, MAGIC_BYTES) != 0) return refuse(path, "not a .npy file");
    /* Version 1 has a length of two bytes, the later ones of four; 3 differs from 2 in that names
     * may be UTF-8. */
    int version = head[6];
    if (version < 1 || version > 3 || head[7] != 0)
        return refuse(path, "a version of .npy other than 1.0, 2.0 or 3.0");
    uint32_t length = (uint32_t)head[8] | (uint32_t)head[9] << 8, begin = 10;
    if (version > 1) {
        length |= (uint32_t)head[10] << 16 | (uint32_t)head[11] << 24;
        begin = 12;
    }
    /* Before memory is taken for it. */
    if (length > TEXT_LIMIT || begin + length > bytes)
        return refuse(path, "damaged: length of the header");
    char *text = memory_alloc(length + 1, 1, path);
    if (!text) return STATUS_FAILED;
    a->data = begin + length;
    st = file_read_at(fd, path, begin, text, length);
    if (st == STATUS_OK && !take_header(text, a))
        st = refuse(path, "damaged or no plain array: its header cannot be read");
    memory_free(text);
    return st;
}

/* Opens the file and reads its header; the caller closes *fd. One dimension is a matrix of one
 * column. */
static status open_array(const char *path, array *a, int *fd, uint64_t *bytes) {
    *a = (array){.shape = {0, 1}};
    status st = file_open(path, fd, bytes);
    if (st != STATUS_OK) return st;
    st = read_text(*fd, path, *bytes, a);
    if (st != STATUS_OK) close(*fd);
    return st;
}

/* The same, of what is read here: at most so many dimensions, in C order. */
static status begin(const char *path, int dimensions, array *a, int *fd, uint64_t *bytes) {
    status st = open_array(path, a, fd, bytes);
    if (st != STATUS_OK) return st;
    if (a->dimensions > dimensions) {
        log_error("%s: %d dimensions; at most %d are read", path, a->dimensions, dimensions);
        st = STATUS_DATA;
    } else if (a->dimensions == 0) {
        st = refuse(path, "a single number, not an array");
    } else if (a->fortran && a->dimensions > 1) {
        st = refuse(path, "in Fortran order: write it with numpy.ascontiguousarray");
    }
    if (st != STATUS_OK) close(*fd);
    return st;
}

/* Bytes of the elements; false where they are beyond 64 bits, or the type is none of numbers: after
 * the byte order a letter (b boolean, i and u integers, f floats, c complex), then the bytes of an
 * element. */
static bool data_bytes(const array *a, uint64_t *bytes) {
    const char *digits = a->type + strspn(a->type, "<>|=");
    *bytes = *digits ? strtoull(digits + 1, NULL, 10) : 0;
    if (!*bytes || !strchr("biufc", *digits)) return false;
    for (int i = 0; i < a->dimensions; i++)
        if (__builtin_mul_overflow(*bytes, a->shape[i], bytes)) return false;
    return true;
}

/* For people who look at a file: what is refused for reading may still be described. */
status npy_about(const char *path, npy_info *out) {
    array a;
    int fd;
    uint64_t bytes, needed;
    status st = open_array(path, &a, &fd, &bytes);
    if (st != STATUS_OK) return st;
    close(fd);
    if (a.dimensions > DIMENSIONS) return refuse(path, "more dimensions than numpy has");
    if (!data_bytes(&a, &needed)) return refuse(path, "no array of plain numbers");
    if (needed > bytes - a.data) return refuse(path, "damaged: its data end too early");
    *out = (npy_info){
        .fortran = a.fortran, .dimensions = a.dimensions, .begin = a.data, .bytes = needed};
    memcpy(out->type, a.type, sizeof out->type);
    memcpy(out->shape, a.shape, (size_t)a.dimensions * sizeof *out->shape);
    return STATUS_OK;
}

/* data, allocated: all elements of `size` bytes. The file holds exactly these. A file with more
 * behind its data was not written as one array: what else it holds cannot be told. */
static status read_elements(
    int fd, const char *path, const array *a, uint64_t bytes, size_t size, void **data) {
    uint64_t count, needed;
    if (__builtin_mul_overflow(a->shape[0], a->shape[1], &count) ||
        __builtin_mul_overflow(count, (uint64_t)size, &needed) || needed != bytes - a->data) {
        log_error("%s: damaged: an array of %llu x %llu, but %llu bytes of data", path,
            (unsigned long long)a->shape[0], (unsigned long long)a->shape[1],
            (unsigned long long)(bytes - a->data));
        return STATUS_DATA;
    }
    *data = memory_alloc((size_t)count, size, path);
    return *data ? file_read_at(fd, path, a->data, *data, (size_t)needed) : STATUS_FAILED;
}

static status wrong_type(const char *path, const char *type, const char *wanted) {
    log_error("%s: elements are \"%s\"; %s", path, type, wanted);
    return STATUS_DATA;
}

#define F4_WANTED "\"<f4\" (float32) is read: write it with X.astype(numpy.float32)"

/* float64 is not converted: twice the memory would be taken to throw half of it away, without the
 * user knowing. */
status npy_read_f32(const char *path, float **data, size_t *rows, size_t *columns) {
    array a;
    int fd;
    uint64_t bytes;
    void *all = NULL;
    status st = begin(path, 2, &a, &fd, &bytes);
    if (st != STATUS_OK) return st;
    st = strcmp(a.type, "<f4") == 0 ? read_elements(fd, path, &a, bytes, sizeof(float), &all)
                                    : wrong_type(path, a.type, F4_WANTED);
    close(fd);
    if (st != STATUS_OK) {
        memory_free(all);
        return st;
    }
    *data = all;
    *rows = (size_t)a.shape[0];
    *columns = (size_t)a.shape[1];
    return STATUS_OK;
}

/* Elements of another type as int32. */
static status narrow(const char *path, const void *from, const char *type, size_t n, int32_t *to) {
    for (size_t i = 0; i < n; i++) {
        int64_t value = type[1] == 'u'   ? ((const uint16_t *)from)[i]
                        : type[2] == '4' ? ((const int32_t *)from)[i]
                                         : ((const int64_t *)from)[i];
        if (value < INT32_MIN || value > INT32_MAX) {
            log_error("%s: element %zu is %lld", path, i, (long long)value);
            return STATUS_DATA;
        }
        to[i] = (int32_t)value;
    }
    return STATUS_OK;
}

/* Labels come as whatever integers another program had at hand; a value that does not fit is an
 * error, not another label. */
status npy_read_i32(const char *path, int32_t **data, size_t *n) {
    array a;
    int fd;
    uint64_t bytes;
    void *all = NULL;
    int32_t *out = NULL;
    status st = begin(path, 1, &a, &fd, &bytes);
    if (st != STATUS_OK) return st;
    size_t size = strcmp(a.type, "<i4") == 0   ? 4
                  : strcmp(a.type, "<i8") == 0 ? 8
                  : strcmp(a.type, "<u2") == 0 ? 2
                                               : 0;
    st = size ? read_elements(fd, path, &a, bytes, size, &all)
              : wrong_type(path, a.type, "int32, int64 and uint16 are read");
    close(fd);
    if (st == STATUS_OK) {
        out = memory_alloc((size_t)a.shape[0], sizeof *out, path);
        st = out ? narrow(path, all, a.type, (size_t)a.shape[0], out) : STATUS_FAILED;
    }
    memory_free(all);
    if (st != STATUS_OK) {
        memory_free(out);
        return st;
    }
    *data = out;
    *n = (size_t)a.shape[0];
    return STATUS_OK;
}

/* The same text that numpy writes, so that files can be compared byte by byte. Returns its bytes;
 * `columns` 0: one dimension. Version 1.0, as the text always fits 16 bits of length. */
size_t npy_header(char *header, const char *dtype, size_t rows, size_t columns) {
    enum { BEGIN = 10 };
    char shape[64];
    if (columns > 0)
        snprintf(shape, sizeof shape, "(%zu, %zu)", rows, columns);
    else
        snprintf(shape, sizeof shape, "(%zu,)", rows);
    int n = snprintf(header + BEGIN, NPY_HEADER - BEGIN,
        "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", dtype, shape);
    assert(n > 0 && n < NPY_HEADER - BEGIN);
    /* Data begin at a multiple of 64 bytes, as numpy does it, so that they can be mapped. */
    size_t bytes = (BEGIN + (size_t)n + 1 + ALIGN - 1) / ALIGN * ALIGN;
    memset(header + BEGIN + n, ' ', bytes - BEGIN - (size_t)n);
    header[bytes - 1] = '\n';
    memcpy(header, MAGIC "\x01\x00", MAGIC_BYTES + 2);
    header[8] = (char)((bytes - BEGIN) & 255);
    header[9] = (char)((bytes - BEGIN) >> 8);
    return bytes;
}

status npy_write(
    const char *path, const char *dtype, const void *data, size_t rows, size_t columns) {
    char header[NPY_HEADER];
    size_t size = (size_t)(dtype[2] - '0'), count = rows * (columns > 0 ? columns : 1);
    file_part part[] = {{header, npy_header(header, dtype, rows, columns)}, {data, count * size}};
    return file_write_parts(path, part, 2);
}
