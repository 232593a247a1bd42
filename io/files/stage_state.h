/* What a stage over many images has done so far when it is told to stop: one block of bytes, whose
 * layout is the stage's, kept by rank 0 for the next start. A file of another key, size or layout,
 * or a damaged one, is not used. */
#ifndef AUXSEG_IO_FILES_STAGE_STATE_H
#define AUXSEG_IO_FILES_STAGE_STATE_H

#include "mpi/comm.h"

/* block [bytes] of rank 0. key: hash of what the block depends on, its layout included. Returns
 * STATUS_STOPPED once it is written, else the reason. Collective. */
status stage_state_stop(
    const comm *c, const char *path, uint64_t key, const void *block, size_t bytes);
/* *found: whether block [bytes], on every rank, is now what such a file holds; if not it is as it
 * was. STATUS_FAILED without memory. Collective. */
status stage_state_load(
    const comm *c, const char *path, uint64_t key, void *block, size_t bytes, bool *found);
/* Removes it, if it is there. Rank 0 does. */
void stage_state_clear(const comm *c, const char *path);

#endif
