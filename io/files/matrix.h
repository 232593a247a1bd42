/* Matrices of rows for the command `kmeans`, as the programs for nearest neighbours keep them. Not
 * collective: any rank may read rows of its own.
 *
 *   .npy            numpy's: [rows, D], C order, float32, float16, uint8 or int8
 *   .fvecs, .bvecs  each row: int32 D, then D float32 or uint8 (corpus-texmex.irisa.fr)
 *   .fbin, .u8bin, .i8bin
 *                   uint32 rows, uint32 D, then all rows (big-ann-benchmarks.com)
 *
 * All little-endian. float16 and bytes become float32 exactly. The ending says which it is;
 * STATUS_DATA, with a message that names the file, where the file is not what the ending says. */
#ifndef AUXSEG_IO_FILES_MATRIX_H
#define AUXSEG_IO_FILES_MATRIX_H

#include "src/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum matrix_element { MATRIX_F32, MATRIX_F16, MATRIX_U8, MATRIX_I8 } matrix_element;

typedef struct matrix_info {
    int64_t rows, d;
    matrix_element element;
    uint64_t begin;  /* of the first row's elements in the file */
    uint64_t stride; /* bytes from a row's elements to the next row's */
    bool counted;    /* an int32 before each row says D once more */
} matrix_info;

/* What the file holds, held against its size; rows and D are at least 1. */
status matrix_about(const char *path, matrix_info *out);
/* A hash of the file's size and of a few thousand bytes from all over it: quick, to find out
 * whether two nodes have the same file under one name. */
status matrix_glance(const char *path, uint64_t *hash);
/* "float32" | "float16" | "uint8" | "int8". */
const char *matrix_element_name(matrix_element e);
/* to [rows, D]: rows first .. first + rows - 1 of the file. */
status matrix_read(const char *path, const matrix_info *m, int64_t first, int64_t rows, float *to);
/* Whether the file's rows are such as memory has them: float32, one after the other, from a
 * multiple of 4 bytes on. */
bool matrix_plain(const matrix_info *m);
/* The same rows, mapped read-only: of a plain file. *mapping [*bytes] is the caller's
 * (mapped_destroy), *to lies in it. Who cuts the file short afterwards ends the process, which
 * names the file. */
status matrix_map(const char *path, const matrix_info *m, int64_t first, int64_t rows,
    void **mapping, size_t *bytes, float **to);

#endif
