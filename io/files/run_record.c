/* The record of a run as a whole: loaded, checked, saved; the machine and the settings that it was
 * made with; results and hashes by name. Its stages and its starts have files of their own. The
 * JSON tree is the record: what this version does not know stays in it and is written again, so
 * that an older program does not destroy what a newer one has written. What a file must have to be
 * a record is one table; everything below relies on its sections being there and of the right type.
 * Texts that are given out belong to the tree, and are good until it changes. */
#include "io/files/run_record.h"

#include "io/files/machine.h"
#include "io/files/run_record_json.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Another number where an old reader would take a new file for something else; new keys need
 * none. */
enum { FORMAT = 1 };

static const struct {
    const char *name;
    json_type type, member; /* of the section, and of each that is in it */
    bool later;             /* records of the first versions lack it */
} sections[] = {
    {"machine", JSON_OBJECT, JSON_STRING, false},
    {"settings", JSON_OBJECT, JSON_STRING, false},
    {"arithmetic", JSON_OBJECT, JSON_STRING, true},
    {"starts", JSON_ARRAY, JSON_OBJECT, true},
    {"stages", JSON_OBJECT, JSON_OBJECT, false},
    {"results", JSON_OBJECT, JSON_OBJECT, false},
    {"hashes", JSON_OBJECT, JSON_STRING, false},
};
enum { SECTIONS = sizeof sections / sizeof *sections };

/* Those that the file lacks. In this order the file is read by people: what it was made with, what
 * was done, what came out. Jansson keeps members in the order in which they were put in. */
static bool make_sections(json_t *root) {
    bool ok = json_object_set_new(root, "format", json_integer(FORMAT)) == 0;
    for (int i = 0; i < SECTIONS; i++) {
        if (json_object_get(root, sections[i].name)) continue;
        json_t *empty = sections[i].type == JSON_ARRAY ? json_array() : json_object();
        ok = json_object_set_new(root, sections[i].name, empty) == 0 && ok;
    }
    return ok;
}

/* Whether it is of that type and all that it holds is of the other. Jansson's loops pass over what
 * is not of their kind: of the two one does the work. */
static bool is_section(json_t *section, json_type type, json_type wanted) {
    const char *name;
    json_t *value;
    size_t i;
    bool ok = json_is_object(section) || json_is_array(section);
    ok = ok && json_typeof(section) == type;
    json_object_foreach(section, name, value) ok = ok && json_typeof(value) == wanted;
    json_array_foreach(section, i, value) ok = ok && json_typeof(value) == wanted;
    return ok;
}

/* A record of another format is none: it would be written over by one that does not understand
 * it. */
static bool is_record(const json_t *root) {
    bool ok = json_integer_value(json_object_get(root, "format")) == FORMAT;
    for (int i = 0; i < SECTIONS; i++) {
        json_t *section = json_object_get(root, sections[i].name);
        ok = ok && (is_section(section, sections[i].type, sections[i].member) ||
                       (sections[i].later && !section));
    }
    return ok;
}

/* NULL if there is no record to continue; what is none is set aside. */
static status load(const char *path, json_t **root) {
    /* A record is the memory of hours of work: what cannot be read is kept for a person to look
     * at. */
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

/* What is missing of the sections is made at once: nothing below has to ask whether it is there. */
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

/* A record is small; to write it as a whole is what makes it atomic. */
status run_record_save(const run_record *r) {
    return r ? json_file_write(r->path, r->root) : STATUS_OK;
}

/* Not merged with what an earlier start has found: a fact that is not there today is not so
 * today. */
static status put_environment(run_record *r) {
    char text[MACHINE_TEXT];
    const char *key;
    json_t *machine = run_record_section(r, "machine");
    json_object_clear(machine);
    status st = STATUS_OK;
    for (int i = 0; st == STATUS_OK && machine_fact(i, &key, text); i++)
        st = run_record_put(machine, key, json_string(text));
    return st;
}

/* Those of the start that finishes a stage; each stage's key says which ones it depends on. */
static status put_settings(run_record *r, const settings *s) {
    char key[128], text[SETTINGS_TEXT];
    json_t *to = run_record_section(r, "settings");
    json_object_clear(to);
    status st = STATUS_OK;
    for (int i = 0; st == STATUS_OK && settings_item(s, i, key, sizeof key, text, sizeof text); i++)
        st = run_record_put(to, key, json_string(text));
    return st;
}

/* Set in memory when a stage begins, and saved with what the stage has done: the top of the file is
 * of the start that last finished a stage. */
status run_record_begin(run_record *r, const settings *s, int ranks, int threads) {
    if (!r) return STATUS_OK;
    status st = run_record_put(r->root, "program", json_string("auxseg " AUXSEG_VERSION));
    if (st == STATUS_OK) st = run_record_put(r->root, "ranks", json_integer(ranks));
    if (st == STATUS_OK) st = run_record_put(r->root, "threads", json_integer(threads));
    if (st == STATUS_OK) st = put_environment(r);
    if (st == STATUS_OK) st = put_settings(r, s);
    return st;
}

const char *run_record_get_arithmetic(const run_record *r, const char *key) {
    return json_string_value(json_object_get(run_record_section(r, "arithmetic"), key));
}

status run_record_set_arithmetic(run_record *r, const char *key, const char *text) {
    if (!r) return STATUS_OK;
    return run_record_put(run_record_section(r, "arithmetic"), key, json_string(text));
}

/* The group is made with its first figure: an empty one would look like a stage that measured
 * nothing. */
status run_record_set_result(run_record *r, const char *group, const char *name, double value) {
    if (!r) return STATUS_OK;
    json_t *results = run_record_section(r, "results"), *in = json_object_get(results, group);
    if (!in) {
        status st = run_record_put(results, group, json_object());
        if (st != STATUS_OK) return st;
        in = json_object_get(results, group);
    }
    return run_record_put(in, name, json_number(value));
}

double run_record_get_result(const run_record *r, const char *group, const char *name) {
    const json_t *in = json_object_get(run_record_section(r, "results"), group);
    return json_number_or_nan(json_object_get(in, name));
}

/* Classes and clusters come and go with the settings: entries of others would stay for ever. */
void run_record_clear_group(run_record *r, const char *group) {
    json_object_del(run_record_section(r, "results"), group);
}

status run_record_set_hash(run_record *r, const char *name, uint64_t hash) {
    return r ? run_record_put(run_record_section(r, "hashes"), name, json_hash(hash)) : STATUS_OK;
}

bool run_record_get_hash(const run_record *r, const char *name, uint64_t *hash) {
    return json_hash_value(json_object_get(run_record_section(r, "hashes"), name), hash);
}

/* Groups are walked as if they were one list, which is what a table of all results needs. */
bool run_record_result(
    const run_record *r, int index, const char **group, const char **name, double *value) {
    const json_t *results = run_record_section(r, "results"), *in;
    for (int g = 0; (in = json_member(results, g, group)); g++) {
        int n = (int)json_object_size(in);
        if (index < n) {
            *value = json_number_or_nan(json_member(in, index, name));
            return true;
        }
        index -= n;
    }
    return false;
}

bool run_record_fact(
    const run_record *r, const char *section, int index, const char **key, const char **text) {
    const json_t *value = json_member(run_record_section(r, section), index, key);
    if (!value) return false;
    *text = json_string_value(value);
    return *text != NULL;
}

const char *run_record_text(const run_record *r, const char *key) {
    return json_string_value(run_record_section(r, key));
}

double run_record_number(const run_record *r, const char *key) {
    return json_number_or_nan(run_record_section(r, key));
}
