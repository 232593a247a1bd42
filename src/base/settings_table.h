/* The one table of settings: what there is, its defaults and bounds. For settings*.c, and for
 * what is made of the table: manual pages, completion. */
#ifndef AUXSEG_BASE_SETTINGS_TABLE_H
#define AUXSEG_BASE_SETTINGS_TABLE_H

#include "src/base/settings.h"

typedef enum setting_kind {
    SETTING_FLAG,    /* bool */
    SETTING_INTEGER, /* int */
    SETTING_LONG,    /* int64_t */
    SETTING_REAL,    /* double */
    SETTING_WORDS,   /* settings_text */
    SETTING_CHOICE,  /* an enum of settings_choices.h, or dtype */
} setting_kind;

typedef struct setting {
    const char *group, *key;
    size_t offset; /* in struct settings */
    setting_kind kind;
    double number, min, max;  /* default and range of numbers; default of a flag, a choice */
    const char *text;         /* default of texts */
    const char *const *words; /* of a choice, by member; NULL-ended */
    const char *unit;         /* of numbers: "steps"; NULL: none */
    const char *help;         /* full sentences */
    bool aside;               /* cannot change a result: no part of settings_hash */
    bool later; /* came when there were runs already: no part of it while it is at its default,
                   which is what those runs did, and may therefore not change */
} setting;

/* In the order of the struct, group by group; NULL past the end. */
const setting *setting_at(int index);
/* By "group.key", of which `length` letters count; NULL: there is none. */
const setting *setting_find(const char *name, size_t length);
/* What a group is for. */
const char *setting_group_help(const char *group);

/* Where the value is in *s. */
void *setting_value(const setting *e, settings *s);
/* The value as text [size], texts without quotes; returns its length without a limit. */
int setting_print(const setting *e, const settings *s, char *text, size_t size);
bool setting_is_default(const setting *e, const settings *s);
/* What a value may be, text [size]: "Integer, 1 to 100 steps", "\"a\" | \"b\""; "" for any text. */
void setting_range(const setting *e, char *text, size_t size);

#endif
