/* A square matrix of counts with a name a row and a column, as CSV (RFC 4180): the first line has
 * `corner` and the names of the columns, each further line the name of a row and its counts. Names
 * with commas, quotes or line ends are quoted. Not collective. */
#ifndef AUXSEG_IO_FILES_MATRIX_CSV_H
#define AUXSEG_IO_FILES_MATRIX_CSV_H

#include "src/base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Writes path atomically. name [n], matrix [n, n] (row, column), borrowed. STATUS_OUTPUT with a
 * message. */
status matrix_csv_write(
    const char *path, const char *corner, const char *const *name, int n, const int64_t *matrix);
/* Reads what matrix_csv_write has written. *same: whether the file has exactly these names in this
 * order; otherwise matrix [n, n] is untouched. STATUS_OUTPUT, with a message, for a file that is
 * none of these. */
status matrix_csv_read(
    const char *path, const char *const *name, int n, int64_t *matrix, bool *same);

#endif
