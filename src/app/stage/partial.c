/* The sums and the flags are one block, sums first. Sums of a start are each rank's own until all
 * are added: rank 0 alone begins with those of earlier starts, or they would count once a rank. */
#include "src/app/stage/partial.h"

#include "io/files/stage_state.h"
#include "src/app/stage/setup.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <stdio.h>
#include <string.h>

static status find_path(partial *p) {
    char folder[FILE_PATH], name[STAGE_NAME + 16];
    snprintf(name, sizeof name, "%s.state", p->t->name);
    status st = setup_path(folder, p->t->s, "checkpoints", 1);
    return st == STATUS_OK ? file_path(p->path, folder, name) : st;
}

static int count_done(const partial *p) {
    int done = 0;
    for (int i = 0; i < p->images; i++) done += p->done[i] != 0;
    return done;
}

status partial_create(partial *p, const stage *t, size_t sums, int images) {
    const uint64_t sizes[] = {sums, (uint64_t)images};
    bool found = false;
    *p = (partial){.t = t, .sums = sums, .images = images};
    p->key = hash_append(t->key, sizes, sizeof sizes);
    p->bytes = sums * sizeof *p->sum + (size_t)images * sizeof *p->done;
    p->sum = memory_alloc(p->bytes, 1, "sums over images");
    status st = comm_agree(t->c, p->sum ? find_path(p) : STATUS_FAILED);
    if (st != STATUS_OK) return st;
    p->done = (int32_t *)(void *)(p->sum + sums);
    if (t->s->run.resume == RUN_RESUME_AUTO)
        st = stage_state_load(t->c, p->path, p->key, p->sum, p->bytes, &found);
    /* Of other settings, or damaged: what is written from now on is not what its list says. */
    if (st == STATUS_OK && !found) stage_state_clear(t->c, p->path);
    if (st != STATUS_OK || !found) return st;
    p->before = count_done(p);
    log_info("%s: continues after %d of %d images", t->name, p->before, images);
    if (!comm_root(t->c)) memset(p->sum, 0, sums * sizeof *p->sum);
    return STATUS_OK;
}

status partial_end(partial *p, status st) {
    /* Where what comes before partial_create has failed, there is no stage in it. */
    if (st != STATUS_OK && st != STATUS_STOPPED) return st;
    const comm *c = p->t->c;
    comm_sum_i64(c, p->sum, p->sums);
    comm_max_i32(c, p->done, (size_t)p->images);
    if (st == STATUS_OK) return st;
    log_info("%s: stopped after %d of %d images", p->t->name, count_done(p), p->images);
    return stage_state_stop(c, p->path, p->key, p->sum, p->bytes);
}

void partial_clear(const partial *p) {
    stage_state_clear(p->t->c, p->path);
}

void partial_destroy(partial *p) {
    memory_free(p->sum);
}

int partial_next_done(const partial *p, int i, int end) {
    while (i < end && !p->done[i]) i++;
    return i;
}
