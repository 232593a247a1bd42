/* A state is written once, when a stage is told to stop, and read once, by the start that goes on.
 * It is worth no more than the work that it saves: whatever is wrong with the file is a reason to
 * do that again, with a word in the log, never to fail. */
#include "io/files/stage_state.h"

#include "io/files/file.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <string.h>
#include <unistd.h>

/* Before the block. */
typedef struct state_head {
    char name[8];
    uint64_t key, bytes, sum; /* of the block */
} state_head;

static state_head head_of(uint64_t key, const void *block, size_t bytes) {
    state_head h = {.key = key, .bytes = bytes};
    memcpy(h.name, "auxstate", sizeof h.name);
    h.sum = hash_append(key, block, bytes);
    return h;
}

status stage_state_stop(
    const comm *c, const char *path, uint64_t key, const void *block, size_t bytes) {
    status st = STATUS_OK;
    if (comm_root(c)) {
        state_head h = head_of(key, block, bytes);
        const file_part part[] = {{&h, sizeof h}, {block, bytes}};
        st = file_write_parts(path, part, 2);
    }
    return comm_agree(c, st == STATUS_OK ? STATUS_STOPPED : st);
}

/* Rank 0: the block at the end of a file that is as it should be, or NULL. */
static const char *content(
    const char *path, uint64_t key, size_t bytes, const char *file, size_t size) {
    state_head found, wanted;
    const char *block = file + sizeof found;
    if (size < sizeof found) return NULL;
    memcpy(&found, file, sizeof found);
    if (found.key != key || found.bytes != bytes) {
        log_detail("%s: of other inputs or settings: not used", path);
        return NULL;
    }
    if (size == sizeof found + bytes) {
        wanted = head_of(key, block, bytes);
        if (memcmp(&wanted, &found, sizeof wanted) == 0) return block;
    }
    log_warn("%s: damaged: what it tells is done again", path);
    return NULL;
}

status stage_state_load(
    const comm *c, const char *path, uint64_t key, void *block, size_t bytes, bool *found) {
    void *file = NULL;
    size_t size = 0;
    int32_t good = 0;
    status st = STATUS_OK;
    *found = false;
    if (comm_root(c) && file_exists(path))
        st = file_read(path, bytes + sizeof(state_head), &file, &size);
    if (st == STATUS_DATA) st = STATUS_OK; /* too long, or unreadable: said, and done again */
    if (file) {
        const char *from = content(path, key, bytes, file, size);
        if (from) memcpy(block, from, bytes);
        good = from != NULL;
    }
    memory_free(file);
    st = comm_agree(c, st);
    if (st != STATUS_OK) return st;
    comm_broadcast(c, &good, sizeof good);
    if (good) comm_broadcast(c, block, bytes);
    *found = good;
    return STATUS_OK;
}

void stage_state_clear(const comm *c, const char *path) {
    if (comm_root(c)) unlink(path);
}
