/* From the text of a plan to its cells. Only the form is judged here, and whether keys exist, since
 * here alone the lines are known; what values may be, the reading of settings says later, when a
 * cell's are put after those of the configuration. Everything that is wrong is named before the
 * plan is refused: it may be meant for days of computing. */
#include "src/base/plan_file.h"

#include "src/base/copy.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/settings_file.h"
#include "src/base/settings_table.h"

#include <ctype.h>
#include <errno.h>
#include <libconfig.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is being read: the first lack of memory ends it, mistakes do not. */
typedef struct plan_reader {
    const char *file;
    int mistakes;
    bool memory; /* false: there was none */
} plan_reader;

#define MISTAKE(r_, c_, ...) mistake_at(r_, config_setting_source_line(c_), __VA_ARGS__)

__attribute__((format(printf, 3, 4))) static void mistake_at(
    plan_reader *r, unsigned line, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    log_error("%s:%u: %s", r->file, line, text);
    r->mistakes++;
}

static char *keep_text(plan_reader *r, const char *text, size_t length) {
    char *copy = copy_print("%.*s", (int)length, text);
    if (!copy) r->memory = false;
    return copy;
}

/* "" with a mistake where it is no text. */
static char *read_text(plan_reader *r, const config_setting_t *c) {
    const char *text = config_setting_get_string(c);
    if (!text) MISTAKE(r, c, "%s: a string in quotes is expected", config_setting_name(c));
    return keep_text(r, text ? text : "", text ? strlen(text) : 0);
}

/* Of a cell they may say anything but what makes runs different: their folder and their seed. */
static void check_setting(plan_reader *r, const config_setting_t *c, const char *text) {
    static const char *const ours[] = {"run.dir=", "run.seed=", "run.store=", "run.max_hours="};
    size_t length = strcspn(text, "=");
    if (!text[length] || !setting_find(text, length))
        MISTAKE(r, c,
            "\"%s\": group.key=value is expected, of a key that there is "
            "(auxseg check --defaults)",
            text);
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strncmp(text, ours[i], strlen(ours[i])) == 0)
            MISTAKE(r, c, "\"%s\": a plan sets this key itself", text);
}

/* How many elements a list has; 0 with a mistake where it is none, or too long. */
static int list_length(plan_reader *r, const config_setting_t *c, const char *what) {
    int n =
        config_setting_is_scalar(c) || config_setting_is_group(c) ? -1 : config_setting_length(c);
    if (n >= 0 && n <= PLAN_MOST) return n;
    MISTAKE(
        r, c, "%s: a list of at most %d %s is expected", config_setting_name(c), PLAN_MOST, what);
    return 0;
}

static void read_settings(
    plan_reader *r, const config_setting_t *c, plan_setting **set, int *sets) {
    int n = list_length(r, c, "strings \"group.key=value\"");
    *set = memory_alloc((size_t)n, sizeof **set, "plan");
    if (!*set) r->memory = false;
    for (int i = 0; r->memory && i < n; i++) {
        const config_setting_t *e = config_setting_get_elem(c, (unsigned)i);
        const char *text = config_setting_get_string(e);
        if (!text) MISTAKE(r, e, "a string \"group.key=value\" is expected");
        if (text) check_setting(r, e, text);
        (*set)[*sets].line = (int)config_setting_source_line(e);
        (*set)[(*sets)++].text = keep_text(r, text ? text : "", text ? strlen(text) : 0);
    }
}

/* Names are those of folders, on any file system, and stand in tables. */
static bool good_name(const char *name) {
    size_t n = strlen(name);
    if (n == 0 || n > 60 || !isalnum((unsigned char)name[0])) return false;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr("-_.+", name[i])) return false;
    return true;
}

/* The cell's index; -1: there is none of that name. */
static int find_cell(const plan_file *p, const char *name) {
    for (int i = 0; name && i < p->cells; i++)
        if (p->cell[i].name && strcmp(p->cell[i].name, name) == 0) return i;
    return -1;
}

static void read_cell(plan_reader *r, const config_setting_t *group, plan_file *p) {
    plan_cell *cell = &p->cell[p->cells];
    cell->line = (int)config_setting_source_line(group);
    cell->reference = -1;
    if (!config_setting_is_group(group)) {
        MISTAKE(r, group, "a cell is a group { name = \"...\"; settings = [...]; }");
        return;
    }
    for (int i = 0; r->memory && i < config_setting_length(group); i++) {
        const config_setting_t *c = config_setting_get_elem(group, (unsigned)i);
        const char *key = config_setting_name(c);
        if (strcmp(key, "name") == 0)
            cell->name = read_text(r, c);
        else if (strcmp(key, "about") == 0)
            cell->about = read_text(r, c);
        else if (strcmp(key, "group") == 0)
            cell->group = read_text(r, c);
        else if (strcmp(key, "settings") == 0)
            read_settings(r, c, &cell->set, &cell->sets);
        else if (strcmp(key, "reference") != 0)
            MISTAKE(r, c, "unknown key %s of a cell: name, about, group, settings, reference", key);
    }
    if (!cell->about) cell->about = keep_text(r, "", 0);
    if (!cell->group) cell->group = keep_text(r, "", 0);
    if (!cell->name) cell->name = keep_text(r, "", 0);
    if (r->memory && !good_name(cell->name))
        MISTAKE(r, group, "\"%s\": no name of a cell (letters, digits, - _ . +)", cell->name);
    else if (r->memory && find_cell(p, cell->name) >= 0)
        MISTAKE(r, group, "a second cell \"%s\"", cell->name);
    p->cells++;
}

static void read_cells(plan_reader *r, const config_setting_t *c, plan_file *p) {
    int n = list_length(r, c, "cells");
    p->cell = memory_alloc((size_t)n, sizeof *p->cell, "plan");
    if (!p->cell) r->memory = false;
    for (int i = 0; r->memory && i < n; i++)
        read_cell(r, config_setting_get_elem(c, (unsigned)i), p);
}

static void read_seeds(plan_reader *r, const config_setting_t *c, plan_file *p) {
    int n = list_length(r, c, "seeds");
    memory_free(p->seed);
    p->seed = memory_alloc((size_t)n, sizeof *p->seed, "plan");
    if (!p->seed) r->memory = false;
    for (int i = 0; r->memory && i < n; i++) {
        const config_setting_t *e = config_setting_get_elem(c, (unsigned)i);
        int64_t seed = config_setting_get_int64(e);
        int type = config_setting_type(e);
        if ((type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64) || seed < 0)
            MISTAKE(r, e, "a seed is an integer from 0 on");
        for (int k = 0; k < i; k++)
            if (p->seed[k] == seed) MISTAKE(r, e, "seed %lld stands twice", (long long)seed);
        p->seed[p->seeds++] = seed;
    }
}

/* After all cells are known. c: a text, of the plan or of a cell; NULL: -1. */
static int cell_named(plan_reader *r, const config_setting_t *c, const plan_file *p) {
    const char *name = c ? config_setting_get_string(c) : NULL;
    int found = find_cell(p, name);
    if (c && found < 0)
        MISTAKE(r, c, "%s: no cell \"%s\"", config_setting_name(c), name ? name : "");
    return found;
}

/* A cell of its own reference is compared with nothing. */
static void read_references(plan_reader *r, const config_setting_t *root, plan_file *p) {
    int common = cell_named(r, config_setting_get_member(root, "reference"), p);
    p->images = cell_named(r, config_setting_get_member(root, "images"), p);
    const config_setting_t *cells = config_setting_get_member(root, "cells");
    for (int i = 0; i < p->cells; i++) {
        const config_setting_t *c = config_setting_get_elem(cells, (unsigned)i);
        c = config_setting_is_group(c) ? config_setting_get_member(c, "reference") : NULL;
        int own = c ? cell_named(r, c, p) : common;
        p->cell[i].reference = own == i ? -1 : own;
    }
}

static void read_plan(plan_reader *r, const config_setting_t *root, plan_file *p) {
    for (int i = 0; r->memory && i < config_setting_length(root); i++) {
        const config_setting_t *c = config_setting_get_elem(root, (unsigned)i);
        const char *key = config_setting_name(c);
        if (strcmp(key, "about") == 0)
            p->about = read_text(r, c);
        else if (strcmp(key, "settings") == 0)
            read_settings(r, c, &p->set, &p->sets);
        else if (strcmp(key, "cells") == 0)
            read_cells(r, c, p);
        else if (strcmp(key, "seeds") == 0)
            read_seeds(r, c, p);
        else if (strcmp(key, "group") == 0)
            MISTAKE(r, c, "group is of a cell: cells = ({ name = \"...\"; %s = \"...\"; })", key);
        else if (strcmp(key, "reference") != 0 && strcmp(key, "images") != 0)
            MISTAKE(r, c,
                "unknown key %s of a plan: about, reference, images, seeds, settings, cells", key);
    }
    if (!p->about) p->about = keep_text(r, "", 0);
    if (!r->memory) return;
    if (p->cells == 0 || p->seeds == 0) {
        log_error("%s: no %s", r->file, p->cells == 0 ? "cells" : "seeds");
        r->mistakes++;
    }
    read_references(r, root, p);
}

/* "folder/NAME.cfg" is the plan NAME, which is the name of its folder, too. */
static void name_plan(plan_reader *r, plan_file *p) {
    const char *slash = strrchr(r->file, '/'), *name = slash ? slash + 1 : r->file;
    const char *dot = strrchr(name, '.');
    p->name = keep_text(r, name, dot ? (size_t)(dot - name) : strlen(name));
    if (!p->name || good_name(p->name)) return;
    log_error("%s: a plan has the name of its file (letters, digits, - _ . +)", r->file);
    r->mistakes++;
}

status plan_file_read(plan_file *out, const char *file, const char *text) {
    plan_reader r = {.file = file, .memory = true};
    *out = (plan_file){.images = -1};
    char *own = NULL;
    status st = text ? STATUS_OK : settings_file_load(file, &own);
    if (st != STATUS_OK) return st;
    config_t config;
    config_init(&config);
    name_plan(&r, out);
    if (config_read_string(&config, text ? text : own)) {
        read_plan(&r, config_root_setting(&config), out);
    } else {
        log_error("%s:%d: %s", file, config_error_line(&config), config_error_text(&config));
        r.mistakes++;
    }
    config_destroy(&config);
    memory_free(own);
    if (!r.memory) return STATUS_FAILED;
    return r.mistakes == 0 ? STATUS_OK : STATUS_USAGE;
}

static void free_settings(plan_setting *set, int sets) {
    for (int i = 0; i < sets; i++) memory_free(set[i].text);
    memory_free(set);
}

void plan_file_destroy(plan_file *p) {
    for (int i = 0; i < p->cells; i++) {
        memory_free(p->cell[i].name);
        memory_free(p->cell[i].about);
        memory_free(p->cell[i].group);
        free_settings(p->cell[i].set, p->cell[i].sets);
    }
    free_settings(p->set, p->sets);
    memory_free(p->cell);
    memory_free(p->seed);
    memory_free(p->name);
    memory_free(p->about);
    *p = (plan_file){0};
}

/* "3" or "1-5" at *at, which moves behind it. */
static bool read_span(const char **at, long long *first, long long *last) {
    char *end;
    errno = 0;
    if (!isdigit((unsigned char)**at)) return false;
    *first = *last = strtoll(*at, &end, 10);
    if (*end == '-' && isdigit((unsigned char)end[1])) *last = strtoll(end + 1, &end, 10);
    *at = end;
    return errno == 0 && *last >= *first && *last - *first < PLAN_MOST;
}

status plan_file_seeds(plan_file *p, const char *list) {
    int64_t *seed = memory_alloc(PLAN_MOST, sizeof *seed, "seeds");
    long long first, last;
    int n = 0;
    bool good = true;
    if (!seed) return STATUS_FAILED;
    for (const char *at = list; good; at++) {
        good = read_span(&at, &first, &last);
        for (long long x = first; good && x <= last; x++) {
            for (int i = 0; i < n; i++) good = good && seed[i] != x;
            good = good && n < PLAN_MOST;
            if (good) seed[n++] = x;
        }
        if (*at != ',') {
            good = good && !*at;
            break;
        }
    }
    if (!good) {
        log_error("--seeds %s: a list like 1-5,8 is expected, each seed once", list);
        memory_free(seed);
        return STATUS_USAGE;
    }
    memory_free(p->seed);
    p->seed = seed;
    p->seeds = n;
    return STATUS_OK;
}
