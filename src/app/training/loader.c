/* Batches made ahead of time by threads of their own. Parts (images) of the next steps are handed
 * out one by one in order, to the loader's threads as well as to the caller's, who helps with what
 * nobody has begun instead of waiting for a thread that may not get a core. All of it is under one
 * lock, taken once an image: milliseconds of work to a microsecond of locking. */
#include "src/app/training/loader.h"

#include "src/app/stage/binding.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/thread.h"
#include "src/base/timer.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Where a batch is made: of every (depth + 1)th step. */
typedef struct buffer {
    void *batch;
    int left;     /* parts that are not done */
    status worst; /* of those that are */
} buffer;

struct loader {
    loader_source source;
    loader_options o;
    int buffers, running; /* running: threads to join */
    buffer *buffer;       /* [buffers] */
    pthread_t *thread;    /* [threads] */
    pthread_mutex_t lock;
    pthread_cond_t work, ready; /* a buffer is free, or stop; a batch is done */
    int64_t due;                /* step that the caller has or waits for; first - 1 at the start */
    int64_t step, end;          /* step that parts are handed out of; no step is begun from `end` */
    int part;                   /* next one of that step */
    bool stop;
    status failed; /* of the batch that was handed out last: none comes after one that failed */
    double seconds;
};

typedef struct task {
    buffer *buffer;
    int64_t step;
    int part;
} task;

/* Steps go through the buffers in turn: with depth + 1 of them the batch in use and those ahead
 * never meet. */
static buffer *buffer_of(loader *l, int64_t step) {
    return &l->buffer[(step - l->o.first) % l->buffers];
}

/* The next part of a step up to `last`, or false. Holds the lock, also while a step begins: steps
 * begin in order. A step is begun by whoever takes its first part. Its buffer is free: `last` never
 * reaches further than `depth` steps beyond the one that the caller has. */
static bool take(loader *l, int64_t last, task *t) {
    if (l->part == l->source.parts) {
        if (l->step + 1 > last || l->step + 1 >= l->end) return false;
        l->step++;
        l->part = 0;
        buffer *b = buffer_of(l, l->step);
        b->left = l->source.parts;
        b->worst = STATUS_OK;
        l->source.begin(l->source.context, b->batch, l->step);
        if (l->source.parts == 0) return false; /* a rank without images */
    }
    *t = (task){buffer_of(l, l->step), l->step, l->part++};
    return true;
}

/* Called with the lock held, which it gives up meanwhile. */
static void make(loader *l, const task *t) {
    pthread_mutex_unlock(&l->lock);
    double began = timer_now();
    status st = l->source.make(l->source.context, t->buffer->batch, t->part);
    double seconds = timer_now() - began;
    pthread_mutex_lock(&l->lock);
    l->seconds += seconds;
    t->buffer->worst = status_worse(t->buffer->worst, st);
    /* Nothing after a step that failed can be used. */
    if (st != STATUS_OK && l->end > t->step + 1) l->end = t->step + 1;
    if (--t->buffer->left == 0) pthread_cond_signal(&l->ready);
}

/* Sleeps while all that may be made ahead is made; loader_next wakes it when a buffer is free. */
static void *work(void *context) {
    loader *l = context;
    task t;
    pthread_mutex_lock(&l->lock);
    while (!l->stop) {
        if (take(l, l->due + l->o.depth, &t))
            make(l, &t);
        else
            pthread_cond_wait(&l->work, &l->lock);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* OpenMP may have bound the caller to one core: the loader's threads may use all of the rank's. */
static status start_threads(loader *l) {
    cpu_set_t cores;
    binding_cores(&cores);
    int error = 0;
    for (; l->running < l->o.threads && error == 0; l->running += error == 0) {
        pthread_t *t = &l->thread[l->running];
        error = thread_start(t, work, l);
        if (error == 0 && CPU_COUNT(&cores) > 0) pthread_setaffinity_np(*t, sizeof cores, &cores);
    }
    if (error != 0) log_error("loader: no thread: %s", strerror(error));
    return error == 0 ? STATUS_OK : STATUS_FAILED;
}

/* Threads last: they begin to work on everything above. */
status loader_create(
    loader **out, const loader_source *source, const loader_options *o, void *const *batch) {
    assert(o->depth >= (o->threads > 0) && o->team > 0);
    loader *l = memory_alloc(1, sizeof *l, "loader");
    if (!l) return STATUS_FAILED;
    *l = (loader){.source = *source, .o = *o, .buffers = o->depth + 1, .end = o->end};
    /* A rank without images has nothing to make. */
    if (source->parts == 0) l->o.threads = 0;
    l->due = l->step = o->first - 1;
    l->part = source->parts;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->work, NULL);
    pthread_cond_init(&l->ready, NULL);
    l->buffer = memory_alloc((size_t)l->buffers, sizeof *l->buffer, "loader");
    l->thread = memory_alloc((size_t)l->o.threads, sizeof *l->thread, "loader");
    status st = l->buffer && l->thread ? STATUS_OK : STATUS_FAILED;
    for (int i = 0; st == STATUS_OK && i < l->buffers; i++) l->buffer[i].batch = batch[i];
    if (st == STATUS_OK) st = start_threads(l);
    if (st == STATUS_OK)
        *out = l;
    else
        loader_destroy(l);
    return st;
}

/* Threads that are making an image finish it first: nothing is freed under them. */
void loader_destroy(loader *l) {
    if (!l) return;
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_cond_broadcast(&l->work);
    pthread_mutex_unlock(&l->lock);
    for (int i = 0; i < l->running; i++) pthread_join(l->thread[i], NULL);
    pthread_cond_destroy(&l->ready);
    pthread_cond_destroy(&l->work);
    pthread_mutex_destroy(&l->lock);
    memory_free(l->thread);
    memory_free(l->buffer);
    memory_free(l);
}

/* What of the batch nobody has begun is made by the caller's threads. */
static void help(loader *l) {
#pragma omp parallel num_threads(l->o.team)
    {
        task t;
        pthread_mutex_lock(&l->lock);
        while (take(l, l->due, &t)) make(l, &t);
        pthread_mutex_unlock(&l->lock);
    }
}

/* A batch that failed is handed out once, with its status; there is none after it. */
status loader_next(loader *l, void **batch) {
    pthread_mutex_lock(&l->lock);
    if (l->failed != STATUS_OK) {
        pthread_mutex_unlock(&l->lock);
        return l->failed;
    }
    l->due++;
    assert(l->due < l->o.end);
    buffer *b = buffer_of(l, l->due);
    /* Whether a thread has taken the last part: if not, there is something to help with. */
    bool begun = l->step > l->due || (l->step == l->due && l->part == l->source.parts);
    if (!begun) {
        pthread_mutex_unlock(&l->lock);
        help(l);
        pthread_mutex_lock(&l->lock);
    }
    /* The rest is in the hands of the loader's threads. */
    while (b->left > 0) pthread_cond_wait(&l->ready, &l->lock);
    status st = l->failed = b->worst;
    *batch = b->batch;
    pthread_cond_broadcast(&l->work);
    pthread_mutex_unlock(&l->lock);
    return st;
}

/* Of all threads together: more than passes on the clock. */
double loader_seconds(loader *l) {
    pthread_mutex_lock(&l->lock);
    double seconds = l->seconds;
    pthread_mutex_unlock(&l->lock);
    return seconds;
}
