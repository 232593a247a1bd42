/* A stage that is done is skipped, and the next one reads its file: a file that a full disk, a copy
 * that was interrupted or a careless hand has cut off, or another one under its name, must then not
 * be trusted because run.json says so. Weights, labels and tables are compared as a whole with the
 * hash that was taken when they were written. The two files that may be of any size are opened as
 * the next stage opens them, which compares their tables; to read all of them at each start, as
 * `verify` does, would take long. */
#include "src/app/stage/output.h"

#include "io/dataset/dataset.h"
#include "io/files/file.h"
#include "io/hdf5/features.h"
#include "io/hdf5/labels.h"
#include "io/weights/safetensors.h"
#include "src/app/stage/file_kind.h"
#include "src/base/log.h"
#include "src/base/text.h"

#include <string.h>

static status another(const char *path) {
    log_error("%s: not what run.json has recorded", path);
    return STATUS_OUTPUT;
}

/* A file of another run that was copied here is whole, and not what this run has made. */
static status expected(const char *path, uint64_t found, uint64_t hash) {
    return found == hash ? STATUS_OK : another(path);
}

static status dataset_whole(const char *path, uint64_t hash) {
    dataset *d = NULL;
    status st = dataset_open(NULL, path, &d);
    if (st == STATUS_OK) st = expected(path, dataset_hash(d), hash);
    dataset_close(d);
    return st;
}

static status labels_whole(const char *path, uint64_t hash) {
    labels *l = NULL;
    status st = labels_open(NULL, path, &l);
    if (st == STATUS_OK) st = expected(path, labels_hash(l), hash);
    labels_close(l);
    return st;
}

/* Only what this program wrote is the result of a stage: safetensors. */
static status weights_whole(const char *path) {
    safetensors *f = NULL;
    status st = safetensors_read_header(&f, path);
    if (st == STATUS_OK) st = safetensors_verify_header(f);
    safetensors_close(f);
    return st;
}

static status features_whole(const char *path, uint64_t hash) {
    features_info about;
    status st = features_about(path, &about);
    return st == STATUS_OK ? expected(path, about.key, hash) : st;
}

/* Of a file that run.json has no hash of: by what it carries itself. */
static status output_whole(const char *path, uint64_t hash) {
    file_kind kind;
    if (!text_ends_with(path, ".h5") && !text_ends_with(path, ".safetensors")) return STATUS_OK;
    status st = file_kind_of(path, &kind);
    if (st != STATUS_OK) return st;
    if (kind == KIND_DATASET) return dataset_whole(path, hash);
    if (kind == KIND_LABELS) return labels_whole(path, hash);
    if (kind == KIND_FEATURES) return features_whole(path, hash);
    if (kind == KIND_WEIGHTS && text_ends_with(path, ".safetensors")) return weights_whole(path);
    return another(path);
}

/* What is not as it was written. Without memory, or where the system does not give the file,
 * nothing is known of it: to make it anew would replace what may be whole. */
static status told(const char *path, status st) {
    if (st == STATUS_OK || st == STATUS_FAILED) return st;
    return file_unreadable(path) ? STATUS_FAILED : STATUS_OUTPUT;
}

static const char *name_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool output_by_hash(const char *path) {
    const char *name = name_of(path);
    return strncmp(name, "dataset", 7) != 0 && strncmp(name, "features", 8) != 0;
}

status output_record(run_record *r, const char *path) {
    uint64_t hash;
    if (!r || !output_by_hash(path)) return STATUS_OK;
    status st = file_hash(path, &hash);
    return st == STATUS_OK ? run_record_set_file(r, name_of(path), hash) : st;
}

/* The entry of the stage whose output this is. */
static bool find_maker(const run_record *r, const char *name, stage_record *out) {
    for (int i = 0; run_record_stage(r, i, out, NULL); i++)
        if (out->output && strcmp(out->output, name) == 0) return true;
    return false;
}

bool output_known(const run_record *r, const char *path) {
    stage_record maker;
    uint64_t hash;
    return run_record_get_file(r, name_of(path), &hash) || find_maker(r, name_of(path), &maker);
}

status output_same(const run_record *r, const char *path) {
    uint64_t want, have;
    stage_record maker;
    if (run_record_get_file(r, name_of(path), &want)) {
        status st = file_hash(path, &have);
        if (st == STATUS_DATA && file_is_regular(path)) return STATUS_FAILED; /* not read */
        return told(path, st == STATUS_OK ? expected(path, have, want) : st);
    }
    if (!find_maker(r, name_of(path), &maker)) return STATUS_OK;
    return told(path, output_whole(path, maker.output_hash));
}

status output_find(const run_record *r, const char *path, bool *found) {
    *found = false;
    if (!file_exists(path)) return STATUS_OK;
    status st = output_same(r, path);
    *found = st == STATUS_OK;
    return st == STATUS_OUTPUT ? STATUS_OK : st;
}

status output_left(const run_record *r, const char *folder, const char *stage) {
    char path[FILE_PATH];
    stage_record found;
    for (int i = 0; run_record_stage(r, i, &found, NULL); i++)
        if (strcmp(found.name, stage) == 0 && found.output) {
            status st = file_path(path, folder, found.output);
            return st == STATUS_OK ? output_same(r, path) : STATUS_OUTPUT;
        }
    return STATUS_OK;
}

const char *output_maker(const run_record *r, const char *name) {
    stage_record found;
    return find_maker(r, name, &found) ? found.name : NULL;
}

/* Not the stage's own name: figures of the weights that it writes stand under that. */
void output_looks_group(const char *stage, char group[OUTPUT_GROUP]) {
    snprintf(group, OUTPUT_GROUP, "validation-%s", stage);
}
