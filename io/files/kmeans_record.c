/* The record of a clustering of a matrix, beside its labels and centroids. It is written last, so
 * that a folder that has it has all. People and scripts read it, and the same command finds by its
 * key that there is nothing left to do. */
#include "io/files/kmeans_record.h"

#include "io/files/file.h"
#include "io/files/json_file.h"
#include "io/files/machine.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <stdlib.h>
#include <string.h>

#define FORMAT "auxseg kmeans 1"

/* json_pack with "o" takes the reference, also where it fails; NULL of memory is told at the end.
 * The host and the versions of libraries stand at the top, as in run.json. */
static json_t *pack(const kmeans_record *r) {
    json_t *root = json_pack("{s:s, s:o, s:{s:s, s:s, s:I, s:I}, s:{s:i, s:s, s:s, s:i, s:i, s:i, "
                             "s:i, s:i, s:I}, s:{s:o, s:i, s:i, s:o, s:o}, s:{s:i, s:i, s:o}}",
        "format", FORMAT, "key", json_hash(r->key), "input", "file", r->input, "type", r->element,
        "rows", (json_int_t)r->rows, "dimensions", (json_int_t)r->d, "options", "k", r->k, "metric",
        r->metric, "start", r->start, "iterations", r->most_iterations, "restarts", r->restarts,
        "sample", r->sample, "sample iterations", r->sample_iterations, "branch iterations",
        r->branch_iterations, "seed", (json_int_t)r->seed, "result", "objective",
        json_number(r->objective), "iterations", r->iterations, "empty clusters", r->empty,
        "labels.npy", json_hash(r->labels), "centroids.npy", json_hash(r->centroids), "start",
        "ranks", r->ranks, "threads", r->threads, "seconds", json_number(r->seconds));
    json_t *made = root ? json_object() : NULL;
    char text[MACHINE_TEXT];
    const char *key;
    for (int i = 0; made && machine_fact(i, &key, text); i++)
        json_object_set_new(made, key, json_string(text));
    if (made) json_object_set_new(root, "made with", made);
    return root;
}

status kmeans_record_write(const char *path, const kmeans_record *r) {
    json_t *root = pack(r);
    if (!root) {
        log_error("%s: its contents are no UTF-8, or out of memory", path);
        return STATUS_FAILED;
    }
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    const file_part part[] = {{text, text ? strlen(text) : 0}, {"\n", 1}};
    status st = text ? file_write_parts(path, part, 2) : STATUS_FAILED;
    free(text);
    json_decref(root);
    return st;
}

/* A file that is damaged is as good as none: the work is done again, and it is written anew. */
bool kmeans_record_find(const char *path, uint64_t key, uint64_t *labels, uint64_t *centroids) {
    enum { LIMIT = 1 << 20 };
    json_t *root = NULL;
    void *text = NULL;
    size_t bytes;
    uint64_t found;
    if (!file_exists(path) || file_read(path, LIMIT, &text, &bytes) != STATUS_OK) return false;
    status st = json_file_parse(path, text, bytes, &root);
    memory_free(text);
    if (st != STATUS_OK) return false;
    const json_t *result = json_object_get(root, "result");
    const char *format = json_string_value(json_object_get(root, "format"));
    bool same = format && strcmp(format, FORMAT) == 0 &&
                json_hash_value(json_object_get(root, "key"), &found) && found == key &&
                json_hash_value(json_object_get(result, "labels.npy"), labels) &&
                json_hash_value(json_object_get(result, "centroids.npy"), centroids);
    json_decref(root);
    return same;
}
