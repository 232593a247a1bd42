/* Weights of a network: read from safetensors and PyTorch files with the names of many projects,
 * written as safetensors with torchvision's. */
#ifndef AUXSEG_IO_WEIGHTS_WEIGHTS_H
#define AUXSEG_IO_WEIGHTS_WEIGHTS_H

#include "io/weights/safetensors.h"
#include "mpi/comm.h"
#include "src/nn/graph/parameter.h"

typedef struct weights_match {
    int matched, missing, unexpected; /* a classifier that is left out is missing */
} weights_match;

/* Collective: rank 0 reads, everyone gets them. Names are changed by the rule that fits best
 * (weight_names.h); they match a parameter's with or without "backbone." in front. A matching name
 * with another shape is named, with both shapes, and is STATUS_DATA, but for one case:
 *   classifier: name of the network's last layer ("classifier.4"). A tensor of it that differs in
 *   the number of classes alone is left out, by name, with a warning: fine-tuning puts another head
 *   on a network. NULL: no layer may differ.
 * Counts are printed; missing parameters keep their value (those of a classifier that is left out,
 * too), unexpected tensors are left out (both named up to eight; a norm's num_batches_tracked,
 * which torchvision has and nothing here reads, counts as neither). F32, F64, F16 and BF16 become
 * fp32. Checksums, where the file has them, are compared. STATUS_DATA if nothing matches, a value
 * is not finite or a variance is below zero; no parameter is then touched. */
status weights_load(
    const comm *c, const char *path, const char *classifier, parameters *p, weights_match *match);
/* Rank 0 writes (others return its status): every parameter, and num_batches_tracked of every norm
 * (torchvision's strict loading needs it). names: "backbone." kept. STATUS_NONFINITE, naming the
 * tensor, for values that no network may hold (io/weights/tensor_fault.h): what stood under the
 * name stays. Collective. */
status weights_save(
    const comm *c, const char *path, const parameters *p, const char *const *metadata, int pairs);
/* Hash of values and statistics: run.json's. Not collective. */
uint64_t weights_hash(const parameters *p);

/* A tensor as fp32: out [elements of t]. false: its type is none that becomes fp32. Not collective.
 */
bool weights_to_float(const tensor_info *t, float *out);
/* Where item i's elements stand. Not collective. */
float *weights_of(const parameters *p, int i);
/* Item i under its own name, borrowing from p. Not collective. */
tensor_info weights_tensor(const parameters *p, int i);
/* Whether shape and dimensions are those of item i. Not collective. */
bool weights_same_shape(const tensor_info *t, const parameter *item);

#endif
