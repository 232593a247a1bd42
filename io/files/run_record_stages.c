/* The stages of a run in its record: what each was made of (the key by which `run` knows that
 * nothing is to be done), what it wrote, where it ran, and what it took. An entry is replaced as a
 * whole, so that its figures are always those of one and the same start. */
#include "io/files/run_record_json.h"

#include <stdio.h>
#include <string.h>

/* Whether the stage's file is there; output is below the record's folder, wherever that has been
 * moved to since. */
static bool output_exists(const run_record *r, const char *output) {
    char path[FILE_PATH];
    const char *slash = strrchr(r->path, '/');
    int folder = slash ? (int)(slash - r->path) + 1 : 0;
    int n = snprintf(path, sizeof path, "%.*s%s", folder, r->path, output);
    return n >= 0 && n < (int)sizeof path && file_exists(path);
}

/* A key alone would do if nobody ever touched a run's folder. */
bool run_record_stage_done(
    const run_record *r, const char *stage, uint64_t key, uint64_t *output_hash) {
    const json_t *entry = json_object_get(run_record_section(r, "stages"), stage);
    uint64_t recorded, hash = 0;
    if (!json_hash_value(json_object_get(entry, "key"), &recorded) || recorded != key) return false;
    /* A stage whose file was removed is to be done again, whatever the record says. */
    const char *output = json_string_value(json_object_get(entry, "output"));
    if (output && !output_exists(r, output)) return false;
    if (output && !json_hash_value(json_object_get(entry, "output_hash"), &hash)) return false;
    if (output_hash) *output_hash = hash;
    return true;
}

/* A phase that no rank has spent time in is left out. */
static json_t *phases_json(const phases *p) {
    json_t *all = json_object();
    for (int i = 0; i < PHASE_COUNT; i++) {
        const phase_spread *s = &p->phase[i];
        if (s->max <= 0) continue;
        json_t *one = json_object();
        json_object_set_new(one, "min", json_number(s->min));
        json_object_set_new(one, "mean", json_number(s->mean));
        json_object_set_new(one, "max", json_number(s->max));
        json_object_set_new(one, "slowest", json_integer(s->slowest));
        json_object_set_new(all, phase_name((phase)i), one);
    }
    return all;
}

/* What decides whether the stage is done comes first in the file. */
static status put_result(json_t *entry, const stage_record *stage) {
    status st = run_record_put(entry, "key", json_hash(stage->key));
    if (st == STATUS_OK) st = run_record_put_text(entry, "output", stage->output);
    if (st == STATUS_OK) st = run_record_put(entry, "output_hash", json_hash(stage->output_hash));
    if (st == STATUS_OK) st = run_record_put_text(entry, "within", stage->within);
    if (st == STATUS_OK) st = run_record_put_place(entry, &stage->place);
    return st;
}

/* Time is taken here, so that no caller can record a stage before it is done. */
static status put_figures(json_t *entry, const stage_record *stage) {
    char finished[RUN_RECORD_TIME];
    run_record_time(finished);
    status st = run_record_put_text(entry, "started", stage->started);
    if (st == STATUS_OK) st = run_record_put_text(entry, "finished", finished);
    if (st == STATUS_OK) st = run_record_put(entry, "seconds", json_number(stage->seconds));
    if (st == STATUS_OK && stage->phases)
        st = run_record_put(entry, "phases", phases_json(stage->phases));
    if (st == STATUS_OK) st = run_record_put(entry, "peak_memory", json_number(stage->peak_memory));
    if (st == STATUS_OK) st = run_record_put(entry, "peak_rank", json_integer(stage->peak_rank));
    if (st == STATUS_OK) st = run_record_put(entry, "bytes_sent", json_number(stage->bytes_sent));
    if (st == STATUS_OK && stage->rows > 0)
        st = run_record_put(entry, "rows", json_integer(stage->rows));
    if (st == STATUS_OK) st = run_record_put(entry, "fom", json_number(stage->fom));
    if (st == STATUS_OK) st = run_record_put_text(entry, "fom_unit", stage->fom_unit);
    return st;
}

/* Built aside and put in as a whole: on any failure the old entry stands. The entry is this
 * function's until the end, whichever way it went: hence the second reference for the record. */
status run_record_set_stage(run_record *r, const stage_record *stage) {
    if (!r) return STATUS_OK;
    json_t *entry = json_object();
    status st = put_result(entry, stage);
    if (st == STATUS_OK) st = put_figures(entry, stage);
    if (st == STATUS_OK)
        st = run_record_put(run_record_section(r, "stages"), stage->name, json_incref(entry));
    json_decref(entry);
    return st;
}

void run_record_forget_stage(run_record *r, const char *stage) {
    json_object_del(run_record_section(r, "stages"), stage);
}

/* The record's own settings are those of the last start: a stage that was done before it may have
 * been made with others. Only those in its key: others say nothing about it. */
status run_record_set_stage_settings(
    run_record *r, const char *stage, const settings *s, const char *groups) {
    char key[128], text[SETTINGS_TEXT];
    json_t *entry = json_object_get(run_record_section(r, "stages"), stage);
    if (!entry) return STATUS_OK;
    json_t *to = json_object();
    status st = run_record_put(entry, "settings", to);
    for (int i = 0; st == STATUS_OK && settings_item(s, i, key, sizeof key, text, sizeof text); i++)
        if (settings_counts(i, groups)) st = run_record_put(to, key, json_string(text));
    return st;
}

bool run_record_stage_setting(
    const run_record *r, const char *stage, int index, const char **key, const char **text) {
    const json_t *entry = json_object_get(run_record_section(r, "stages"), stage);
    *text = json_string_value(json_member(json_object_get(entry, "settings"), index, key));
    return *text != NULL;
}

/* A phase of a name that this version does not know is passed over. */
static void read_phases(const json_t *all, phases *out) {
    *out = (phases){0};
    for (int i = 0; i < PHASE_COUNT; i++) {
        const json_t *one = json_object_get(all, phase_name((phase)i));
        if (!one) continue;
        out->phase[i] = (phase_spread){json_number_or_nan(json_object_get(one, "min")),
            json_number_or_nan(json_object_get(one, "mean")),
            json_number_or_nan(json_object_get(one, "max")),
            (int)json_integer_value(json_object_get(one, "slowest"))};
    }
}

/* Texts stay the record's: copies would need an owner for each. What an older version has not
 * recorded is NULL, 0 or NAN, which the getters of JSON give for a missing member without being
 * asked. *spread is the caller's memory for phases, which out->phases then points to. */
bool run_record_stage(const run_record *r, int index, stage_record *out, phases *spread) {
    stage_record s = {0};
    const json_t *entry = json_member(run_record_section(r, "stages"), index, &s.name);
    if (!entry) return false;
    json_hash_value(json_object_get(entry, "key"), &s.key);
    json_hash_value(json_object_get(entry, "output_hash"), &s.output_hash);
    s.output = json_string_value(json_object_get(entry, "output"));
    s.within = json_string_value(json_object_get(entry, "within"));
    s.started = json_string_value(json_object_get(entry, "started"));
    s.finished = json_string_value(json_object_get(entry, "finished"));
    s.seconds = json_number_or_nan(json_object_get(entry, "seconds"));
    s.place = run_record_get_place(entry);
    s.peak_memory = json_number_or_nan(json_object_get(entry, "peak_memory"));
    s.peak_rank = (int)json_integer_value(json_object_get(entry, "peak_rank"));
    s.bytes_sent = json_number_or_nan(json_object_get(entry, "bytes_sent"));
    s.rows = json_integer_value(json_object_get(entry, "rows"));
    s.fom = json_number_or_nan(json_object_get(entry, "fom"));
    s.fom_unit = json_string_value(json_object_get(entry, "fom_unit"));
    const json_t *recorded = json_object_get(entry, "phases");
    if (recorded && spread) {
        read_phases(recorded, spread);
        s.phases = spread;
    }
    *out = s;
    return true;
}
