/* Rank 0 has the files, and all other ranks would wait for it: the disk's time is hidden behind the
 * steps that follow. What is left of it in a step is a copy of the state and the flush of a few
 * rows of metrics.csv, the phase "checkpoint". A request to stop waits for the disk: the job may be
 * killed soon after. */
#include "src/app/training/saves.h"

#include "io/files/file.h"
#include "io/weights/checkpoint.h"
#include "src/app/stage/setup.h"

enum { METADATA = 2 }; /* pairs, of model_setup_metadata */

static checkpoint_state state_of(trainer *t, const char *const *metadata) {
    return (checkpoint_state){t->p, &t->optimizer, t->gradient, t->average, t->o.key, t->step,
        metadata, METADATA, t->o.extra, t->o.extras};
}

/* On rank 0, where there is a step to save beside others. */
static bool writes(const trainer *t) {
    return comm_root(t->c) && t->s->run.checkpoint_steps < t->o.steps;
}

size_t saves_bytes(const trainer *t) {
    size_t copies = t->average ? 2 : 1, all = t->p->count + t->p->buffers;
    size_t values = copies * all + (size_t)t->optimizer.states * t->p->count;
    size_t bytes = values * sizeof(float);
    for (int i = 0; i < t->o.extras; i++) bytes += checkpoint_extra_bytes(&t->o.extra[i]);
    return writes(t) ? bytes : 0;
}

status saves_create(trainer *t) {
    checkpoint_state state = state_of(t, NULL);
    return writes(t) ? checkpoint_writer_create(&t->writer, &state) : STATUS_OK;
}

/* Rank 0's part of saving beside the steps. */
static status begin(trainer *t, const char *folder) {
    const char *metadata[2 * METADATA];
    char input[IMAGE_INPUT_TEXT];
    if (!t->writer) return STATUS_OK;
    model_setup_metadata(&t->model, input, metadata);
    checkpoint_state state = state_of(t, metadata);
    return checkpoint_writer_begin(t->writer, folder, t->o.stage, &state);
}

static status save_now(trainer *t, const char *folder) {
    const char *metadata[2 * METADATA];
    char input[IMAGE_INPUT_TEXT];
    model_setup_metadata(&t->model, input, metadata);
    checkpoint_state state = state_of(t, metadata);
    status st = comm_agree(t->c, t->writer ? checkpoint_writer_wait(t->writer) : STATUS_OK);
    if (st == STATUS_OK) st = checkpoint_save(t->c, folder, t->o.stage, &state);
    if (st == STATUS_OK) t->saved = t->step;
    return st;
}

status saves_state(trainer *t, bool at_once) {
    char folder[FILE_PATH];
    double now = timer_now();
    status st = comm_agree(t->c, setup_path(folder, t->s, "checkpoints", 1));
    /* Rows up to this step first: they are what a checkpoint goes on from. */
    if (st == STATUS_OK) st = comm_agree(t->c, metrics_sync(t->metrics));
    if (st == STATUS_OK) st = at_once ? save_now(t, folder) : comm_agree(t->c, begin(t, folder));
    timer_lap(&t->time, PHASE_CHECKPOINT, now);
    return st;
}

status saves_poll(trainer *t) {
    return t->writer ? checkpoint_writer_poll(t->writer) : STATUS_OK;
}

status saves_finish(trainer *t) {
    double now = timer_now();
    status st = comm_agree(t->c, t->writer ? checkpoint_writer_wait(t->writer) : STATUS_OK);
    timer_lap(&t->time, PHASE_CHECKPOINT, now);
    if (!t->writer) return st;
    checkpoint_writer_sum sum = checkpoint_writer_written(t->writer);
    if (sum.count > 0)
        log_detail("%s: %d checkpoints were written beside the steps, %.2f s each; steps waited "
                   "%.2f s for them in all",
            t->o.stage, sum.count, sum.seconds / sum.count, t->time.seconds[PHASE_CHECKPOINT]);
    return st;
}

int64_t saves_newest(trainer *t) {
    if (!t->writer) return t->saved;
    checkpoint_writer_wait(t->writer);
    int64_t step = checkpoint_writer_written(t->writer).step;
    return step > t->saved ? step : t->saved;
}
