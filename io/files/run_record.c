/* What a record says of the run as a whole: the machine and the settings that it was made with,
 * results, hashes and files by name. The file, stages and starts have files of their own. The JSON
 * tree is the record: what this version does not know stays in it and is written again, so that an
 * older program does not destroy what a newer one has written. Everything here relies on the
 * sections being there and of the right type, which opening has seen to. Texts that are given out
 * belong to the tree, and are good until it changes. */
#include "io/files/run_record.h"

#include "io/files/machine.h"
#include "io/files/run_record_json.h"

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

status run_record_set_input(run_record *r, const char *stage, const char *text) {
    if (!r) return STATUS_OK;
    return run_record_put(run_record_section(r, "inputs"), stage, json_string(text));
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

/* By the name in the run's folder, wherever that has been moved to. */
status run_record_set_file(run_record *r, const char *name, uint64_t hash) {
    return r ? run_record_put(run_record_section(r, "files"), name, json_hash(hash)) : STATUS_OK;
}

bool run_record_get_file(const run_record *r, const char *name, uint64_t *hash) {
    return json_hash_value(json_object_get(run_record_section(r, "files"), name), hash);
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
