/* A script for bash that knows commands, their options, settings and their choices. It reads the
 * line itself, as bash cuts words at "=", and needs no other package.
 *
 * The script has two parts: functions with lists, which put_... write from the tables of commands
 * and settings, and a body that never changes and asks them. So a new setting or command is
 * completed without a change here, as long as its usage keeps to the form that command_list.c
 * describes. Everything goes to standard output. */
#include "src/app/completion.h"

#include "io/weights/weight_names.h"
#include "src/app/command_list.h"
#include "src/app/compare/plans.h"
#include "src/base/log.h"
#include "src/base/settings_table.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char head[] =
    "# Completion of auxseg for bash. Written by `auxseg completion bash`.\n\n";

/* The word that is completed is $word, what stands before it in the line $before; a candidate must
 * lack what bash has cut off before the last "=". compgen cuts the offer down to what begins with
 * the word. Assignments in front of the command (VAR=1 auxseg) are skipped. */
static const char body[] =
    "_auxseg_offer() {\n"
    "    local cut=${word%\"${word##*=}\"}\n"
    "    [[ $COMP_WORDBREAKS == *=* ]] || cut=\n"
    "    mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$word\")\n"
    "    COMPREPLY=(\"${COMPREPLY[@]#\"$cut\"}\")\n"
    "}\n\n"
    "# Files that end with $1, and folders.\n"
    "_auxseg_files() {\n"
    "    compopt -o filenames 2>/dev/null\n"
    "    mapfile -t COMPREPLY < <(compgen -d -- \"$word\"; compgen -f -X \"!*$1\" -- \"$word\")\n"
    "}\n\n"
    "# group.key or group.key=value; $1 stands before it in the word.\n"
    "_auxseg_setting() {\n"
    "    local key=${word#\"$1\"} value values offered\n"
    "    if [[ $key != *=* ]]; then\n"
    "        compopt -o nospace 2>/dev/null\n"
    "        _auxseg_offer \"$(_auxseg_keys | sed \"s/.*/$1&=/\")\"\n"
    "        return\n"
    "    fi\n"
    "    values=$(_auxseg_values \"${key%%=*}\")\n"
    "    for value in $values; do offered+=\"$1${key%%=*}=$value \"; done\n"
    "    if [[ -n $values ]]; then\n"
    "        _auxseg_offer \"$offered\"\n"
    "    else\n"
    "        word=${key#*=}\n"
    "        _auxseg_files ''\n"
    "    fi\n"
    "}\n\n"
    "_auxseg() {\n"
    "    local line=${COMP_LINE:0:COMP_POINT} word before last command values words\n"
    "    word=${line##*[[:space:]]}\n"
    "    read -ra before <<<\"${line%\"$word\"}\"\n"
    "    while [[ ${before[0]} == *=* ]]; do before=(\"${before[@]:1}\"); done\n"
    "    last=${before[-1]}\n"
    "    command=${before[1]:-}\n"
    "    COMPREPLY=()\n"
    "    if [[ ${#before[@]} -eq 1 || $command == help ]]; then\n"
    "        _auxseg_offer \"$_auxseg_commands help --help --version\"\n"
    "    elif [[ $last == --set ]]; then\n"
    "        _auxseg_setting ''\n"
    "    elif [[ $word == --set=* ]]; then\n"
    "        _auxseg_setting --set=\n"
    "    elif [[ $word == -* ]]; then\n"
    "        _auxseg_offer \"$(_auxseg_options \"$command\") --help\"\n"
    "    elif [[ $last == --* ]]; then\n"
    "        values=$(_auxseg_values \"$command $last\")\n"
    "        _auxseg_offer \"${values//FILE/}\"\n"
    "        if [[ $values == *FILE* ]]; then\n"
    "            words=(\"${COMPREPLY[@]}\")\n"
    "            _auxseg_files \"$(_auxseg_suffix \"$command\")\"\n"
    "            COMPREPLY=(\"${words[@]}\" \"${COMPREPLY[@]}\")\n"
    "        elif [[ ${#COMPREPLY[@]} -eq 0 ]]; then\n"
    "            _auxseg_files ''\n"
    "        fi\n"
    "    elif [[ ${#before[@]} -eq 2 && -n $(_auxseg_words \"$command\") ]]; then\n"
    "        _auxseg_offer \"$(_auxseg_words \"$command\")\"\n"
    "    else\n"
    "        _auxseg_files \"$(_auxseg_suffix \"$command\")\"\n"
    "    fi\n"
    "}\n"
    "complete -F _auxseg auxseg\n";

/* Where the next option of a usage text begins, its name being *length long; NULL: none is left.
 * The name is the letters and hyphens from there on. */
static const char *next_option(const char *at, size_t *length) {
    at = strstr(at, "--");
    *length = at ? strspn(at, "-abcdefghijklmnopqrstuvwxyz") : 0;
    return at;
}

/* "a|b" as "a b". */
static void put_choices(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) putchar(text[i] == '|' ? ' ' : text[i]);
}

/* Whether an option stands in a usage before `at`: alternatives may have the same ones. */
static bool stands_before(const char *usage, const char *at, size_t length) {
    size_t n;
    for (const char *o = usage; (o = next_option(o, &n)) && o < at; o += n)
        if (n == length && strncmp(o, at, n) == 0) return true;
    return false;
}

/* Options of each command, as its usage has them. */
static void put_options(void) {
    command k;
    size_t length;
    puts("_auxseg_options() {\n    case $1 in");
    for (int i = 0; command_at(i, &k); i++) {
        printf("    %s) echo \"", k.name);
        for (const char *at = k.arguments; (at = next_option(at, &length)); at += length)
            if (!stands_before(k.arguments, at, length)) printf("%.*s ", (int)length, at);
        puts("\" ;;");
    }
    puts("    esac\n}\n");
}

/* The words that a command begins with, where its usage has lower-case words there. An alternative
 * of the usage begins again with "auxseg NAME", which is skipped; "a|b" offers both. */
static void put_words(void) {
    command k;
    puts("_auxseg_words() {\n    case $1 in");
    for (int i = 0; command_at(i, &k); i++) {
        if (!islower((unsigned char)k.arguments[0])) continue;
        char skip[64];
        snprintf(skip, sizeof skip, "auxseg %s ", k.name);
        printf("    %s) echo \"", k.name);
        for (const char *at = k.arguments; at; at = strstr(at, skip)) {
            if (at != k.arguments) at += strlen(skip);
            put_choices(at, strcspn(at, " "));
            putchar(' ');
        }
        puts("\" ;;");
    }
    puts("    esac\n}\n");
}

/* A word of a choice. NAME of a plan and RULE stand for names that the program has; FILE is for the
 * body, which offers files there. */
static void put_choice(const char *word, size_t length) {
    const weight_rule *r;
    if (length == 4 && strncmp(word, "NAME", 4) == 0)
        for (const plan_text *p = plans_built_in; p->name; p++) printf("%s ", p->name);
    else if (length == 4 && strncmp(word, "RULE", 4) == 0)
        for (int i = 0; (r = weight_rule_at(i)); i++) printf("%s ", r->name);
    else
        printf("%.*s ", (int)length, word);
}

/* Choices of the options of a command: "[--norm group|frozen]". What stands behind an option and a
 * blank, up to the next one or a bracket, is its value; without a "|" in it the value is a file or
 * a number, and nothing is offered, unless it is a RULE. */
static void put_option_choices(const command *k) {
    size_t length;
    for (const char *at = k->arguments; (at = next_option(at, &length)); at += length) {
        const char *value = at + length + 1;
        size_t end = at[length] == ' ' ? strcspn(value, " ]") : 0;
        bool rule = end == 4 && strncmp(value, "RULE", end) == 0;
        if (!rule && !memchr(value, '|', end)) continue;
        printf("    '%s %.*s') echo \"", k->name, (int)length, at);
        for (size_t i = 0, n; i < end; i += n + 1) {
            n = strcspn(value + i, "| ]");
            put_choice(value + i, n);
        }
        puts("\" ;;");
    }
}

/* What a setting, or an option of a command, may be; nothing where it is any text, a file say.
 * Flags of settings have no words in the table: theirs are true and false. */
static void put_values(void) {
    command k;
    const setting *e;
    puts("_auxseg_values() {\n    case $1 in");
    for (int i = 0; (e = setting_at(i)); i++) {
        if (e->kind != SETTING_FLAG && !e->words) continue;
        printf("    %s.%s) echo \"%s", e->group, e->key, e->words ? "" : "true false");
        for (const char *const *word = e->words; word && *word; word++) printf("%s ", *word);
        puts("\" ;;");
    }
    for (int i = 0; command_at(i, &k); i++) put_option_choices(&k);
    puts("    esac\n}\n");
}

/* A list of its own, as the words of a case would be looked through for each. */
static void put_keys(void) {
    const setting *e;
    puts("_auxseg_keys() {\n    cat <<'KEYS'");
    for (int i = 0; (e = setting_at(i)); i++) printf("%s.%s\n", e->group, e->key);
    puts("KEYS\n}\n");
}

/* What the files of a command end with. Commands that take other files than settings get every
 * file. */
static void put_suffixes(void) {
    command k;
    puts("_auxseg_suffix() {\n    case $1 in");
    for (int i = 0; command_at(i, &k); i++)
        if (strncmp(k.arguments, "CONFIG.cfg", 10) == 0) printf("    %s) echo .cfg ;;\n", k.name);
    puts("    esac\n}\n");
}

static void put_commands(void) {
    command k;
    fputs("_auxseg_commands=\"", stdout);
    for (int i = 0; command_at(i, &k); i++) printf("%s%s", i > 0 ? " " : "", k.name);
    puts("\"\n");
}

status command_completion(int argc, char **argv) {
    if (argc != 1 || strcmp(argv[0], "bash") != 0) {
        log_error("completion: for which shell? (auxseg completion bash)");
        return STATUS_USAGE;
    }
    /* The functions first: the body's last line tells bash that the completion is ready. */
    fputs(head, stdout);
    put_commands();
    put_options();
    put_words();
    put_values();
    put_keys();
    put_suffixes();
    fputs(body, stdout);
    return STATUS_OK;
}
