/* One file against the checksums that it carries, and against what the record of its run says. The
 * readers of each kind name what is damaged; here only stands which reader that is, and which
 * values no network may hold. */
#include "src/app/tools/verify_file.h"

#include "io/dataset/dataset.h"
#include "io/files/metrics.h"
#include "io/hdf5/features.h"
#include "io/hdf5/labels.h"
#include "io/weights/cluster_checkpoint.h"
#include "io/weights/tensor_fault.h"
#include "io/weights/tensor_file.h"
#include "src/app/stage/file_kind.h"
#include "src/app/stage/output.h"
#include "src/app/stage/recorded_rows.h"
#include "src/base/log.h"
#include "src/base/plain.h"

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
static status verify_own(const char *path, file_kind kind, const run_record *r, bool *checked) {
    status st;
    *checked = true;
    switch (kind) {
    case KIND_DATASET:
        return dataset_verify(path);
    case KIND_LABELS:
        return labels_verify(path);
    case KIND_FEATURES:
        return features_verify(path);
    case KIND_WEIGHTS:
        return verify_weights(path, checked);
    case KIND_RECORD:
        return run_record_verify(path);
    case KIND_METRICS:
        st = metrics_verify(path, checked);
        return st == STATUS_OK ? recorded_rows_check(path, r, log_error) : st;
    default:
        *checked = false;
        return STATUS_OK;
    }
}

/* What these two names stand for is known, whatever a damaged beginning looks like. */
static file_kind kind_by_name(const char *path, file_kind kind) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    if (strcmp(name, "run.json") == 0) return KIND_RECORD;
    return strcmp(name, "metrics.csv") == 0 ? KIND_METRICS : kind;
}

/* A file that is damaged is not compared with the record, too: one message is enough. */
status verify_file(const char *path, const run_record *r) {
    file_kind kind;
    bool checked, recorded = output_known(r, path);
    status st = file_kind_of(path, &kind);
    if (st == STATUS_OK) st = verify_own(path, kind_by_name(path, kind), r, &checked);
    if (st == STATUS_OK && recorded) st = output_same(r, path);
    if (st == STATUS_OK)
        plain_print("%s: %s\n", path,
            recorded  ? "whole, and as run.json has it"
            : checked ? "whole"
                      : "carries no checksums, nothing to compare");
    return st;
}
