#include "src/base/settings.h"

#include "src/base/hash.h"
#include "src/base/settings_table.h"

#include <string.h>

enum { VALUE = 2 * SETTINGS_TEXT, COLUMNS = 100 };

/* A string as libconfig reads it. */
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

static void write_value(const setting *e, const settings *s, FILE *to) {
    char text[VALUE];
    setting_print(e, s, text, sizeof text);
    if (e->kind == SETTING_WORDS || e->kind == SETTING_CHOICE)
        write_quoted(text, to);
    else
        fputs(text, to);
}

/* Words of `text` as comment lines. */
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

bool settings_item(
    const settings *s, int index, char *key, size_t key_size, char *text, size_t text_size) {
    const setting *e = setting_at(index);
    if (!e) return false;
    snprintf(key, key_size, "%s.%s", e->group, e->key);
    setting_print(e, s, text, text_size);
    return true;
}

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

uint64_t settings_hash(const settings *s, const char *groups) {
    char value[VALUE], line[VALUE + 64];
    uint64_t hash = 0;
    const setting *e;
    for (int i = 0; (e = setting_at(i)); i++) {
        if (e->aside || !names_group(groups, e->group)) continue;
        setting_print(e, s, value, sizeof value);
        int length = snprintf(line, sizeof line, "%s.%s=%s\n", e->group, e->key, value);
        hash = hash_append(hash, line, (size_t)length);
    }
    return hash;
}
