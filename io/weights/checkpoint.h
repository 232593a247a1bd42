/* Checkpoints of a training stage: parameters, optimiser, gradient scales and the number of steps
 * done, in one safetensors file with format version, settings hash and a checksum a tensor in its
 * metadata. The last two are kept; a damaged one is named and the one before it used. Independent
 * of the number of ranks. */
#ifndef AUXSEG_IO_WEIGHTS_CHECKPOINT_H
#define AUXSEG_IO_WEIGHTS_CHECKPOINT_H

#include "io/weights/checkpoint_file.h"
#include "mpi/comm.h"
#include "src/nn/graph/exact_gradient.h"
#include "src/nn/graph/optimizer.h"

/* A block of values beside weights: flat, of safetensors' type, "F32" or "I32". */
typedef struct checkpoint_extra {
    const char *name, *type;
    void *data;
    size_t n;     /* values */
    bool shared;  /* ranks have `data` in common: a checkpoint is read into rank 0's alone, and
                     whoever shares it sends it to the others */
    bool bounded; /* "I32": a file with a value below `least` or above `most` is not continued */
    int32_t least, most;
} checkpoint_extra;

typedef struct checkpoint_state {
    parameters *p;
    optimizer *optimizer;
    gradient *g;         /* its scales */
    parameters *average; /* of p over the steps; NULL: none is kept */
    uint64_t settings;   /* hash of what the stage depends on: another one is not continued */
    int64_t step;        /* steps done */
    const char *const *metadata; /* [2 * pairs], of what else the file is to say of its weights */
    int pairs;
    const checkpoint_extra *extra; /* [extras], borrowed: what else the next step depends on */
    int extras;
} checkpoint_state;

size_t checkpoint_extra_bytes(const checkpoint_extra *x);

/* Collective; rank 0 writes folder/stage-STEP.safetensors, then deletes all but the last two.
 * STATUS_NONFINITE, naming the tensor, for values that no training comes back from: nothing is
 * written or deleted. */
status checkpoint_save(
    const comm *c, const char *folder, const char *stage, const checkpoint_state *s);
/* Collective: the newest whole one of this stage and these settings into *s; *found false if there
 * is none. A checkpoint of other settings is left alone with a warning. */
status checkpoint_load(
    const comm *c, const char *folder, const char *stage, checkpoint_state *s, bool *found);
/* What a file of the state holds, for whoever writes it: tensor [checkpoint_tensors] and tracked
 * [CHECKPOINT_NUMBER] are written, and *out points to them and to the state. Not collective. */
enum { CHECKPOINT_NUMBER = 24 };
int checkpoint_tensors(const checkpoint_state *s);
void checkpoint_describe(const checkpoint_state *s, const char *stage, tensor_info *tensor,
    char *tracked, checkpoint_file *out);
/* Rank 0's part of checkpoint_save. Not collective. */
status checkpoint_write(const char *folder, const checkpoint_file *f);
/* Removes a stage's checkpoints of these settings, and damaged ones, once its result is written:
 * those of other settings may come back. Collective. */
void checkpoint_clear(const comm *c, const char *folder, const char *stage, uint64_t settings);

#endif
