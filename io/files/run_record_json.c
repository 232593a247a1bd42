/* The few things that every part of a run's record needs of JSON: a member with one message for
 * whatever keeps it from being set, and the place where something ran, which stages and starts both
 * hold. A text that is NULL is left out, a number that is not is null in the file: readers can tell
 * what was not known from what was nothing. */
#include "io/files/run_record_json.h"

#include "src/base/log.h"

#include <time.h>

/* UTC and sortable as text; a reader in another time zone, or after a change to summer time, sees
 * the same. */
void run_record_time(char *text) {
    time_t now = time(NULL);
    struct tm utc;
    strftime(text, RUN_RECORD_TIME, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
}

json_t *run_record_section(const run_record *r, const char *name) {
    return r ? json_object_get(r->root, name) : NULL;
}

/* Jansson takes the value even when it fails: nothing is lost whichever way it goes. */
status run_record_put(json_t *object, const char *key, json_t *value) {
    if (json_object_set_new(object, key, value) == 0) return STATUS_OK;
    log_error("run.json: \"%s\": out of memory, or text that is not UTF-8", key);
    return STATUS_FAILED;
}

status run_record_put_text(json_t *object, const char *key, const char *text) {
    return text ? run_record_put(object, key, json_string(text)) : STATUS_OK;
}

status run_record_put_place(json_t *object, const run_place *place) {
    status st = run_record_put(object, "nodes", json_integer(place->nodes));
    if (st == STATUS_OK) st = run_record_put(object, "ranks", json_integer(place->ranks));
    if (st == STATUS_OK) st = run_record_put(object, "threads", json_integer(place->threads));
    if (st == STATUS_OK) st = run_record_put_text(object, "hosts", place->hosts);
    return st;
}

run_place run_record_get_place(const json_t *object) {
    return (run_place){.nodes = (int)json_integer_value(json_object_get(object, "nodes")),
        .ranks = (int)json_integer_value(json_object_get(object, "ranks")),
        .threads = (int)json_integer_value(json_object_get(object, "threads")),
        .hosts = json_string_value(json_object_get(object, "hosts"))};
}
