/* What kind of file a path is, by its first bytes and, for HDF5, by what stands in it. */
#ifndef AUXSEG_APP_STAGE_FILE_KIND_H
#define AUXSEG_APP_STAGE_FILE_KIND_H

#include "src/base/status.h"

typedef enum file_kind {
    KIND_UNKNOWN,
    KIND_IMAGE,
    KIND_DATASET,
    KIND_LABELS,
    KIND_FEATURES,
    KIND_WEIGHTS,   /* safetensors: weights and checkpoints; PyTorch's own files */
    KIND_ARRAY,     /* .npy */
    KIND_RECORD,    /* run.json */
    KIND_METRICS,   /* metrics.csv */
    KIND_CONFUSION, /* confusion-*.csv */
    KIND_SETTINGS,  /* settings.cfg, and those of configs */
    KIND_PAGE,      /* report.html */
    KIND_TEXT       /* lists, LOCK, logs */
} file_kind;

/* STATUS_DATA, with a message that says why, if the file cannot be read, is damaged at its
 * beginning or is none of these. Not collective. */
status file_kind_of(const char *path, file_kind *out);

#endif
