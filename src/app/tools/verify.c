/* Files against the checksums that they carry. Whole files are read: that is what tells this
 * command from inspect. Each file is told about in one line, and a bad one does not keep the next
 * from being read. */
#include "src/app/tools/verify.h"

#include "io/dataset/dataset.h"
#include "io/hdf5/features.h"
#include "io/hdf5/labels.h"
#include "io/weights/cluster_checkpoint.h"
#include "io/weights/tensor_fault.h"
#include "io/weights/tensor_file.h"
#include "src/app/stage/file_kind.h"
#include "src/base/log.h"

#include <stdio.h>
#include <string.h>

/* A file may be whole and its weights of no use: versions that did not look have written such. The
 * objectives of a clustering may be infinite where none has been computed yet, and are no weights:
 * they are left out. */
static status verify_values(const char *path, const tensor_file *f) {
    for (int i = 0; i < tensor_file_count(f); i++) {
        tensor_info t = tensor_file_get(f, i);
        if (strcmp(t.name, CLUSTER_CHECKPOINT_OBJECTIVES) == 0) continue;
        status st = tensor_fault_check(path, &t, 1);
        if (st != STATUS_OK) return st;
    }
    return STATUS_OK;
}

/* *checked: false where the format has no checksums, or the file was written without. */
static status verify_weights(const char *path, bool *checked) {
    tensor_file *f = NULL;
    status st = tensor_file_read(&f, path);
    if (st == STATUS_OK) st = tensor_file_verify(f, checked);
    if (st == STATUS_OK) st = verify_values(path, f);
    tensor_file_close(f);
    return st;
}

/* Kinds without checksums are told apart from whole ones: silence would be taken for both. The
 * readers of each kind name what is damaged. A kind that this switch does not know carries no
 * checksums. */
static status verify(const char *path) {
    file_kind kind;
    bool checked = true;
    status st = file_kind_of(path, &kind);
    if (st != STATUS_OK) return st;
    switch (kind) {
    case KIND_DATASET:
        st = dataset_verify(path);
        break;
    case KIND_LABELS:
        st = labels_verify(path);
        break;
    case KIND_FEATURES:
        st = features_verify(path);
        break;
    case KIND_WEIGHTS:
        st = verify_weights(path, &checked);
        break;
    default:
        checked = false;
    }
    if (st == STATUS_OK)
        printf("%s: %s\n", path, checked ? "whole" : "carries no checksums, nothing to compare");
    return st;
}

/* The code is that of the last file with a mistake. */
status command_verify(int argc, char **argv) {
    status worst = STATUS_OK;
    if (argc < 1) {
        log_error("verify: which file? (auxseg verify FILE...)");
        return STATUS_USAGE;
    }
    for (int i = 0; i < argc; i++) {
        status st = verify(argv[i]);
        if (st != STATUS_OK) worst = st;
    }
    return worst;
}
