/* From a plan to runs. The order is all cells with the first seed, then all with the second: a plan
 * that is interrupted has compared everything a few times, rather than something often.
 *
 * How a run ended stands in a file of its own beside run.json, with a hash of all settings that
 * say what the run is to do: run.until and run.rounds are in no stage's key, but a run that ended
 * at another stage is another cell's. */
#include "src/app/compare/elements.h"

#include "io/files/file.h"
#include "src/app/compare/equal_images.h"
#include "src/app/stage/stage_list.h"
#include "src/base/copy.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <stdio.h>
#include <string.h>

#define MARK "compared"

int elements_count(const elements *e) {
    return e->plan->cells * e->plan->seeds;
}

int elements_cell(const elements *e, int number) {
    return (number - 1) % e->plan->cells;
}

int64_t elements_seed(const elements *e, int number) {
    return e->plan->seed[(number - 1) / e->plan->cells];
}

static char *folder_of(const elements *e, const char *cell, int64_t seed) {
    return copy_print("%s/%s/seed-%lld", e->folder, cell, (long long)seed);
}

/* Names of cells are names of folders: plan_file.c has seen to that. */
char *elements_folder(const elements *e, int number) {
    return folder_of(e, e->plan->cell[elements_cell(e, number)].name, elements_seed(e, number));
}

/* What a value "@CELL/FILE" names: the cell's index and the path behind it; -1: it is no such
 * value, -2: of no cell that stands before `before`. */
static int refers_to(const plan_file *p, const char *text, int before, const char **path) {
    const char *equals = strchr(text, '=');
    const char *at = equals ? equals + 1 + (equals[1] == '"') : "";
    if (*at != '@') return -1;
    size_t n = strcspn(at + 1, "/");
    *path = at + 1 + n;
    for (int i = 0; i < before && **path == '/'; i++)
        if (strlen(p->cell[i].name) == n && strncmp(p->cell[i].name, at + 1, n) == 0) return i;
    return -2;
}

/* A cell's setting as the run reads it: where it names another cell's file, the path of that. */
static char *resolve(const elements *e, const plan_setting *s, int cell, int64_t seed) {
    const char *path;
    int other = refers_to(e->plan, s->text, cell, &path);
    if (other < 0) return copy_text(s->text);
    int length = (int)(strchr(s->text, '=') - s->text);
    char *folder = folder_of(e, e->plan->cell[other].name, seed);
    size_t n = strlen(path);
    if (n > 0 && path[n - 1] == '"') n--;
    char *text = folder ? copy_print("%.*s=%s%.*s", length, s->text, folder, (int)n, path) : NULL;
    memory_free(folder);
    return text;
}

void elements_free_settings(char **set, int sets) {
    for (int i = 0; set && i < sets; i++) memory_free(set[i]);
    memory_free(set);
}

/* The plan's for all cells first, which the command line may change, then those of the cell, which
 * it may not: they are what is compared. */
status elements_settings(const elements *e, int number, char ***set, int *sets) {
    int ours = e->steps ? 4 : 3;
    const plan_file *p = e->plan;
    int cell = elements_cell(e, number), n = 0, total;
    int64_t seed = elements_seed(e, number);
    const plan_cell *c = &p->cell[cell];
    total = p->sets + e->sets + c->sets + ours;
    char **text = memory_alloc((size_t)total, sizeof *text, "settings of a cell");
    char *folder = elements_folder(e, number);
    if (text && folder) {
        for (int i = 0; i < p->sets; i++) text[n++] = copy_text(p->set[i].text);
        for (int i = 0; i < e->sets; i++) text[n++] = copy_text(e->set[i]);
        for (int i = 0; i < c->sets; i++) text[n++] = resolve(e, &c->set[i], cell, seed);
        if (e->steps) text[n++] = copy_print("finetune.steps=%d", e->steps[cell]);
        text[n++] = copy_print("run.dir=%s", folder);
        text[n++] = copy_print("run.seed=%lld", (long long)seed);
        text[n++] = copy_print("run.store=%s", e->store);
    }
    bool whole = n == total;
    for (int i = 0; i < n; i++) whole = whole && text[i];
    memory_free(folder);
    *set = text;
    *sets = n;
    return whole ? STATUS_OK : STATUS_FAILED;
}

/* Of the same seed: cells of one seed are numbered one after another. */
int elements_needs(const elements *e, int number, int index) {
    const char *path;
    int cell = elements_cell(e, number);
    const plan_cell *c = &e->plan->cell[cell];
    for (int i = 0; i < c->sets; i++) {
        int other = refers_to(e->plan, c->set[i].text, cell, &path);
        if (other >= 0 && index-- == 0) return number - cell + other;
    }
    return 0;
}

/* As the run will read them. */
static status read_settings(const elements *e, int number, settings *s) {
    char **set = NULL;
    int sets = 0;
    status st = elements_settings(e, number, &set, &sets);
    if (st == STATUS_OK) st = settings_read(s, e->config, (const char *const *)set, sets);
    elements_free_settings(set, sets);
    return st;
}

/* One cell's steps, as its own settings leave no choice but the length of fine-tuning. */
static status choose_steps(elements *e, int cell, settings *s, int *steps) {
    const plan_cell *c = &e->plan->cell[cell];
    status st = read_settings(e, cell + 1, s);
    if (st != STATUS_OK) return st;
    int64_t wanted = equal_images_steps(s, e->images);
    if (wanted < 1 || wanted > 100000000) {
        log_error("%s.cfg:%d: cell \"%s\": trainings before its fine-tuning show as many images as "
                  "cell \"%s\" sees in all, %lld",
            e->plan->name, c->line, c->name, e->plan->cell[e->plan->images].name,
            (long long)e->images);
        return STATUS_USAGE;
    }
    s->finetune.steps = steps[cell] = (int)wanted;
    int64_t off = equal_images_of(s) - e->images;
    if (off < 0) off = -off;
    if (off > e->off) e->off = off;
    return STATUS_OK;
}

/* finetune.steps of each cell, where the plan asks for equal images. Steps are set once all are
 * known: until then cells are read with their own. */
static status equal_steps(elements *e, settings *s) {
    const plan_file *p = e->plan;
    if (p->images < 0) return STATUS_OK;
    int *steps = memory_alloc((size_t)p->cells, sizeof *steps, "steps of cells");
    status st = steps ? read_settings(e, p->images + 1, s) : STATUS_FAILED;
    if (st == STATUS_OK) e->images = equal_images_of(s);
    for (int i = 0; i < p->cells && st == STATUS_OK; i++) st = choose_steps(e, i, s, steps);
    if (st == STATUS_OK)
        e->steps = steps;
    else
        memory_free(steps);
    return st;
}

/* Every cell once: seeds differ in nothing that can be wrong. */
static status check_cells(const elements *e, settings *s) {
    const plan_file *p = e->plan;
    const char *path;
    status st = STATUS_OK;
    for (int k = 0; k < p->sets; k++) {
        if (refers_to(p, p->set[k].text, 0, &path) != -2) continue;
        log_error("%s.cfg:%d: \"%s\": another cell's file is for a cell's own settings", p->name,
            p->set[k].line, p->set[k].text);
        st = STATUS_USAGE;
    }
    for (int i = 0; i < p->cells; i++) {
        const plan_cell *c = &p->cell[i];
        for (int k = 0; k < c->sets; k++) {
            if (refers_to(p, c->set[k].text, i, &path) != -2) continue;
            log_error("%s.cfg:%d: \"%s\": no cell of this name before this one", p->name,
                c->set[k].line, c->set[k].text);
            st = STATUS_USAGE;
        }
        status one = read_settings(e, i + 1, s);
        if (one == STATUS_FAILED) return one;
        bool idle = one == STATUS_OK && s->run.until == STAGE_BASELINE &&
                    !stage_wanted(STAGE_BASELINE, s, 1);
        if (one == STATUS_OK && !idle) continue;
        log_error("%s.cfg:%d: cell \"%s\": %s", p->name, c->line, c->name,
            idle ? "it ends with the baseline, which run.compare = false leaves out: --set "
                   "run.compare=true"
                 : "its settings are refused");
        st = STATUS_USAGE;
    }
    return st;
}

status elements_create(elements *e) {
    settings *s = memory_alloc(1, sizeof *s, "settings");
    status st = s ? settings_read(s, e->config, e->set, e->sets) : STATUS_FAILED;
    if (st == STATUS_OK) {
        e->store = s->run.store[0] ? copy_text(s->run.store) : copy_print("%s/store", s->run.dir);
        e->folder = copy_print("%s/%s", s->run.dir, e->plan->name);
        st = e->store && e->folder ? check_cells(e, s) : STATUS_FAILED;
        if (st == STATUS_OK) st = equal_steps(e, s);
        if (st == STATUS_OK && e->steps) st = check_cells(e, s);
    }
    memory_free(s);
    return st;
}

void elements_destroy(elements *e) {
    memory_free(e->store);
    memory_free(e->folder);
    memory_free(e->steps);
    e->store = e->folder = NULL;
    e->steps = NULL;
}

/* Of [run], what says which run it is; of the other groups everything, paths of weights included,
 * which are in no stage's settings: a stage hashes what the file holds. What changes no result
 * costs a look at stages that are done. */
static bool tells(const char *key) {
    static const char *const run[] = {"run.seed", "run.until", "run.rounds", "run.compare"};
    if (strncmp(key, "run.", 4) != 0) return true;
    for (size_t i = 0; i < sizeof run / sizeof *run; i++)
        if (strcmp(key, run[i]) == 0) return true;
    return false;
}

static uint64_t hash_settings(const settings *s) {
    char key[128], text[SETTINGS_TEXT];
    uint64_t hash = 0;
    for (int i = 0; settings_item(s, i, key, sizeof key, text, sizeof text); i++)
        if (tells(key)) hash = hash_append(hash, text, strlen(text) + 1);
    return hash;
}

/* path [FILE_PATH] of the mark, and the hash that belongs there. */
static status mark_of(const elements *e, int number, char *path, uint64_t *hash) {
    settings *s = memory_alloc(1, sizeof *s, "settings");
    status st = s ? read_settings(e, number, s) : STATUS_FAILED;
    if (st == STATUS_OK) st = file_path(path, s->run.dir, MARK);
    if (st == STATUS_OK) *hash = hash_settings(s);
    memory_free(s);
    return st;
}

/* A mark of other settings says nothing about this run, as does one that cannot be read. */
status elements_code(const elements *e, int number, int *code) {
    char path[FILE_PATH], key[17], found[17];
    uint64_t hash;
    void *text = NULL;
    size_t bytes;
    int read;
    *code = COMPARE_UNFINISHED;
    status st = mark_of(e, number, path, &hash);
    if (st == STATUS_OK && file_exists(path)) {
        hash_text(hash, key);
        st = file_read(path, FILE_PATH, &text, &bytes);
        if (st == STATUS_OK && sscanf(text, "%d %16s", &read, found) == 2 &&
            strcmp(found, key) == 0)
            *code = read;
    }
    memory_free(text);
    return st == STATUS_FAILED ? st : STATUS_OK;
}

/* Written last, so that a kill before it has the run looked at again, which costs seconds. */
status elements_keep_code(const elements *e, int number, status code) {
    char path[FILE_PATH], key[17], text[64];
    uint64_t hash;
    status st = mark_of(e, number, path, &hash);
    if (st != STATUS_OK) return st;
    hash_text(hash, key);
    int n = snprintf(text, sizeof text, "%d %s\n", (int)code, key);
    return file_write(path, text, (size_t)n);
}

/* The key of a setting, "group.key": its length. */
static int key_length(const char *text) {
    return (int)strcspn(text, "=");
}

/* Adds a key that is not there yet. */
static status add_key(compare_results *r, const char *text) {
    int n = key_length(text);
    for (int i = 0; i < r->varying; i++)
        if ((int)strlen(r->key[i]) == n && strncmp(r->key[i], text, (size_t)n) == 0)
            return STATUS_OK;
    r->key[r->varying] = copy_print("%.*s", n, text);
    return r->key[r->varying++] ? STATUS_OK : STATUS_FAILED;
}

static status find_keys(compare_results *r, const plan_file *p) {
    int most = 1;
    status st = STATUS_OK;
    for (int i = 0; i < p->cells; i++) most += p->cell[i].sets;
    r->key = memory_alloc((size_t)most, sizeof *r->key, "settings that vary");
    if (!r->key) return STATUS_FAILED;
    for (int i = 0; i < p->cells; i++)
        for (int k = 0; k < p->cell[i].sets && st == STATUS_OK; k++)
            st = add_key(r, p->cell[i].set[k].text);
    return st == STATUS_OK && p->images >= 0 ? add_key(r, "finetune.steps") : st;
}

/* Another cell's file as the plan has it, "@CELL/FILE": the path would be another one in every
 * folder and for every seed. NULL: the cell has no such value for the key. */
static const char *other_file(const plan_cell *c, const char *key) {
    size_t n = strlen(key);
    for (int i = 0; i < c->sets; i++) {
        const char *text = c->set[i].text;
        if (strncmp(text, key, n) == 0 && text[n] == '=' && text[n + 1] == '@') return text + n + 1;
    }
    return NULL;
}

/* The effective values of the keys that vary. */
static status find_values(
    compare_run *run, const compare_results *r, const plan_cell *c, const settings *s) {
    char key[128], text[SETTINGS_TEXT];
    run->value = memory_alloc((size_t)r->varying, sizeof *run->value, "settings that vary");
    if (!run->value) return STATUS_FAILED;
    for (int i = 0; settings_item(s, i, key, sizeof key, text, sizeof text); i++)
        for (int k = 0; k < r->varying; k++) {
            if (strcmp(key, r->key[k]) != 0) continue;
            const char *file = other_file(c, key);
            run->value[k] = copy_text(file ? file : text);
            if (!run->value[k]) return STATUS_FAILED;
        }
    return STATUS_OK;
}

/* Every run has its row, also one that has not begun: a table with fewer rows would hide it. */
static status add_run(const elements *e, int number, compare_results *r, settings *s) {
    compare_cell *cell = &r->cell[elements_cell(e, number)];
    compare_run *run = &cell->run[cell->runs++];
    run->seed = elements_seed(e, number);
    run->folder = elements_folder(e, number);
    status st = run->folder ? elements_code(e, number, &run->code) : STATUS_FAILED;
    if (st == STATUS_OK) st = read_settings(e, number, s);
    const plan_cell *c = &e->plan->cell[elements_cell(e, number)];
    return st == STATUS_OK ? find_values(run, r, c, s) : st;
}

/* "a.b=c, d.e=f", as the plan has them. */
static char *settings_text_of(const plan_cell *c) {
    char *text = copy_text("");
    for (int i = 0; i < c->sets && text; i++) {
        char *longer = copy_print("%s%s%s", text, i > 0 ? ", " : "", c->set[i].text);
        memory_free(text);
        text = longer;
    }
    return text;
}

static status add_cells(const elements *e, compare_results *r) {
    const plan_file *p = e->plan;
    r->cell = memory_alloc((size_t)p->cells, sizeof *r->cell, "cells");
    if (!r->cell) return STATUS_FAILED;
    for (int i = 0; i < p->cells; i++) {
        compare_cell *cell = &r->cell[r->cells++];
        cell->name = copy_text(p->cell[i].name);
        cell->about = copy_text(p->cell[i].about);
        cell->settings = settings_text_of(&p->cell[i]);
        cell->group = copy_text(p->cell[i].group);
        cell->reference = p->cell[i].reference;
        cell->run = memory_alloc((size_t)p->seeds, sizeof *cell->run, "runs of a cell");
        if (!cell->name || !cell->about || !cell->settings || !cell->group || !cell->run)
            return STATUS_FAILED;
    }
    return STATUS_OK;
}

status elements_results(const elements *e, compare_results *out) {
    settings *s = memory_alloc(1, sizeof *s, "settings");
    *out = (compare_results){.name = copy_text(e->plan->name),
        .about = copy_text(e->plan->about),
        .folder = copy_text(e->folder),
        .images = e->images,
        .images_off = e->off};
    status st = s && out->name && out->about && out->folder ? STATUS_OK : STATUS_FAILED;
    if (st == STATUS_OK) st = find_keys(out, e->plan);
    if (st == STATUS_OK) st = add_cells(e, out);
    for (int i = 1; i <= elements_count(e) && st == STATUS_OK; i++) st = add_run(e, i, out, s);
    memory_free(s);
    return st;
}
