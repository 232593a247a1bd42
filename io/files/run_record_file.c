/* run.json as a file. Its first member is a checksum of the whole text, in which its own digits
 * count as zeros: a digit that somebody has changed is found, as is a file that was cut off. A
 * record is the memory of hours of work. So it is set aside for one reason alone, that its text is
 * not what was written; a disk that cannot be read today, or a lack of memory, says nothing about
 * the text, and the file stays. Records of versions that had no checksum begin with their format:
 * they are believed as they are. Whoever edits one by hand and means it takes the checksum's line
 * out. */
#include "io/files/machine.h"
#include "io/files/run_record_json.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECKSUM "checksum"
/* What a text with a checksum begins with, as json_text writes it. */
static const char first[] = "{\n  \"" CHECKSUM "\": \"";
static const char zeros[] = "0000000000000000";
enum { DIGITS = sizeof zeros - 1, LIMIT = 1 << 26 };

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
    {"inputs", JSON_OBJECT, JSON_STRING, true},
    {"starts", JSON_ARRAY, JSON_OBJECT, true},
    {"stages", JSON_OBJECT, JSON_OBJECT, false},
    {"results", JSON_OBJECT, JSON_OBJECT, false},
    {"hashes", JSON_OBJECT, JSON_STRING, false},
    {"files", JSON_OBJECT, JSON_STRING, true},
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

static bool has_sections(const json_t *root) {
    bool ok = true;
    for (int i = 0; i < SECTIONS; i++) {
        json_t *section = json_object_get(root, sections[i].name);
        ok = ok && (is_section(section, sections[i].type, sections[i].member) ||
                       (sections[i].later && !section));
    }
    return ok;
}

/* Of the whole text with its own digits as zeros, which stand at a fixed place. */
static uint64_t sum_of(const char *text, size_t bytes) {
    size_t at = sizeof first - 1;
    uint64_t h = hash_bytes(text, at);
    h = hash_append(h, zeros, DIGITS);
    return hash_append(h, text + at + DIGITS, bytes - at - DIGITS);
}

/* Whether the text carries a checksum where the program writes it. */
static bool is_checked(const char *text, size_t bytes) {
    size_t at = sizeof first - 1;
    return bytes > at + DIGITS && memcmp(text, first, at) == 0;
}

static bool sum_agrees(const char *text, size_t bytes) {
    char digits[DIGITS + 1];
    hash_text(sum_of(text, bytes), digits);
    return memcmp(digits, text + sizeof first - 1, DIGITS) == 0;
}

/* STATUS_DATA: the text is not one that was written here. What has no checksum begins with its
 * format, as earlier versions wrote it: any other beginning is a damaged one. */
static status parse(const char *path, const char *text, size_t bytes, json_t **root) {
    const char *key = "";
    bool checked = is_checked(text, bytes);
    if (checked && !sum_agrees(text, bytes)) {
        log_error("%s: its checksum differs: it was changed or cut off since it was written", path);
        return STATUS_DATA;
    }
    status st = json_file_parse(path, text, bytes, root);
    if (st != STATUS_OK) return st;
    json_member(*root, 0, &key);
    json_int_t format = json_integer_value(json_object_get(*root, "format"));
    if (format > FORMAT) {
        log_error("%s: format %lld is of a later version of this program", path, (long long)format);
        st = STATUS_OUTPUT;
    } else if (format != FORMAT || !has_sections(*root) || (!checked && strcmp(key, "format"))) {
        log_error("%s: no record of a run", path);
        st = STATUS_DATA;
    }
    if (st != STATUS_OK) {
        json_decref(*root);
        *root = NULL;
    }
    return st;
}

/* STATUS_OUTPUT where the file cannot be read at all, whatever its text is; STATUS_FAILED without
 * memory for it. */
static status read_record(const char *path, json_t **root) {
    void *text;
    size_t bytes;
    status st = file_read(path, LIMIT, &text, &bytes);
    if (st != STATUS_OK) return st == STATUS_FAILED ? st : STATUS_OUTPUT;
    st = parse(path, text, bytes, root);
    memory_free(text);
    return st;
}

status run_record_verify(const char *path) {
    json_t *root;
    status st = read_record(path, &root);
    if (st == STATUS_OK) json_decref(root);
    return st == STATUS_DATA ? STATUS_OUTPUT : st;
}

/* That it cannot be seen is another matter. */
static bool is_absent(const char *path) {
    return access(path, F_OK) != 0 && errno == ENOENT;
}

/* NULL if there is no record to continue; a text that is none is kept for a person to look at. */
static status load(const char *path, json_t **root) {
    char aside[FILE_PATH + 16];
    *root = NULL;
    if (is_absent(path)) return STATUS_OK;
    status st = read_record(path, root);
    if (st != STATUS_DATA) return st;
    *root = NULL;
    snprintf(aside, sizeof aside, "%s.damaged", path);
    if (rename(path, aside) != 0) {
        log_error("%s: cannot be renamed to %s: %s", path, aside, strerror(errno));
        return STATUS_OUTPUT;
    }
    log_warn("%s: kept as %s; every stage counts as not done", path, aside);
    return STATUS_OK;
}

/* A record of root, which it owns from then on, also after a failure; NULL: an empty one. What is
 * missing of the sections is made at once: nothing else has to ask whether it is there. The
 * checksum is the file's, not the record's. */
static status make(run_record **out, const char *path, json_t *root) {
    run_record *r = memory_alloc(1, sizeof *r, "record of the run");
    if (!root) root = json_object();
    if (!r || !make_sections(root)) {
        json_decref(root);
        memory_free(r);
        return STATUS_FAILED;
    }
    snprintf(r->path, sizeof r->path, "%s", path);
    r->root = root;
    json_object_del(root, CHECKSUM);
    *out = r;
    return STATUS_OK;
}

status run_record_open(run_record **out, const char *path) {
    json_t *root = NULL;
    status st = load(path, &root);
    return st == STATUS_OK ? make(out, path, root) : st;
}

status run_record_look(run_record **out, const char *path) {
    json_t *root = NULL;
    *out = NULL;
    if (is_absent(path)) return STATUS_OK;
    status st = read_record(path, &root);
    if (st != STATUS_OK) return st == STATUS_FAILED ? st : STATUS_OUTPUT;
    return make(out, path, root);
}

void run_record_close(run_record *r) {
    if (!r) return;
    json_decref(r->root);
    memory_free(r);
}

/* The record with zeros for its checksum, which comes first; owned by the caller (free). */
static char *json_text(const run_record *r) {
    json_t *all = json_object();
    bool ok = json_object_set_new(all, CHECKSUM, json_string(zeros)) == 0 &&
              json_object_update(all, r->root) == 0;
    /* 17 digits give every double back. */
    char *text = ok ? json_dumps(all, JSON_INDENT(2) | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(all);
    return text;
}

/* A record is small; to write it as a whole is what makes it atomic. A line ends with a newline,
 * which takes the place of the text's zero byte. */
status run_record_save(const run_record *r) {
    if (!r) return STATUS_OK;
    char *text = json_text(r), digits[DIGITS + 1];
    if (!text) {
        log_error("%s: cannot be written as JSON", r->path);
        return STATUS_FAILED;
    }
    size_t bytes = strlen(text) + 1;
    text[bytes - 1] = '\n';
    hash_text(sum_of(text, bytes), digits);
    memcpy(text + sizeof first - 1, digits, DIGITS);
    status st = file_write(r->path, text, bytes);
    free(text);
    return st;
}
