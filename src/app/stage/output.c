/* A stage that is done is skipped, and the next one reads its file: a file that a full disk, a copy
 * that was interrupted or a careless hand has cut off must then not be trusted because run.json
 * says so. Files are opened as the next stage opens them, which compares their tables or headers;
 * to read all of them, as `verify` does, would take long at each start. */
#include "src/app/stage/output.h"

#include "io/dataset/dataset.h"
#include "io/hdf5/labels.h"
#include "io/weights/safetensors.h"
#include "src/app/stage/file_kind.h"
#include "src/base/log.h"
#include "src/base/text.h"

#include <string.h>

/* A file of another run that was copied here is whole, and not what this run has made. */
static bool expected(const char *path, uint64_t found, uint64_t hash) {
    if (found == hash) return true;
    log_error("%s: not what run.json has recorded", path);
    return false;
}

static bool dataset_whole(const char *path, uint64_t hash) {
    dataset *d = NULL;
    if (dataset_open(NULL, path, &d) != STATUS_OK) return false;
    bool same = expected(path, dataset_hash(d), hash);
    dataset_close(d);
    return same;
}

static bool labels_whole(const char *path, uint64_t hash) {
    labels *l = NULL;
    if (labels_open(NULL, path, &l) != STATUS_OK) return false;
    bool same = expected(path, labels_hash(l), hash);
    labels_close(l);
    return same;
}

/* Only what this program wrote is the result of a stage: safetensors. */
static bool weights_whole(const char *path) {
    safetensors *f = NULL;
    status st = safetensors_read_header(&f, path);
    if (st == STATUS_OK) st = safetensors_verify_header(f);
    safetensors_close(f);
    return st == STATUS_OK;
}

/* The names of results are the stages' own: tables of text need no look, they are read by people.
 */
bool output_whole(const char *path, uint64_t hash) {
    file_kind kind;
    if (!text_ends_with(path, ".h5") && !text_ends_with(path, ".safetensors")) return true;
    if (file_kind_of(path, &kind) != STATUS_OK) return false;
    if (kind == KIND_DATASET) return dataset_whole(path, hash);
    if (kind == KIND_LABELS) return labels_whole(path, hash);
    return kind != KIND_WEIGHTS || weights_whole(path);
}
