/* Weights of a network: safetensors files with torchvision's names. */
#ifndef AUXSEG_IO_WEIGHTS_H
#define AUXSEG_IO_WEIGHTS_H

#include "mpi/comm.h"
#include "src/nn/parameter.h"

typedef struct weights_match {
    int matched, missing, unexpected;
} weights_match;

/* Collective: rank 0 reads, everyone gets them. A file's name matches a parameter's with or without
 * "backbone." in front. A matching name with another shape is named and is STATUS_DATA; counts are
 * printed; missing parameters keep their value, unexpected tensors are left out (both named up to
 * eight). STATUS_DATA if nothing matches or a value is not finite. */
status weights_load(const comm *c, const char *path, parameters *p, weights_match *match);
/* Rank 0 writes (others return its status): every parameter, and num_batches_tracked of every norm
 * (torchvision's strict loading needs it). names: "backbone." kept. Collective. */
status weights_save(
    const comm *c, const char *path, const parameters *p, const char *const *metadata, int pairs);
/* Hash of values and statistics: run.json's. Not collective. */
uint64_t weights_hash(const parameters *p);

#endif
