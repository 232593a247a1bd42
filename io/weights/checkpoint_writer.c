/* A copy of the state, and a thread that lives as long as one file takes. The copy is one pass over
 * memory; hashing, writing and waiting for the disk, which take a hundred times as long, happen
 * beside the steps. What the thread has to say it says in the log, and its status waits for whoever
 * asks: the main thread, at the end of a step, where ranks agree anyway. */
#include "io/weights/checkpoint_writer.h"

#include "io/files/file.h"
#include "io/weights/checkpoint_file.h"
#include "src/base/memory.h"
#include "src/base/thread.h"
#include "src/base/timer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { PAIRS = 8, TEXT = 512 };

struct checkpoint_writer {
    pthread_t thread;
    bool begun;       /* a file is under way, or done and not asked for */
    bool threaded;    /* by a thread, which is to be joined */
    atomic_bool done; /* the thread's last word */
    status result;
    double seconds;
    checkpoint_writer_sum sum;
    char folder[FILE_PATH];
    checkpoint_file file;
    tensor_info *tensor; /* [tensors] */
    char tracked[CHECKPOINT_NUMBER];
    char text[PAIRS][TEXT]; /* of metadata, which point here */
    const char *metadata[2 * PAIRS];
    char *copy; /* [bytes] */
    size_t bytes;
};

static size_t bytes_of(const checkpoint_writer *w) {
    size_t bytes = 0;
    for (int i = 0; i < w->file.tensors; i++) bytes += w->tensor[i].bytes;
    return bytes;
}

status checkpoint_writer_create(checkpoint_writer **out, const checkpoint_state *s) {
    checkpoint_writer *w = memory_alloc(1, sizeof *w, "checkpoint");
    if (!w) return STATUS_FAILED;
    w->tensor = memory_alloc((size_t)checkpoint_tensors(s), sizeof *w->tensor, "checkpoint");
    if (w->tensor) {
        checkpoint_describe(s, "", w->tensor, w->tracked, &w->file);
        w->bytes = bytes_of(w);
        w->copy = memory_alloc(w->bytes, 1, "copy of a checkpoint");
    }
    if (!w->copy) {
        checkpoint_writer_destroy(w);
        return STATUS_FAILED;
    }
    *out = w;
    return STATUS_OK;
}

void checkpoint_writer_destroy(checkpoint_writer *w) {
    if (!w) return;
    checkpoint_writer_wait(w);
    memory_free(w->tensor);
    memory_free(w->copy);
    memory_free(w);
}

/* Everything that the file is made of, so that the state may change. */
static void copy_state(checkpoint_writer *w, const char *stage, const checkpoint_state *s) {
    char *at = w->copy;
    checkpoint_describe(s, stage, w->tensor, w->tracked, &w->file);
    for (int i = 0; i < w->file.tensors; i++) {
        memcpy(at, w->tensor[i].data, w->tensor[i].bytes);
        w->tensor[i].data = at;
        at += w->tensor[i].bytes;
    }
    if (w->file.pairs > PAIRS) w->file.pairs = PAIRS;
    for (int i = 0; i < w->file.pairs; i++) {
        snprintf(w->text[i], TEXT, "%s", s->metadata[2 * i + 1]);
        w->metadata[2 * i] = s->metadata[2 * i];
        w->metadata[2 * i + 1] = w->text[i];
    }
    w->file.metadata = w->metadata;
}

/* The thread. */
static void *write_file(void *context) {
    checkpoint_writer *w = context;
    double now = timer_now();
    w->result = checkpoint_write(w->folder, &w->file);
    w->seconds = timer_now() - now;
    atomic_store(&w->done, true);
    return NULL;
}

/* Where the system has no thread to give, the caller writes. */
static void start(checkpoint_writer *w) {
    w->begun = true;
    atomic_store(&w->done, false);
    w->threaded = thread_start(&w->thread, write_file, w) == 0;
    if (!w->threaded) write_file(w);
}

status checkpoint_writer_begin(
    checkpoint_writer *w, const char *folder, const char *stage, const checkpoint_state *s) {
    status st = checkpoint_writer_wait(w);
    if (st != STATUS_OK) return st;
    snprintf(w->folder, sizeof w->folder, "%s", folder);
    copy_state(w, stage, s);
    start(w);
    return STATUS_OK;
}

status checkpoint_writer_wait(checkpoint_writer *w) {
    if (!w->begun) return STATUS_OK;
    if (w->threaded) pthread_join(w->thread, NULL);
    w->begun = false;
    if (w->result == STATUS_OK) {
        w->sum.count++;
        w->sum.step = w->file.step;
        w->sum.seconds += w->seconds;
    }
    return w->result;
}

status checkpoint_writer_poll(checkpoint_writer *w) {
    return w->begun && atomic_load(&w->done) ? checkpoint_writer_wait(w) : STATUS_OK;
}

checkpoint_writer_sum checkpoint_writer_written(const checkpoint_writer *w) {
    return w->sum;
}
