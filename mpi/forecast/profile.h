/* What one rank's computing takes, as `auxseg forecast` has measured it on one machine: a text file
 * of lines "name value", and one line "ready OFFSET COUNT SECONDS ONCE" for each parameter.
 * Not collective. */
#ifndef AUXSEG_MPI_FORECAST_PROFILE_H
#define AUXSEG_MPI_FORECAST_PROFILE_H

#include "src/base/status.h"

#include <stddef.h>
#include <stdint.h>

/* A parameter's gradient is complete: its place among all, and when, since the backward pass
 * began. */
typedef struct profile_ready {
    size_t offset, count;
    double seconds, once;
} profile_ready;

/* Seconds are those of `images` images on one thread, where nothing else is said; `once`: the part
 * of them that a step takes whatever its images are. All but these, flags and input are above 0. */
typedef struct profile {
    double images;
    double forward, loss, backward, optimizer; /* of a training step */
    double forward_once, backward_once;
    /* Of an image, as each stage decodes it; 0: no data set was measured. */
    double extract_decode, pretrain_decode, finetune_decode;
    double pretrain_view, finetune_view; /* of a view */
    double norms;                        /* channels of all norms */
    double add;                          /* an element of exact_sum_add */
    double extract;                      /* an image */
    double assign, update; /* a row of an iteration of k-means; all centroids, made of sums */
    double move, hash;     /* of all: sums to rows and rows to centroids; their hash */
    double d, k;           /* elements of a row; clusters */
    double depth, crop, stride, bf16; /* of the network: for who gives the file again */
    double frozen;                    /* 1: its norms are */
    double loss_bf16;                 /* 1: the loss multiplies, and sends, bf16 */
    double pool_pair;                 /* of the loss: a pair of rows, */
    double pool_row, pool_pack;       /* a row's sorting, by one thread; its packing */
    double declared;                  /* parameters, as the writer has counted them */
    profile_ready *ready;             /* [parameters], in the order of time */
    int parameters;
} profile;

/* Owned by the caller. STATUS_DATA, with a message. */
status profile_read(profile *out, const char *path);
void profile_destroy(profile *p);

#endif
