/* From text to settings: a libconfig file and words of --set, checked against the table. Reading
 * goes on after a mistake: whoever waits for a job to start wants to know all of them at once. A
 * value that is wrong leaves the default in its place, so that what follows can still be checked.
 *
 * Values pass through `given`, what the writer wrote, to `assign`, which holds it against the row
 * of the table; a file and --set differ only in how they come to a `given`. Defaults come first,
 * then the file, then each --set in turn: the later one counts. */
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/nearest.h"
#include "src/base/settings_check.h"
#include "src/base/settings_file.h"
#include "src/base/settings_table.h"

#include <errno.h>
#include <libconfig.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Unknown keys that are named: a file of something else has thousands, and nothing is learnt from
 * the nearest known key of each. */
enum { PLACE = 1200, NAMED = 20 };

/* A value as it was given, before the table says what it should be. */
typedef enum given_kind {
    GIVEN_FLAG,
    GIVEN_INTEGER,
    GIVEN_REAL,
    GIVEN_TEXT,
    GIVEN_OTHER
} given_kind;

typedef struct given {
    given_kind kind;
    int64_t integer; /* flags, too */
    double real;
    const char *text;
} given;

/* What is being read, and how many mistakes there were so far. */
typedef struct reader {
    settings *s; /* borrowed */
    const char *file;
    char place[PLACE];     /* "run.cfg:12: " or "--set ...: ": how a message begins */
    int mistakes, unknown; /* unknown: groups and keys, which are mistakes, too */
} reader;

static const char *const expected_kind[] = {
    [SETTING_FLAG] = "true or false",
    [SETTING_INTEGER] = "an integer",
    [SETTING_LONG] = "an integer",
    [SETTING_REAL] = "a number",
    [SETTING_WORDS] = "a string in quotes",
    [SETTING_CHOICE] = "a string in quotes",
};

/* Some hundred and fifty settings: a search from the beginning is quick enough. */
static const setting *find_setting(const char *group, const char *key) {
    const setting *e;
    for (int i = 0; (e = setting_at(i)); i++)
        if (strcmp(e->group, group) == 0 && strcmp(e->key, key) == 0) return e;
    return NULL;
}

static bool known_group(const char *group) {
    return setting_group_help(group)[0] != '\0';
}

/* A wrong letter of the key weighs more than the wrong group: dataset.crop means another group's
 * crop. */
static void unknown_key(reader *r, const char *group, const char *key) {
    const setting *e, *best = setting_at(0);
    int distance = INT_MAX;
    r->mistakes++;
    if (r->unknown++ >= NAMED) return;
    for (int i = 0; (e = setting_at(i)); i++) {
        int other = nearest_distance(group, e->group);
        int d = 2 * nearest_distance(key, e->key) + (other < 3 ? other : 3);
        if (d >= distance) continue;
        best = e;
        distance = d;
    }
    if (nearest_likely(key, best->key))
        log_error("%sunknown key %s.%s: did you mean %s.%s?", r->place, group, key, best->group,
            best->key);
    else
        log_error("%sunknown key %s.%s (all keys: auxseg check --defaults)", r->place, group, key);
}

/* "17" in quotes is no 17: what a value is, its writer says, and the table checks. */
static void wrong_type(reader *r, const setting *e, const given *v) {
    static const char *const found[] = {"true or false", "an integer",
        "a number with a fraction or exponent", "a string", "a list or group"};
    log_error("%s%s.%s: %s is expected, not %s", r->place, e->group, e->key, expected_kind[e->kind],
        found[v->kind]);
    r->mistakes++;
}

/* NaN is in no range, as it compares as false; a number beyond a double's range has become an
 * infinity, and is in none either. Integers are compared as doubles, which are exact up to the
 * largest bound of the table. */
static bool in_range(reader *r, const setting *e, double x) {
    if (x >= e->min && x <= e->max) return true;
    log_error("%s%s.%s = %.16g is out of range: %.16g to %.16g%s%s", r->place, e->group, e->key, x,
        e->min, e->max, e->unit ? " " : "", e->unit ? e->unit : "");
    r->mistakes++;
    return false;
}

/* Not a choice: the ones that there are, and the likeliest. The empty word, which means that none
 * was chosen, is no proposal. */
static void nearest_choice(reader *r, const setting *e, const char *text) {
    char all[SETTINGS_TEXT], hint[NEAREST_HINT + 8] = "";
    const char *const *known = e->words + (e->words[0][0] == '\0'); /* without the empty one */
    int count = 0;
    while (known[count]) count++;
    choice_list(known, all, sizeof all);
    const char *word = count > 0 ? known[nearest_word(text, known, count)] : "";
    if (nearest_likely(text, word)) snprintf(hint, sizeof hint, ": did you mean \"%.100s\"?", word);
    log_error("%s%s.%s = \"%.100s\" is none of %s%s", r->place, e->group, e->key, text, all, hint);
    r->mistakes++;
}

/* A text, or the member of an enum that it is the word of. A text that is too long is refused, not
 * cut: half a path is another path. */
static void assign_text(reader *r, const setting *e, const given *v) {
    int member = e->words && v->kind == GIVEN_TEXT ? choice_find(e->words, v->text) : 0;
    if (v->kind != GIVEN_TEXT) {
        wrong_type(r, e, v);
    } else if (member < 0) {
        nearest_choice(r, e, v->text);
    } else if (e->kind == SETTING_CHOICE) {
        *(unsigned *)setting_value(e, r->s) = (unsigned)member;
    } else if (strlen(v->text) >= SETTINGS_TEXT) {
        log_error("%s%s.%s: longer than %d bytes", r->place, e->group, e->key, SETTINGS_TEXT - 1);
        r->mistakes++;
    } else {
        strcpy(setting_value(e, r->s), v->text);
    }
}

/* An integer is a real, too; a real is never cut to an integer. An integer of the table has bounds
 * within an int: the last cast cuts nothing, after the range was checked. */
static void assign_number(reader *r, const setting *e, const given *v) {
    bool real = e->kind == SETTING_REAL;
    double x = v->kind == GIVEN_REAL ? v->real : (double)v->integer;
    if (v->kind != GIVEN_INTEGER && !(real && v->kind == GIVEN_REAL)) {
        wrong_type(r, e, v);
        return;
    }
    if (!in_range(r, e, x)) return;
    void *value = setting_value(e, r->s);
    if (real)
        *(double *)value = x;
    else if (e->kind == SETTING_LONG)
        *(int64_t *)value = v->integer;
    else
        *(int *)value = (int)v->integer;
}

/* By the kind that the table asks for, not by the one that was given. */
static void assign(reader *r, const setting *e, const given *v) {
    if (e->kind == SETTING_WORDS || e->kind == SETTING_CHOICE)
        assign_text(r, e, v);
    else if (e->kind != SETTING_FLAG)
        assign_number(r, e, v);
    else if (v->kind != GIVEN_FLAG)
        wrong_type(r, e, v);
    else
        *(bool *)setting_value(e, r->s) = v->integer != 0;
}

/* libconfig's value, whatever its kind. */
static given file_value(const config_setting_t *c) {
    switch (config_setting_type(c)) {
    case CONFIG_TYPE_BOOL:
        return (given){.kind = GIVEN_FLAG, .integer = config_setting_get_bool(c)};
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        return (given){.kind = GIVEN_INTEGER, .integer = config_setting_get_int64(c)};
    case CONFIG_TYPE_FLOAT:
        return (given){.kind = GIVEN_REAL, .real = config_setting_get_float(c)};
    case CONFIG_TYPE_STRING:
        return (given){.kind = GIVEN_TEXT, .text = config_setting_get_string(c)};
    default:
        return (given){.kind = GIVEN_OTHER};
    }
}

static void at_line(reader *r, const config_setting_t *c) {
    snprintf(r->place, sizeof r->place, "%s:%u: ", r->file, config_setting_source_line(c));
}

/* A group's keys, in the file's order. One that stands twice libconfig has refused. */
static void read_group(reader *r, const config_setting_t *group) {
    const char *name = config_setting_name(group);
    for (int i = 0; i < config_setting_length(group); i++) {
        const config_setting_t *c = config_setting_get_elem(group, (unsigned)i);
        const char *key = config_setting_name(c);
        const setting *e = find_setting(name, key);
        given v = file_value(c);
        at_line(r, c);
        if (e)
            assign(r, e, &v);
        else
            unknown_key(r, name, key);
    }
}

/* The nearest group's name; its keys are not looked at. */
static void unknown_group(reader *r, const char *name) {
    const setting *e, *best = setting_at(0);
    r->mistakes++;
    if (r->unknown++ >= NAMED) return;
    for (int i = 0; (e = setting_at(i)); i++)
        if (nearest_distance(name, e->group) < nearest_distance(name, best->group)) best = e;
    log_error("%sunknown group %s%s%s%s", r->place, name,
        nearest_likely(name, best->group) ? ": did you mean " : "",
        nearest_likely(name, best->group) ? best->group : "",
        nearest_likely(name, best->group) ? "?" : "");
}

/* Groups of settings, nothing else. An unknown group is one mistake, whatever it holds: its keys
 * would each be unknown again. */
static void read_root(reader *r, const config_setting_t *root) {
    for (int i = 0; i < config_setting_length(root); i++) {
        const config_setting_t *c = config_setting_get_elem(root, (unsigned)i);
        at_line(r, c);
        if (!known_group(config_setting_name(c))) {
            unknown_group(r, config_setting_name(c));
        } else if (!config_setting_is_group(c)) {
            log_error("%s%s: a group { ... } is expected", r->place, config_setting_name(c));
            r->mistakes++;
        } else {
            read_group(r, c);
        }
    }
}

/* STATUS_USAGE if the file could not be understood at all. libconfig gets a text, not the file: it
 * would follow @include, and cut integers (settings_file.c). */
static status read_file(reader *r) {
    config_t config;
    char *text;
    status st = settings_file_load(r->file, &text);
    if (st != STATUS_OK) {
        r->mistakes++;
        return st;
    }
    config_init(&config);
    bool readable = config_read_string(&config, text);
    if (readable) {
        read_root(r, config_root_setting(&config));
    } else {
        log_error("%s:%d: %s", r->file, config_error_line(&config), config_error_text(&config));
        r->mistakes++;
    }
    config_destroy(&config);
    memory_free(text);
    return readable ? STATUS_OK : STATUS_USAGE;
}

/* What --set says, as the table wants it; anything else stays a text. A text that is not wholly a
 * number stays a text, which `assign` refuses with the type that it wanted; "1e3" is no integer
 * here either, as in a file. An integer beyond 64 bits is such a text. */
static given argument_value(const setting *e, const char *text) {
    char *end = NULL;
    given v = {.kind = GIVEN_TEXT, .text = text};
    errno = 0;
    if (e->kind == SETTING_FLAG && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)) {
        v = (given){.kind = GIVEN_FLAG, .integer = text[0] == 't'};
    } else if (e->kind == SETTING_INTEGER || e->kind == SETTING_LONG) {
        long long x = strtoll(text, &end, 10);
        if (end != text && !*end && errno == 0) v = (given){.kind = GIVEN_INTEGER, .integer = x};
    } else if (e->kind == SETTING_REAL) {
        double x = strtod(text, &end);
        if (end != text && !*end) v = (given){.kind = GIVEN_REAL, .real = x};
    }
    return v;
}

/* "group.key=value", as it comes from a shell: the value's kind is not written down, the table says
 * how to read it. Quotes around a text are allowed, as in a file. The first = ends the key, and the
 * first point before it the group: values may have both. */
static void read_argument(reader *r, const char *argument) {
    char copy[2 * SETTINGS_TEXT];
    snprintf(r->place, sizeof r->place, "--set %.200s: ", argument);
    char *equals = NULL, *dot = NULL;
    if (strlen(argument) < sizeof copy) {
        strcpy(copy, argument);
        equals = strchr(copy, '=');
        if (equals) *equals = '\0';
        dot = equals ? strchr(copy, '.') : NULL;
    }
    if (!dot) {
        log_error("%sgroup.key=value is expected", r->place);
        r->mistakes++;
        return;
    }
    *dot = '\0';
    char *value = equals + 1;
    size_t length = strlen(value);
    const setting *e = find_setting(copy, dot + 1);
    /* As it would stand in a file. */
    if (length >= 2 && value[0] == '"' && value[length - 1] == '"') {
        value[length - 1] = '\0';
        value++;
    }
    if (!e) {
        unknown_key(r, copy, dot + 1);
        return;
    }
    given v = argument_value(e, value);
    assign(r, e, &v);
}

/* In place, value by value: what follows a mistake is read into the same struct. */
int settings_read_valid(
    settings *out, const char *file, const char *const *set, int sets, status *understood) {
    reader r = {.file = file};
    settings_set_defaults(out);
    r.s = out;
    *understood = file ? read_file(&r) : STATUS_OK;
    for (int i = 0; i < sets; i++) read_argument(&r, set[i]);
    if (r.unknown > NAMED) log_error("... and %d more unknown groups or keys", r.unknown - NAMED);
    /* Of a file that could not be parsed only defaults are left, about which nothing is worth
     * saying. */
    if (*understood == STATUS_OK) r.mistakes += settings_check(out);
    return r.mistakes;
}

/* Into a struct of its own, copied when all is right: the caller's never holds half of a file. */
status settings_read(settings *out, const char *file, const char *const *set, int sets) {
    settings *s = memory_alloc(1, sizeof *s, "settings");
    if (!s) return STATUS_FAILED;
    status st;
    if (settings_read_valid(s, file, set, sets, &st) > 0 && st == STATUS_OK) st = STATUS_USAGE;
    if (st == STATUS_OK) *out = *s;
    memory_free(s);
    return st;
}
