/* Rows of whole images: what extraction makes, files hold and clustering labels. Not collective.
 *
 * An image is a grid of height x width pixels with one row of D elements a pixel, line by line. A
 * rank holds a run of images, ranks in order, so that the rows of all ranks one after the other are
 * those of all images in order; whatever is said of rows (labels, distances) is an array in the
 * same order. A rank may hold no image, and an image no pixel.
 *
 * `const features *` is borrowed. What makes one (features_read, extract_features, ...) gives it to
 * its caller, who ends it with features_destroy; an object that a caller fills with arrays of its
 * own is never destroyed. */
#ifndef AUXSEG_LABEL_FEATURES_H
#define AUXSEG_LABEL_FEATURES_H

#include "src/base/dtype.h"
#include "src/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FEATURES_D = 65536,  /* largest D */
    FEATURES_LARGE = 50, /* |elements| are at most 2^50: distances stay finite in float */
};

typedef struct features {
    size_t n; /* rows here */
    int d;
    dtype type;
    void *data;            /* [n, D] float or bf16; NULL: shapes alone, no rows yet */
    int64_t first, images; /* index of the first image here among all; how many are here. 0: rows
                              that are no whole images (a batch, a part of an image) */
    int *height, *width;   /* [images]; the products add up to n */
    int64_t before, total; /* rows of the ranks before this one; of all ranks (features_place) */
    bool mapped;           /* data lies in a file that is mapped read-only: features_release */
    void *mapping;         /* [mapping_bytes]: the file's part that holds data; NULL: none owned */
    size_t mapping_bytes;
} features;

/* height and width for x->images images, zeros. On failure they are NULL. */
status features_create_shapes(features *x);
/* Frees arrays, or unmaps the file. Of zeros: nothing. */
void features_destroy(features *x);

/* Rows of the i-th image here. */
static inline size_t features_image_rows(const features *x, int64_t i) {
    return (size_t)x->height[i] * (size_t)x->width[i];
}
/* Bytes of a row. */
static inline size_t features_row_bytes(const features *x) {
    return (size_t)x->d * dtype_size(x->type);
}
/* Rows first .. first + n - 1 of x, without images; borrows them. */
features features_part(const features *x, size_t first, size_t n);

/* Row i as floats: in place, or converted into scratch [D]. */
const float *features_row(const features *x, size_t i, float *scratch);
/* Row i copied to `to` [D]. */
void features_copy_row(const features *x, size_t i, float *to);

/* Largest |element|; in *bad the first row with an element that is not finite or beyond 2^50, or
 * -1. */
double features_largest(const features *x, int threads, int64_t *bad);
/* *largest: |element|; square [n], or NULL: |row|^2 of each, in float64 and one order of elements,
 * for who needs both and reads the rows once. STATUS_NONFINITE names image and pixel of the first
 * element that is not finite, or beyond 2^50. */
status features_check(const features *x, int threads, double *largest, double *square);

/* Rows first .. first + count - 1 are not needed for now: the memory that they and their close
 * neighbours take is given back, and comes again from the file when one is read. Other threads may
 * read them all the while. Nothing happens to rows that are not mapped. */
void features_release(const features *x, size_t first, size_t count);
/* The same for a loop that reads rows in order, called for each part [first, first + count) of it:
 * it works once 2 MiB are full. A loop's end releases all. */
void features_passed(const features *x, size_t first, size_t count);

#endif
