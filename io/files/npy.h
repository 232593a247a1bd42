/* Arrays for other programs: numpy's .npy files, versions 1 to 3, little-endian, in C order, of one
 * or two dimensions (numpy.lib.format describes the format).
 * Not collective: one rank calls.
 * Whatever else a file holds is refused: STATUS_DATA, with a message that names the file. */
#ifndef AUXSEG_IO_FILES_NPY_H
#define AUXSEG_IO_FILES_NPY_H

#include "src/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NPY_HEADER = 192, NPY_TYPE = 8, NPY_DIMENSIONS = 32 }; /* numpy has at most 32 */

typedef struct npy_info {
    char type[NPY_TYPE]; /* numpy's: "<f4" */
    bool fortran;        /* columns before rows */
    int dimensions;      /* 0: a single number */
    uint64_t shape[NPY_DIMENSIONS];
    uint64_t begin, bytes; /* of the data: where in the file, how many */
} npy_info;

/* What is in a file, of any number of dimensions and any type of numbers; also STATUS_DATA where
 * the data end too early. */
status npy_about(const char *path, npy_info *out);

/* data [rows, columns] of float32 ("<f4"), owned by the caller (memory_free); one dimension:
 * columns is 1. On failure nothing is touched. */
status npy_read_f32(const char *path, float **data, size_t *rows, size_t *columns);
/* data [n] of one dimension, stored as int32, int64 or uint16; a value that int32 cannot hold is
 * refused. Owned by the caller. On failure nothing is touched. */
status npy_read_i32(const char *path, int32_t **data, size_t *n);

/* dtype: "<f4", "<i4" or "<u2". data [rows, columns], or [rows] where columns is 0. */
status npy_write(
    const char *path, const char *dtype, const void *data, size_t rows, size_t columns);
/* The bytes before the data of such a file: header [NPY_HEADER]; returns how many, a multiple of
 * 64. */
size_t npy_header(char *header, const char *dtype, size_t rows, size_t columns);

#endif
