/* One checkpoint file, whatever it holds: who wrote it, for which settings and step, which of
 * several is the newest that can be used, and which may go. Two are kept, since the newest one may
 * turn out to be damaged when it is needed. */
#include "io/weights/checkpoint_file.h"

#include "io/files/file.h"
#include "io/weights/checkpoint_folder.h"
#include "src/base/hash.h"
#include "src/base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FORMAT "auxseg checkpoint 1"
enum { NUMBER = 24, KEPT = 2, PAIRS = 12 };

tensor_info checkpoint_file_flat(const char *name, const char *type, const void *data, size_t n) {
    return (tensor_info){.name = name,
        .type = type,
        .dims = 1,
        .shape = {(int64_t)n},
        .data = data,
        .bytes = n * safetensors_type_size(type)};
}

bool checkpoint_file_tensor(const safetensors *f, const tensor_info *want, tensor_info *out) {
    int at = safetensors_find(f, want->name);
    if (at < 0) return false;
    *out = safetensors_get(f, at);
    return strcmp(out->type, want->type) == 0 && out->dims == want->dims &&
           memcmp(out->shape, want->shape, (size_t)want->dims * sizeof *want->shape) == 0;
}

static bool same_text(const safetensors *f, const char *key, const char *want) {
    const char *have = safetensors_metadata(f, key);
    return have && strcmp(have, want) == 0;
}

/* A hash of everything that the state depends on. Another one is another run's, which may come
 * back: such files are left alone. */
static bool same_settings(const safetensors *f, uint64_t settings) {
    char want[17];
    hash_text(settings, want);
    return same_text(f, "settings", want);
}

/* The text that identifies a file is in its metadata: a copy under another name is found out. */
static status write_file(const char *path, const checkpoint_file *f) {
    char settings[17], step[NUMBER];
    hash_text(f->settings, settings);
    snprintf(step, sizeof step, "%" PRId64, f->step);
    const char *metadata[2 * PAIRS] = {
        "format", FORMAT, "stage", f->stage, "settings", settings, "step", step, f->key, f->value};
    int pairs = f->key ? 5 : 4;
    for (int i = 0; i < f->pairs && pairs < PAIRS; i++, pairs++) {
        metadata[2 * pairs] = f->metadata[2 * i];
        metadata[2 * pairs + 1] = f->metadata[2 * i + 1];
    }
    return safetensors_write(path, f->tensor, f->tensors, metadata, pairs);
}

/* Whether the disk gives its bytes: a file of which it does not, for this moment or for lack of
 * descriptors, may be whole. */
static bool given(const char *path) {
    return file_is_regular(path) && file_unreadable(path) == 0;
}

/* A listed file: of the settings; of other ones, or not to be read now; damaged. */
typedef enum owner { OURS, OTHERS, NOBODYS } owner;

/* By the header alone: to read whole files, in order to delete them, would take longer than writing
 * one. */
static owner owner_of(const char *path, uint64_t settings) {
    safetensors *f = NULL;
    status st = safetensors_read_header(&f, path);
    bool ours = st == STATUS_OK && same_settings(f, settings);
    safetensors_close(f);
    if (st != STATUS_OK) return st == STATUS_FAILED || !given(path) ? OTHERS : NOBODYS;
    return ours ? OURS : OTHERS;
}

/* Whether a file that has been listed is to stay. kept: those of ours that do, so far. */
static bool stays(const checkpoint_file *written, const char *path, int64_t step, int *kept) {
    owner o = owner_of(path, written->settings);
    return o == OTHERS || (o == OURS && step <= written->step && (*kept)++ < KEPT);
}

/* Keeps the one just written and the newest before it; damaged ones and what a damaged later one
 * left behind go, checkpoints of other settings stay. Only after the new one is whole: at no moment
 * are there fewer than one. */
static void remove_old(const char *folder, const checkpoint_file *written) {
    checkpoint_list list;
    if (checkpoint_folder_list(folder, written->stage, &list) != STATUS_OK) return;
    for (int i = 0, kept = 0; i < list.count; i++) { /* newest first */
        char path[FILE_PATH];
        if (checkpoint_folder_path(path, folder, written->stage, list.step[i]) != STATUS_OK)
            continue;
        if (!stays(written, path, list.step[i], &kept) && unlink(path) != 0)
            log_warn("%s: cannot be removed", path);
    }
    checkpoint_list_destroy(&list);
}

status checkpoint_file_save(const char *folder, const checkpoint_file *f) {
    char path[FILE_PATH];
    status st = checkpoint_folder_path(path, folder, f->stage, f->step);
    /* Debris of a kill first: it may be what fills the disk. */
    checkpoint_folder_clean(folder, f->stage);
    if (st == STATUS_OK) st = write_file(path, f);
    if (st == STATUS_OK) remove_old(folder, f);
    return st;
}

void checkpoint_file_clear(const char *folder, const char *stage, uint64_t settings) {
    checkpoint_list list;
    if (checkpoint_folder_list(folder, stage, &list) != STATUS_OK) return;
    checkpoint_folder_clean(folder, stage);
    for (int i = 0; i < list.count; i++) {
        char path[FILE_PATH];
        if (checkpoint_folder_path(path, folder, stage, list.step[i]) == STATUS_OK &&
            owner_of(path, settings) != OTHERS)
            unlink(path);
    }
    checkpoint_list_destroy(&list);
}

/* Why the file is none of this stage, step and settings, or NULL. */
static const char *stranger(
    const safetensors *f, const char *stage, uint64_t settings, int64_t step) {
    char number[NUMBER];
    snprintf(number, sizeof number, "%" PRId64, step);
    if (!same_text(f, "format", FORMAT)) return "it has another format";
    if (!same_text(f, "stage", stage) || !same_text(f, "step", number))
        return "its name does not fit its contents";
    return same_settings(f, settings) ? NULL : "it was made with other settings or inputs";
}

/* From the newest to the oldest. */
status checkpoint_file_load(const char *folder, const char *stage, uint64_t settings,
    checkpoint_take *take, void *context, bool *found) {
    checkpoint_list list;
    *found = false;
    status st = checkpoint_folder_list(folder, stage, &list);
    if (st != STATUS_OK) return st;
    checkpoint_folder_clean(folder, stage);
    for (int i = 0; st == STATUS_OK && !*found && i < list.count; i++) {
        char path[FILE_PATH];
        safetensors *f = NULL;
        bool checked = false;
        st = checkpoint_folder_path(path, folder, stage, list.step[i]);
        if (st != STATUS_OK) break;
        st = safetensors_read(&f, path);
        if (st == STATUS_OK) st = safetensors_verify(f, &checked);
        /* To begin anew would replace what may be whole. */
        if (st == STATUS_DATA && !given(path)) st = STATUS_OUTPUT;
        /* Whatever the reason, the next older one is tried; only if all fail does the stage begin
         * anew. */
        const char *why = st == STATUS_OUTPUT ? "it cannot be read"
                          : st != STATUS_OK   ? "it is damaged"
                          : !checked          ? "it has no checksums"
                                              : stranger(f, stage, settings, list.step[i]);
        if (!why) why = take(context, f, list.step[i]);
        if (why) log_warn("%s: not continued from: %s", path, why);
        *found = !why;
        safetensors_close(f);
        /* A lack of memory is an error, and a disk that cannot be read. */
        if (st != STATUS_FAILED && st != STATUS_OUTPUT) st = STATUS_OK;
    }
    checkpoint_list_destroy(&list);
    return st;
}
