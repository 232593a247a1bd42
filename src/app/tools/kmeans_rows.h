/* Rows of a matrix as the clustering knows them: for the command `kmeans`. */
#ifndef AUXSEG_APP_TOOLS_KMEANS_ROWS_H
#define AUXSEG_APP_TOOLS_KMEANS_ROWS_H

#include "io/files/matrix.h"
#include "mpi/comm.h"
#include "src/label/features.h"

typedef struct kmeans_rows {
    matrix_info m;
    features x;    /* this rank's rows, placed; owned */
    uint64_t hash; /* of all rows; the same for any number of ranks */
} kmeans_rows;

/* How rows are taken. */
typedef struct kmeans_rows_options {
    bool map, cosine; /* left in the file; brought to length 1 */
    int threads;
} kmeans_rows_options;

/* What the file holds; whether it can be taken so, and is the same on all ranks. Collective. */
status kmeans_rows_look(const comm *c, const char *path, bool map, matrix_info *m);
/* This rank's block of the file's rows; m: what kmeans_rows_look told. Elements that are not finite
 * name their row: STATUS_NONFINITE. Collective. *out is to be destroyed where this returns
 * STATUS_OK. */
status kmeans_rows_take(const comm *c, const char *path, const matrix_info *m,
    const kmeans_rows_options *o, kmeans_rows *out);
void kmeans_rows_destroy(kmeans_rows *r);
/* *out [k, D]: the file's first rows, the same on every rank; owned by the caller. Collective. */
status kmeans_rows_first(const comm *c, const char *path, const kmeans_rows *r, int k, float **out);

#endif
