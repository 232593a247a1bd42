/* The starts of a run's commands in its record, one after another: a run that was put back into the
 * queue, or continued on other nodes, has several, and one without an end was killed. Entries are
 * only ever added, and found again by moment and command, as a number would mean another start once
 * another process has written the file. */
#include "io/files/run_record_json.h"

#include <string.h>

/* Absent keys, not empty ones, for what is not known: readers ask for a key and see. */
status run_record_add_start(run_record *r, const start_record *start) {
    if (!r) return STATUS_OK;
    json_t *entry = json_object();
    status st = run_record_put_text(entry, "started", start->started);
    if (st == STATUS_OK) st = run_record_put_text(entry, "command", start->command);
    if (st == STATUS_OK) st = run_record_put_text(entry, "version", start->version);
    if (st == STATUS_OK) st = run_record_put_text(entry, "commit", start->commit);
    if (st == STATUS_OK) st = run_record_put_text(entry, "job", start->job);
    if (st == STATUS_OK) st = run_record_put_place(entry, &start->place);
    if (st == STATUS_OK && json_array_append(run_record_section(r, "starts"), entry) != 0)
        st = STATUS_FAILED;
    json_decref(entry);
    /* The run as a whole began with the first. */
    if (st == STATUS_OK && !run_record_text(r, "started"))
        st = run_record_put_text(r->root, "started", start->started);
    return st;
}

static bool same_text(const json_t *entry, const char *key, const char *text) {
    const char *have = json_string_value(json_object_get(entry, key));
    return have && strcmp(have, text) == 0;
}

/* The latest of those that have not ended: two equal commands may begin in one second. */
static json_t *find_start(const run_record *r, const start_record *start) {
    const json_t *all = run_record_section(r, "starts");
    for (size_t i = json_array_size(all); i-- > 0;) {
        json_t *entry = json_array_get(all, i);
        if (same_text(entry, "started", start->started) &&
            same_text(entry, "command", start->command) && !json_object_get(entry, "ended"))
            return entry;
    }
    return NULL;
}

/* The start may be gone: another process may have written the record without it. That is a loss of
 * one line, no reason to fail a run at its end. */
status run_record_end_start(run_record *r, const start_record *start) {
    json_t *entry = find_start(r, start);
    if (!entry) return STATUS_OK;
    char ended[RUN_RECORD_TIME];
    run_record_time(ended);
    status st = run_record_put_text(entry, "ended", ended);
    if (st == STATUS_OK) st = run_record_put(entry, "seconds", json_number(start->seconds));
    if (st == STATUS_OK) st = run_record_put(entry, "peak_memory", json_number(start->peak_memory));
    if (st == STATUS_OK) st = run_record_put(entry, "exit_code", json_integer(start->exit_code));
    return st;
}

bool run_record_start(const run_record *r, int index, start_record *out) {
    const json_t *all = run_record_section(r, "starts");
    const json_t *entry = index >= 0 ? json_array_get(all, (size_t)index) : NULL;
    if (!entry) return false;
    *out = (start_record){.started = json_string_value(json_object_get(entry, "started")),
        .command = json_string_value(json_object_get(entry, "command")),
        .version = json_string_value(json_object_get(entry, "version")),
        .commit = json_string_value(json_object_get(entry, "commit")),
        .job = json_string_value(json_object_get(entry, "job")),
        .place = run_record_get_place(entry),
        .ended = json_string_value(json_object_get(entry, "ended")),
        .seconds = json_number_or_nan(json_object_get(entry, "seconds")),
        .peak_memory = json_number_or_nan(json_object_get(entry, "peak_memory")),
        .exit_code = (int)json_integer_value(json_object_get(entry, "exit_code"))};
    return true;
}
