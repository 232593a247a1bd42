/* The checkpoints of a stage in their folder: "STAGE-STEP.safetensors". Not collective. */
#ifndef AUXSEG_IO_WEIGHTS_CHECKPOINT_FOLDER_H
#define AUXSEG_IO_WEIGHTS_CHECKPOINT_FOLDER_H

#include "src/base/status.h"

#include <stdint.h>

typedef struct checkpoint_list {
    int64_t *step; /* [count], newest first; owned */
    int count;
} checkpoint_list;

/* No folder: no checkpoints. */
status checkpoint_folder_list(const char *folder, const char *stage, checkpoint_list *out);
void checkpoint_list_destroy(checkpoint_list *list);
/* path [FILE_PATH] is written. */
status checkpoint_folder_path(char *path, const char *folder, const char *stage, int64_t step);
/* Removes what interrupted writes of this stage left. */
void checkpoint_folder_clean(const char *folder, const char *stage);

#endif
