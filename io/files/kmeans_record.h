/* kmeans.json: what the command `kmeans` has made, of what, and how. Not collective. */
#ifndef AUXSEG_IO_FILES_KMEANS_RECORD_H
#define AUXSEG_IO_FILES_KMEANS_RECORD_H

#include "src/base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Texts are borrowed. */
typedef struct kmeans_record {
    uint64_t key; /* hash of the rows and of every option that can change the result */
    const char *input, *element, *metric, *start;
    int64_t rows, d, seed;
    int k, most_iterations, restarts, sample, sample_iterations, branch_iterations;
    /* The result, its files' hashes (file_hash), and clusters that no row belongs to. */
    double objective;
    int iterations, empty;
    uint64_t labels, centroids;
    /* How it was made; none of it changes a result. */
    int ranks, threads;
    double seconds; /* of the last start */
} kmeans_record;

status kmeans_record_write(const char *path, const kmeans_record *r);
/* Whether the file is there with this key; then the hashes of its two files. Says nothing. */
bool kmeans_record_find(const char *path, uint64_t key, uint64_t *labels, uint64_t *centroids);

#endif
