/* JSON as the program keeps it. Numbers of 64 bits stand as hexadecimal text, since most readers
 * hold numbers as doubles; what is not finite stands as null, since JSON has no other word for it.
 * Both ways are one function here, so that no caller can forget. */
#include "io/files/json_file.h"

#include "src/base/hash.h"
#include "src/base/log.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Every file here is an object at its top: who gets one need not ask again. */
status json_file_parse(const char *path, const char *text, size_t bytes, json_t **out) {
    /* Twice the same key means that somebody edited the file by hand, and which one counts would be
     * chance. */
    json_error_t error;
    json_t *root = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &error);
    if (root && json_is_object(root)) {
        *out = root;
        return STATUS_OK;
    }
    /* Nothing is wrong with a text that there is no memory for; Jansson has no word then, or that
     * one. */
    bool memory =
        !root && (error.text[0] == '\0' || json_error_code(&error) == json_error_out_of_memory);
    if (root)
        log_error("%s: not a JSON object", path);
    else if (memory)
        log_error("%s: out of memory", path);
    else
        log_error("%s: JSON, line %d, column %d: %s", path, error.line, error.column, error.text);
    json_decref(root);
    return memory ? STATUS_FAILED : STATUS_DATA;
}

/* Jansson keeps the order in which members came, and offers an iterator alone. Sections are short:
 * to walk them from the beginning for each index costs nothing. */
json_t *json_member(const json_t *object, int index, const char **key) {
    void *at = json_object_iter((json_t *)(uintptr_t)object);
    for (int i = 0; at && i < index; i++)
        at = json_object_iter_next((json_t *)(uintptr_t)object, at);
    if (!at) return NULL;
    *key = json_object_iter_key(at);
    return json_object_iter_value(at);
}

json_t *json_hash(uint64_t hash) {
    char text[17];
    hash_text(hash, text);
    return json_string(text);
}

/* Just what json_hash writes: a record that was edited by hand is found out here. */
bool json_hash_value(const json_t *text, uint64_t *hash) {
    const char *s = json_string_value(text);
    if (!s || strlen(s) != 16 || strspn(s, "0123456789abcdef") != 16) return false;
    *hash = strtoull(s, NULL, 16);
    return true;
}

/* null for what was not measured, too: an absent key would shift columns in tables made of it. */
json_t *json_number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

double json_number_or_nan(const json_t *value) {
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}
