/* One checkpoint of any stage as a safetensors file of the folder (io/weights/checkpoint_folder.h):
 * format version, stage, settings hash and step in its metadata, a checksum a tensor. Not
 * collective: rank 0 writes, reads and shares. */
#ifndef AUXSEG_IO_WEIGHTS_CHECKPOINT_FILE_H
#define AUXSEG_IO_WEIGHTS_CHECKPOINT_FILE_H

#include "io/weights/safetensors.h"

typedef struct checkpoint_file {
    const char *stage;
    uint64_t settings; /* hash of what the stage depends on: another one is not continued */
    int64_t step;
    const tensor_info *tensor; /* [tensors], borrowed */
    int tensors;
    const char *key, *value;     /* one more pair of metadata, or NULL */
    const char *const *metadata; /* [2 * pairs]: more of them */
    int pairs;
} checkpoint_file;

/* Writes folder/STAGE-STEP.safetensors, then removes those of these settings but for the one before
 * it. */
status checkpoint_file_save(const char *folder, const checkpoint_file *f);

/* Removes a stage's files of these settings, damaged ones, and what a kill has left half-written.
 */
void checkpoint_file_clear(const char *folder, const char *stage, uint64_t settings);

/* Takes the state out of a whole file of the stage and the settings that were asked for; NULL, or
 * the reason that it does not fit, for a message. */
typedef const char *checkpoint_take(void *context, const safetensors *f, int64_t step);
/* The newest one that is whole and fits; *found false if there is none. What is damaged, of other
 * settings or does not fit is named in a warning. */
status checkpoint_file_load(const char *folder, const char *stage, uint64_t settings,
    checkpoint_take *take, void *context, bool *found);

/* A one-dimensional tensor. */
tensor_info checkpoint_file_flat(const char *name, const char *type, const void *data, size_t n);
/* Whether the tensor is there with this type and shape; *out is it. */
bool checkpoint_file_tensor(const safetensors *f, const tensor_info *want, tensor_info *out);

#endif
