/* Figures of a running job for TensorBoard: `tensorboard --logdir RUN/tensorboard`. Files of events
 * as TensorFlow's summary writers make them: records with masked CRC-32C, of the protocol buffers
 * Event and Summary (tensorflow/core/util/event.proto, framework/summary.proto). Not collective:
 * rank 0. */
#ifndef AUXSEG_IO_FILES_TENSORBOARD_H
#define AUXSEG_IO_FILES_TENSORBOARD_H

#include <stddef.h>
#include <stdint.h>

typedef struct tensorboard tensorboard;

/* A figure at a step. */
typedef struct tensorboard_value {
    const char *tag; /* below 128 bytes, borrowed */
    double value;    /* written in single precision */
} tensorboard_value;

/* A new file in `folder`, which is made, as the part of a curve that begins after `steps` steps:
 * TensorBoard leaves out what earlier files have beyond them. NULL, with a warning, where it cannot
 * be written: a picture for watching is no reason to end a job. */
tensorboard *tensorboard_open(const char *folder, int64_t steps);
/* One event, which is in the file when this returns; nothing of what is NAN. The first write that
 * fails is told, and is the last. t may be NULL. */
void tensorboard_write(tensorboard *t, int64_t step, const tensorboard_value *value, size_t count);
/* NULL-safe. */
void tensorboard_close(tensorboard *t);

#endif
