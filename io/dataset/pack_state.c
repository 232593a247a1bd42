/* One block, so that it is written, read and sent as it is. Findings are for all items of the list,
 * the flags of what is stored for those that are kept, in their order; which those are follows from
 * the findings. */
#include "io/dataset/pack_state.h"

#include "io/files/stage_state.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <string.h>
#include <unistd.h>

/* The parts one after another; each has a size that is a multiple of 4 or of 8, those first. */
static size_t lay_out(pack_state *k, char *block) {
    size_t n = (size_t)k->items, at = 0;
    k->found = (finding *)(void *)block;
    at += n * sizeof *k->found;
    k->pixels = (int64_t *)(void *)(block + at);
    at += LABEL_IDS * sizeof *k->pixels;
    k->empty = (int64_t *)(void *)(block + at);
    at += sizeof *k->empty;
    k->offset = (int64_t *)(void *)(block + at);
    at += BLOBS * sizeof *k->offset;
    for (int which = 0; which < BLOBS; which++) {
        k->stored[which] = (int32_t *)(void *)(block + at);
        at += n * sizeof *k->stored[which];
    }
    return at;
}

static size_t bytes_of(int items) {
    size_t n = (size_t)items;
    return n * sizeof(finding) + (LABEL_IDS + 1 + BLOBS) * sizeof(int64_t) +
           BLOBS * n * sizeof(int32_t);
}

/* The layout of the block is that of this program's findings. */
static uint64_t layout_key(uint64_t key) {
    const uint64_t sizes[] = {sizeof(finding), LABEL_IDS, BLOBS};
    return hash_append(key, sizes, sizeof sizes);
}

static status paths(pack_state *k, const pack_keep *keep) {
    status st = file_path(k->path, keep->folder, "pack.state");
    return st == STATUS_OK ? file_path(k->file, keep->folder, "pack.h5") : st;
}

/* Without the file that it tells of, only the findings count. */
static void take_findings(pack_state *k, const comm *c) {
    int32_t there = comm_root(c) && k->offset[0] != 0 && file_exists(k->file);
    comm_broadcast(c, &there, sizeof there);
    if (!there) {
        size_t n = (size_t)k->items;
        memset(k->offset, 0, BLOBS * sizeof *k->offset);
        for (int which = 0; which < BLOBS; which++)
            memset(k->stored[which], 0, n * sizeof *k->stored[which]);
    }
    int done = 0;
    for (int i = 0; i < k->items; i++) done += k->found[i].done;
    log_info("pack: continues: %d of %d images are looked at%s", done, k->items,
        there ? ", and the file is begun" : "");
    if (comm_root(c)) return;
    memset(k->pixels, 0, LABEL_IDS * sizeof *k->pixels);
    *k->empty = 0;
}

status pack_state_create(pack_state *k, const comm *c, int items, const pack_keep *keep) {
    bool found = false;
    *k = (pack_state){.items = items, .bytes = bytes_of(items)};
    k->block = memory_alloc(k->bytes, 1, "findings");
    status st = k->block ? STATUS_OK : STATUS_FAILED;
    if (st == STATUS_OK) lay_out(k, k->block);
    if (st == STATUS_OK && keep) st = paths(k, keep);
    st = comm_agree(c, st);
    if (st != STATUS_OK || !keep) return st;
    k->key = layout_key(keep->key);
    st = stage_state_load(c, k->path, k->key, k->block, k->bytes, &found);
    if (st == STATUS_OK && found) take_findings(k, c);
    return st;
}

void pack_state_destroy(pack_state *k) {
    memory_free(k->block);
}

/* Where nothing is to be kept, the packing begins anew. */
status pack_state_stop(const pack_state *k, const comm *c) {
    if (!k->path[0]) return STATUS_STOPPED;
    int done = 0;
    for (int i = 0; i < k->items; i++) done += k->found[i].done;
    log_info("pack: stopped, %d of %d images are looked at%s", done, k->items,
        k->offset[0] ? ", and the file is begun" : "");
    return stage_state_stop(c, k->path, k->key, k->block, k->bytes);
}

void pack_state_clear(const pack_state *k, const comm *c) {
    if (!k->path[0]) return;
    stage_state_clear(c, k->path);
    if (comm_root(c)) unlink(k->file);
}
