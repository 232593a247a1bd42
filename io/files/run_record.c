#include "io/files/run_record.h"

#include "io/files/file.h"
#include "io/files/json_file.h"
#include "io/files/machine.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { FORMAT = 1 };

struct run_record {
    char path[FILE_PATH];
    json_t *root; /* with its sections, each an object */
};

static const char *const sections[] = {"machine", "settings", "stages", "results", "hashes"};

static bool make_sections(json_t *root) {
    bool ok = json_object_set_new(root, "format", json_integer(FORMAT)) == 0;
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        if (!json_object_get(root, sections[i]))
            ok = json_object_set_new(root, sections[i], json_object()) == 0 && ok;
    return ok;
}

static bool is_record(const json_t *root) {
    bool ok = json_integer_value(json_object_get(root, "format")) == FORMAT;
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        const char *name;
        json_t *section = json_object_get(root, sections[i]), *value;
        ok = ok && json_is_object(section);
        bool nested = strcmp(sections[i], "stages") == 0 || strcmp(sections[i], "results") == 0;
        json_object_foreach(section, name, value) ok =
            ok && (nested ? json_is_object(value) : json_is_string(value));
    }
    return ok;
}

/* NULL if there is no record to continue; what is none is set aside. */
static status load(const char *path, json_t **root) {
    char aside[FILE_PATH + 16];
    *root = NULL;
    if (!file_exists(path)) return STATUS_OK;
    status st = json_file_read(path, root);
    if (st == STATUS_OK && is_record(*root)) return STATUS_OK;
    json_decref(*root);
    *root = NULL;
    snprintf(aside, sizeof aside, "%s.damaged", path);
    if (rename(path, aside) != 0) {
        log_error("%s: no record of a run, and it cannot be renamed", path);
        return STATUS_OUTPUT;
    }
    log_warn("%s: no record of a run: kept as %s; every stage counts as not done", path, aside);
    return STATUS_OK;
}

status run_record_open(run_record **out, const char *path) {
    run_record *r = memory_alloc(1, sizeof *r, "record of the run");
    if (!r) return STATUS_FAILED;
    snprintf(r->path, sizeof r->path, "%s", path);
    status st = load(path, &r->root);
    if (st == STATUS_OK && !r->root) r->root = json_object();
    if (st == STATUS_OK && !make_sections(r->root)) st = STATUS_FAILED;
    if (st == STATUS_OK)
        *out = r;
    else
        run_record_close(r);
    return st;
}

void run_record_close(run_record *r) {
    if (!r) return;
    json_decref(r->root);
    memory_free(r);
}

status run_record_save(const run_record *r) {
    return r ? json_file_write(r->path, r->root) : STATUS_OK;
}

/* Takes value; a text that is not UTF-8 has given NULL. */
static status put(json_t *object, const char *key, json_t *value) {
    if (json_object_set_new(object, key, value) == 0) return STATUS_OK;
    log_error("run.json: \"%s\": out of memory, or text that is not UTF-8", key);
    return STATUS_FAILED;
}

static json_t *section_of(const run_record *r, const char *name) {
    return r ? json_object_get(r->root, name) : NULL;
}

static status put_environment(run_record *r) {
    char text[MACHINE_TEXT];
    const char *key;
    json_t *machine = section_of(r, "machine");
    json_object_clear(machine);
    status st = STATUS_OK;
    for (int i = 0; st == STATUS_OK && machine_fact(i, &key, text); i++)
        st = put(machine, key, json_string(text));
    return st;
}

static status put_settings(run_record *r, const settings *s) {
    char key[128], text[SETTINGS_TEXT];
    json_t *to = section_of(r, "settings");
    json_object_clear(to);
    status st = STATUS_OK;
    for (int i = 0; st == STATUS_OK && settings_item(s, i, key, sizeof key, text, sizeof text); i++)
        st = put(to, key, json_string(text));
    return st;
}

status run_record_begin(run_record *r, const settings *s, int ranks, int threads) {
    if (!r) return STATUS_OK;
    char started[32];
    time_t now = time(NULL);
    struct tm utc;
    strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    status st = put(r->root, "program", json_string("auxseg " AUXSEG_VERSION));
    if (st == STATUS_OK) st = put(r->root, "started", json_string(started));
    if (st == STATUS_OK) st = put(r->root, "ranks", json_integer(ranks));
    if (st == STATUS_OK) st = put(r->root, "threads", json_integer(threads));
    if (st == STATUS_OK) st = put_environment(r);
    if (st == STATUS_OK) st = put_settings(r, s);
    return st;
}

/* Whether the stage's file is there; output is below the record's folder. */
static bool output_exists(const run_record *r, const char *output) {
    char path[FILE_PATH];
    const char *slash = strrchr(r->path, '/');
    int folder = slash ? (int)(slash - r->path) + 1 : 0;
    int n = snprintf(path, sizeof path, "%.*s%s", folder, r->path, output);
    return n >= 0 && n < (int)sizeof path && file_exists(path);
}

bool run_record_stage_done(
    const run_record *r, const char *stage, uint64_t key, uint64_t *output_hash) {
    const json_t *entry = json_object_get(section_of(r, "stages"), stage);
    uint64_t recorded, hash = 0;
    if (!json_hash_value(json_object_get(entry, "key"), &recorded) || recorded != key) return false;
    const char *output = json_string_value(json_object_get(entry, "output"));
    if (output && !output_exists(r, output)) return false;
    if (output && !json_hash_value(json_object_get(entry, "output_hash"), &hash)) return false;
    if (output_hash) *output_hash = hash;
    return true;
}

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

status run_record_set_stage(run_record *r, const stage_record *stage) {
    if (!r) return STATUS_OK;
    char finished[32];
    time_t now = time(NULL);
    struct tm utc;
    strftime(finished, sizeof finished, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    json_t *entry = json_object();
    status st = put(entry, "key", json_hash(stage->key));
    if (st == STATUS_OK && stage->output) st = put(entry, "output", json_string(stage->output));
    if (st == STATUS_OK) st = put(entry, "output_hash", json_hash(stage->output_hash));
    if (st == STATUS_OK) st = put(entry, "seconds", json_number(stage->seconds));
    if (st == STATUS_OK && stage->phases) st = put(entry, "phases", phases_json(stage->phases));
    if (st == STATUS_OK) st = put(entry, "fom", json_number(stage->fom));
    if (st == STATUS_OK && stage->fom_unit)
        st = put(entry, "fom_unit", json_string(stage->fom_unit));
    if (st == STATUS_OK) st = put(entry, "finished", json_string(finished));
    if (st == STATUS_OK) st = put(section_of(r, "stages"), stage->name, json_incref(entry));
    json_decref(entry);
    return st;
}

status run_record_set_result(run_record *r, const char *group, const char *name, double value) {
    if (!r) return STATUS_OK;
    json_t *results = section_of(r, "results"), *in = json_object_get(results, group);
    if (!in) {
        status st = put(results, group, json_object());
        if (st != STATUS_OK) return st;
        in = json_object_get(results, group);
    }
    return put(in, name, json_number(value));
}

double run_record_get_result(const run_record *r, const char *group, const char *name) {
    const json_t *in = json_object_get(section_of(r, "results"), group);
    return json_number_or_nan(json_object_get(in, name));
}

void run_record_clear_group(run_record *r, const char *group) {
    json_object_del(section_of(r, "results"), group);
}

status run_record_set_hash(run_record *r, const char *name, uint64_t hash) {
    return r ? put(section_of(r, "hashes"), name, json_hash(hash)) : STATUS_OK;
}

bool run_record_get_hash(const run_record *r, const char *name, uint64_t *hash) {
    return json_hash_value(json_object_get(section_of(r, "hashes"), name), hash);
}

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

/* Member number `index` of an object, in the order in which they were first set. */
static json_t *member(const json_t *object, int index, const char **key) {
    void *at = json_object_iter((json_t *)(uintptr_t)object);
    for (int i = 0; at && i < index; i++)
        at = json_object_iter_next((json_t *)(uintptr_t)object, at);
    if (!at) return NULL;
    *key = json_object_iter_key(at);
    return json_object_iter_value(at);
}

bool run_record_stage(const run_record *r, int index, stage_record *out, phases *spread) {
    stage_record s = {0};
    const json_t *entry = member(section_of(r, "stages"), index, &s.name);
    if (!entry) return false;
    json_hash_value(json_object_get(entry, "key"), &s.key);
    json_hash_value(json_object_get(entry, "output_hash"), &s.output_hash);
    s.output = json_string_value(json_object_get(entry, "output"));
    s.seconds = json_number_or_nan(json_object_get(entry, "seconds"));
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

bool run_record_result(
    const run_record *r, int index, const char **group, const char **name, double *value) {
    const json_t *results = section_of(r, "results"), *in;
    for (int g = 0; (in = member(results, g, group)); g++) {
        int n = (int)json_object_size(in);
        if (index < n) {
            *value = json_number_or_nan(member(in, index, name));
            return true;
        }
        index -= n;
    }
    return false;
}

bool run_record_fact(
    const run_record *r, const char *section, int index, const char **key, const char **text) {
    const json_t *value = member(section_of(r, section), index, key);
    if (!value) return false;
    *text = json_string_value(value);
    return *text != NULL;
}

const char *run_record_text(const run_record *r, const char *key) {
    return json_string_value(section_of(r, key));
}

double run_record_number(const run_record *r, const char *key) {
    return json_number_or_nan(section_of(r, key));
}
