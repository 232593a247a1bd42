#include "io/checkpoint.h"

#include "io/checkpoint_folder.h"
#include "io/file.h"
#include "io/weights.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FORMAT "auxseg checkpoint 1"
#define VELOCITY "optimizer.velocity"
#define SCALE "gradient.scale"
enum { NUMBER = 24, KEPT = 2 };

static tensor_info flat(const char *name, const char *type, const void *data, size_t count) {
    return (tensor_info){.name = name,
        .type = type,
        .dims = 1,
        .shape = {(int64_t)count},
        .data = data,
        .bytes = count * safetensors_type_size(type)};
}

static status write_state(const char *path, const char *stage, const checkpoint_state *s) {
    const parameters *p = s->p;
    char settings[17], step[NUMBER], tracked[NUMBER];
    hash_text(s->settings, settings);
    snprintf(step, sizeof step, "%" PRId64, s->step);
    snprintf(tracked, sizeof tracked, "%" PRId64, p->batches_tracked);
    const char *metadata[] = {"format", FORMAT, "stage", stage, "settings", settings, "step", step,
        "batches_tracked", tracked};
    tensor_info *tensor = memory_alloc((size_t)p->items + 2, sizeof *tensor, "checkpoint");
    if (!tensor) return STATUS_FAILED;
    for (int i = 0; i < p->items; i++) tensor[i] = weights_tensor(p, i);
    tensor[p->items] = flat(VELOCITY, "F32", s->optimizer->velocity, p->count);
    tensor[p->items + 1] = flat(SCALE, "I32", s->g->scale, (size_t)p->trainable);
    status st = safetensors_write(
        path, tensor, p->items + 2, metadata, (int)(sizeof metadata / sizeof *metadata / 2));
    memory_free(tensor);
    return st;
}

static bool same_text(const safetensors *f, const char *key, const char *want) {
    const char *have = safetensors_metadata(f, key);
    return have && strcmp(have, want) == 0;
}

static bool same_settings(const safetensors *f, uint64_t settings) {
    char want[17];
    hash_text(settings, want);
    return same_text(f, "settings", want);
}

/* Keeps the one just written and the newest before it; what cannot be read and what a damaged later
 * one left behind goes, checkpoints of other settings stay. */
static void remove_old(const char *folder, const char *stage, const checkpoint_state *s) {
    checkpoint_list list;
    if (checkpoint_folder_list(folder, stage, &list) != STATUS_OK) return;
    for (int i = 0, kept = 0; i < list.count; i++) { /* newest first */
        char path[FILE_PATH];
        safetensors *f = NULL;
        if (checkpoint_folder_path(path, folder, stage, list.step[i]) != STATUS_OK) continue;
        bool readable = safetensors_read_header(&f, path) == STATUS_OK;
        bool ours = readable && same_settings(f, s->settings);
        bool keep = readable && (!ours || (list.step[i] <= s->step && kept++ < KEPT));
        safetensors_close(f);
        if (!keep && unlink(path) != 0) log_warn("%s: cannot be removed", path);
    }
    checkpoint_list_destroy(&list);
}

static status save(const char *folder, const char *stage, const checkpoint_state *s) {
    char path[FILE_PATH];
    status st = checkpoint_folder_path(path, folder, stage, s->step);
    checkpoint_folder_clean(folder, stage);
    if (st == STATUS_OK) st = write_state(path, stage, s);
    if (st == STATUS_OK) remove_old(folder, stage, s);
    return st;
}

status checkpoint_save(
    const comm *c, const char *folder, const char *stage, const checkpoint_state *s) {
    return comm_agree(c, comm_root(c) ? save(folder, stage, s) : STATUS_OK);
}

/* Whether the tensor is there with this type and shape; *out is it. */
static bool find_tensor(const safetensors *f, const tensor_info *want, tensor_info *out) {
    int at = safetensors_find(f, want->name);
    if (at < 0) return false;
    *out = safetensors_get(f, at);
    return strcmp(out->type, want->type) == 0 && out->dims == want->dims &&
           memcmp(out->shape, want->shape, (size_t)want->dims * sizeof *want->shape) == 0;
}

/* Why the file cannot be continued from, or NULL: it fits the network entirely. */
static const char *misfit(
    const safetensors *f, const char *stage, int64_t step, const checkpoint_state *s) {
    char number[NUMBER];
    const parameters *p = s->p;
    tensor_info want, have;
    snprintf(number, sizeof number, "%" PRId64, step);
    if (!same_text(f, "format", FORMAT)) return "it has another format";
    if (!same_text(f, "stage", stage) || !same_text(f, "step", number))
        return "its name does not fit its contents";
    if (!same_settings(f, s->settings)) return "it was made with other settings or inputs";
    if (!safetensors_metadata(f, "batches_tracked")) return "it is incomplete";
    bool fits = safetensors_count(f) == p->items + 2;
    for (int i = 0; fits && i < p->items; i++) {
        want = weights_tensor(p, i);
        fits = find_tensor(f, &want, &have);
    }
    want = flat(VELOCITY, "F32", NULL, p->count);
    fits = fits && find_tensor(f, &want, &have);
    want = flat(SCALE, "I32", NULL, (size_t)p->trainable);
    return fits && find_tensor(f, &want, &have) ? NULL : "it is of another network";
}

/* After misfit said NULL nothing can fail any more. */
static void take(const safetensors *f, int64_t step, checkpoint_state *s) {
    parameters *p = s->p;
    tensor_info have;
    for (int i = 0; i < p->items; i++) {
        have = safetensors_get(f, safetensors_find(f, p->item[i].name));
        memcpy(weights_of(p, i), have.data, have.bytes);
    }
    have = safetensors_get(f, safetensors_find(f, VELOCITY));
    memcpy(s->optimizer->velocity, have.data, have.bytes);
    have = safetensors_get(f, safetensors_find(f, SCALE));
    memcpy(s->g->scale, have.data, have.bytes);
    p->batches_tracked = strtoll(safetensors_metadata(f, "batches_tracked"), NULL, 10);
    s->step = step;
}

/* One candidate; only a lack of memory is an error. */
static status try_one(
    const char *path, const char *stage, int64_t step, checkpoint_state *s, bool *found) {
    safetensors *f = NULL;
    bool checked = false;
    status st = safetensors_read(&f, path);
    if (st == STATUS_OK) st = safetensors_verify(f, &checked);
    const char *why = st != STATUS_OK ? "it is damaged"
                      : !checked      ? "it has no checksums"
                                      : misfit(f, stage, step, s);
    if (why)
        log_warn("%s: not continued from: %s", path, why);
    else
        take(f, step, s);
    *found = !why;
    safetensors_close(f);
    return st == STATUS_FAILED ? st : STATUS_OK;
}

static status load(const char *folder, const char *stage, checkpoint_state *s, bool *found) {
    checkpoint_list list;
    *found = false;
    status st = checkpoint_folder_list(folder, stage, &list);
    if (st != STATUS_OK) return st;
    checkpoint_folder_clean(folder, stage);
    for (int i = 0; st == STATUS_OK && !*found && i < list.count; i++) {
        char path[FILE_PATH];
        st = checkpoint_folder_path(path, folder, stage, list.step[i]);
        if (st == STATUS_OK) st = try_one(path, stage, list.step[i], s, found);
    }
    checkpoint_list_destroy(&list);
    return st;
}

status checkpoint_load(
    const comm *c, const char *folder, const char *stage, checkpoint_state *s, bool *found) {
    bool any = false;
    status st = comm_agree(c, comm_root(c) ? load(folder, stage, s, &any) : STATUS_OK);
    if (st != STATUS_OK) return st;
    comm_broadcast(c, &any, sizeof any);
    *found = any;
    if (!any) return STATUS_OK;
    parameters *p = s->p;
    comm_broadcast(c, p->value, p->count * sizeof *p->value);
    comm_broadcast(c, p->buffer, p->buffers * sizeof *p->buffer);
    comm_broadcast(c, s->optimizer->velocity, p->count * sizeof *s->optimizer->velocity);
    comm_broadcast(c, s->g->scale, (size_t)p->trainable * sizeof *s->g->scale);
    comm_broadcast(c, &p->batches_tracked, sizeof p->batches_tracked);
    comm_broadcast(c, &s->step, sizeof s->step);
    return STATUS_OK;
}

void checkpoint_clear(const comm *c, const char *folder, const char *stage) {
    checkpoint_list list;
    if (!comm_root(c) || checkpoint_folder_list(folder, stage, &list) != STATUS_OK) return;
    checkpoint_folder_clean(folder, stage);
    for (int i = 0; i < list.count; i++) {
        char path[FILE_PATH];
        if (checkpoint_folder_path(path, folder, stage, list.step[i]) == STATUS_OK) unlink(path);
    }
    checkpoint_list_destroy(&list);
}
