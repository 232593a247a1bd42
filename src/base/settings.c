/* What is done with all settings in turn: defaults, the file that is saved, the manual, what
 * differs, the hash. The table says what there is; nothing here names a setting.
 *
 * The order of everything is the table's. Texts of values (setting_print) serve for the file, for
 * what differs and for the hash: a change in how a number is printed changes the keys by which runs
 * know what they have done. */
#include "src/base/settings.h"

#include "src/base/hash.h"
#include "src/base/memory.h"
#include "src/base/settings_table.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE = 2 * SETTINGS_TEXT, COLUMNS = 100 };

/* Zeroed first, gaps and what is beyond the ends of texts as well: ranks get the struct as bytes
 * (mpi/settings_share.c), none of which may be undefined. */
void settings_set_defaults(settings *s) {
    const setting *e;
    memset(s, 0, sizeof *s);
    for (int i = 0; (e = setting_at(i)); i++) {
        void *value = setting_value(e, s);
        switch (e->kind) {
        case SETTING_FLAG:
            *(bool *)value = e->number != 0;
            break;
        case SETTING_INTEGER:
            *(int *)value = (int)e->number;
            break;
        case SETTING_LONG:
            *(int64_t *)value = (int64_t)e->number;
            break;
        case SETTING_REAL:
            *(double *)value = e->number;
            break;
        case SETTING_CHOICE:
            *(unsigned *)value = (unsigned)e->number;
            break;
        case SETTING_WORDS:
            snprintf(value, SETTINGS_TEXT, "%s", e->text);
            break;
        }
    }
}

/* A string as libconfig reads it. Bytes above ASCII go as they are: a path is bytes, whatever its
 * encoding. */
static void write_quoted(const char *text, FILE *to) {
    fputc('"', to);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(to, "\\%c", *c);
        else if (*c < ' ')
            fprintf(to, "\\x%02X", *c);
        else
            fputc(*c, to);
    }
    fputc('"', to);
}

/* As it stands in a file of settings. */
static void write_value(const setting *e, const settings *s, FILE *to) {
    char text[VALUE];
    setting_print(e, s, text, sizeof text);
    if (e->kind == SETTING_WORDS || e->kind == SETTING_CHOICE)
        write_quoted(text, to);
    else
        fputs(text, to);
}

/* Words of `text` as comment lines. Words are never cut, so that one that is longer than a line has
 * a line of its own. */
static void write_comment(const char *text, FILE *to) {
    static const char margin[] = "    #";
    size_t column = 0;
    for (const char *at = text; *at;) {
        size_t length = strcspn(at, " ");
        if (column == 0 || column + 1 + length > COLUMNS) {
            fprintf(to, "%s%s", column == 0 ? "" : "\n", margin);
            column = strlen(margin);
        }
        fprintf(to, " %.*s", (int)length, at);
        column += 1 + length;
        at += length + strspn(at + length, " ");
    }
    fputc('\n', to);
}

/* What stands above a key in configs/default.cfg. */
static void write_manual(const setting *e, FILE *to) {
    char range[VALUE];
    fputc('\n', to);
    write_comment(e->help, to);
    setting_range(e, range, sizeof range);
    if (range[0]) write_comment(range, to);
}

static const char preface[] =
    "# Every setting with its default, its range and its unit: the manual of auxseg's settings.\n"
    "# Written by `auxseg check --defaults`. Another file needs only what differs from it.\n"
    "# On the command line: --set group.key=value. Paths are relative to the working folder.\n\n";

/* Reads back to the same bytes: numbers have the fewest digits that do, texts are quoted. A group
 * is closed when the next one begins, since the table has groups only as names of its rows: rows of
 * one group stand together there. */
void settings_write(const settings *s, FILE *to, bool manual) {
    const char *group = "";
    const setting *e;
    if (manual) fputs(preface, to);
    for (int i = 0; (e = setting_at(i)); i++) {
        if (strcmp(group, e->group) != 0) {
            if (group[0]) fputs("};\n", to);
            if (manual) fprintf(to, "%s# %s\n", group[0] ? "\n" : "", setting_group_help(e->group));
            group = e->group;
            fprintf(to, "%s: {", group);
            if (!manual) fputc('\n', to);
        }
        if (manual) write_manual(e, to);
        fprintf(to, "    %s = ", e->key);
        write_value(e, s, to);
        fputs(";\n", to);
    }
    fputs("};\n", to);
}

/* " key = value;", on a line of its own where this one would become too long. Written into memory
 * first, as its length decides about the line. Without memory the log lacks a value, and the run
 * goes on. */
static void write_change(const setting *e, const settings *s, int *column, FILE *to) {
    enum { WIDTH = 80 };
    char *text = NULL;
    size_t length = 0;
    FILE *one = open_memstream(&text, &length);
    if (!one) return;
    fprintf(one, " %s = ", e->key);
    write_value(e, s, one);
    fputc(';', one);
    if (fclose(one) == 0) {
        if (*column + (int)length > WIDTH) {
            fputs("\n   ", to);
            *column = 3;
        }
        fputs(text, to);
        *column += (int)length;
    }
    free(text);
}

/* Values are compared as text, which has all their digits. A real that differs from the default in
 * its last bit is a change and is shown. */
status settings_write_changes(const settings *s, FILE *to) {
    const char *group = "";
    const setting *e;
    int column = 0;
    settings *defaults = memory_alloc(1, sizeof *defaults, "settings");
    if (!defaults) return STATUS_FAILED;
    settings_set_defaults(defaults);
    for (int i = 0; (e = setting_at(i)); i++) {
        char value[VALUE], usual[VALUE];
        setting_print(e, s, value, sizeof value);
        setting_print(e, defaults, usual, sizeof usual);
        if (strcmp(value, usual) == 0) continue;
        if (strcmp(group, e->group) != 0) {
            if (group[0]) fputs(" };\n", to);
            group = e->group;
            column = fprintf(to, "%s: {", group);
        }
        write_change(e, s, &column, to);
    }
    if (group[0]) fputs(" };\n", to);
    memory_free(defaults);
    return STATUS_OK;
}

/* In a form that needs no knowledge of kinds: run.json and the report show settings that they do
 * not know. */
bool settings_item(
    const settings *s, int index, char *key, size_t key_size, char *text, size_t text_size) {
    const setting *e = setting_at(index);
    if (!e) return false;
    snprintf(key, key_size, "%s.%s", e->group, e->key);
    setting_print(e, s, text, text_size);
    return true;
}

/* Whether a list "dataset,model" has the group: whole names only. */
static bool names_group(const char *groups, const char *group) {
    size_t length = strlen(group);
    for (const char *at = groups; at;) {
        if (strncmp(at, group, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
        at = strchr(at, ',');
        if (at) at++;
    }
    return false;
}

bool settings_counts(int index, const char *groups) {
    const setting *e = setting_at(index);
    return e && !e->aside && names_group(groups, e->group);
}

/* What would be a part of hashes in other settings, but changes nothing in these: looks at images
 * during a fine-tuning, where neither weights nor its end are chosen by them. */
static bool is_idle(const setting *e, const settings *s) {
    return e->offset == offsetof(settings, finetune.validate) &&
           s->finetune.keep == FINETUNE_KEEP_LAST && s->finetune.patience == 0;
}

/* Of the text of each setting with its name: the order of the struct, the size of an enum and the
 * machine's byte order may change, and a run made before still knows what it has done. The order of
 * the rows is part of it: a row that moves within its groups is another hash, and finished stages
 * are done anew. So is a new row, unless it is aside, idle, or marked `later` and at its
 * default. */
uint64_t settings_hash(const settings *s, const char *groups) {
    char value[VALUE], line[VALUE + 64];
    uint64_t hash = 0;
    const setting *e;
    for (int i = 0; (e = setting_at(i)); i++) {
        if (!settings_counts(i, groups) || (e->later && setting_is_default(e, s))) continue;
        if (is_idle(e, s)) continue;
        setting_print(e, s, value, sizeof value);
        int length = snprintf(line, sizeof line, "%s.%s=%s\n", e->group, e->key, value);
        hash = hash_append(hash, line, (size_t)length);
    }
    return hash;
}

const setting *setting_find(const char *name, size_t length) {
    const setting *e;
    for (int i = 0; (e = setting_at(i)); i++) {
        size_t n = strlen(e->group);
        if (length == n + 1 + strlen(e->key) && strncmp(name, e->group, n) == 0 && name[n] == '.' &&
            strncmp(name + n + 1, e->key, length - n - 1) == 0)
            break;
    }
    return e;
}
