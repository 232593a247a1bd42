/* A stage that another run has done for the same inputs and settings, taken over into this run's
 * record: entries are copied as they are, members that this version does not know included, so that
 * the stage has the figures of the start that did it. Files are the caller's. */
#include "io/files/run_record_json.h"

#include <string.h>

static status copy_member(
    run_record *r, const run_record *from, const char *section, const char *name) {
    json_t *value = json_object_get(run_record_section(from, section), name);
    return value ? run_record_put(run_record_section(r, section), name, json_deep_copy(value))
                 : STATUS_OK;
}

/* The entry of a stage and what stands beside it under the stage's name. */
static status copy_stage(run_record *r, const run_record *from, const char *stage) {
    static const char *const section[] = {"stages", "inputs", "results", "hashes"};
    status st = STATUS_OK;
    for (size_t i = 0; i < sizeof section / sizeof *section && st == STATUS_OK; i++)
        st = copy_member(r, from, section[i], stage);
    return st;
}

status run_record_import_stage(run_record *r, const run_record *from, const char *stage) {
    const char *name, *output;
    const json_t *entry;
    status st = copy_stage(r, from, stage);
    for (int i = 0; st == STATUS_OK; i++) {
        entry = json_member(run_record_section(from, "stages"), i, &name);
        if (!entry) break;
        const char *within = json_string_value(json_object_get(entry, "within"));
        if (within && strcmp(within, stage) == 0) st = copy_stage(r, from, name);
    }
    entry = json_object_get(run_record_section(from, "stages"), stage);
    output = json_string_value(json_object_get(entry, "output"));
    return st == STATUS_OK && output ? copy_member(r, from, "files", output) : st;
}

status run_record_import_member(
    run_record *r, const run_record *from, const char *section, const char *name) {
    return copy_member(r, from, section, name);
}
