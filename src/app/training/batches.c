/* The batches of a training: what each place of a step's batch shows is computed from the seed and
 * the step, by whichever thread comes to it. There is one more buffer than batches are made ahead:
 * the network works on one while the loader fills the others. No batch has a history: nothing but
 * the step and a place's number in the global batch goes into it, so that neither ranks nor threads
 * nor a restart can change what it shows. */
#include "src/app/training/batches.h"

#include "src/app/training/loader.h"
#include "src/base/hook.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* A test's: the first pixel of a step's batch is NaN. */
static hook bad_image = {.name = "IMAGE"};

/* Share of a step. */
static const double NOTICED = 0.05;

struct batches {
    trainer *t;
    batches_options o;
    loader *l;
    int buffers;
    batch *buffer;  /* [buffers] */
    void **pointer; /* [buffers], where they are */
};

static size_t view_bytes(const trainer *t) {
    return (size_t)t->o.crop * (size_t)t->o.crop * 3 * sizeof(float);
}

/* Places are counted over the global batch: 1, 3, 5 ... have no labels. */
int batches_unlabelled(const trainer *t, int i) {
    int place = t->first + i;
    return place % 2 ? place / 2 - t->first / 2 : -1;
}

/* Of this rank, those that something labels. */
static size_t taught_places(const batches *b) {
    const trainer *t = b->t;
    return b->o.taught ? (size_t)((t->first + t->local) / 2 - t->first / 2) : 0;
}

/* Memory for this rank's part of a batch; what fails is freed by batches_destroy. A rank without
 * images in the batch has empty ones: it takes part in every exchange all the same. */
static status buffer_create(const batches *b, batch *buffer) {
    const trainer *t = b->t;
    buffer->of = b;
    size_t local = (size_t)t->local, pixels = (size_t)b->o.label_height * (size_t)b->o.label_width;
    buffer->source = memory_alloc(local / (size_t)t->o.together, sizeof *buffer->source, "batch");
    buffer->input = memory_alloc(local, view_bytes(t), "batch");
    buffer->label = memory_alloc(local * pixels, sizeof *buffer->label, "labels of a batch");
    size_t cells = (size_t)b->o.grid_height * (size_t)b->o.grid_width;
    buffer->grid = memory_alloc(local * cells, sizeof *buffer->grid, "labels of a batch");
    buffer->chosen = memory_alloc(local * (size_t)b->o.wanted, sizeof *buffer->chosen, "batch");
    buffer->count = memory_alloc(local, sizeof *buffer->count, "batch");
    buffer->labelled = memory_alloc(local, sizeof *buffer->labelled, "batch");
    size_t places = taught_places(b);
    buffer->other = memory_alloc(places, sizeof *buffer->other, "batch");
    buffer->box = memory_alloc(places, sizeof *buffer->box, "batch");
    buffer->plain = memory_alloc(2 * places, view_bytes(t), "batch");
    if (!buffer->other || !buffer->box || !buffer->plain || !buffer->grid || !buffer->labelled)
        return STATUS_FAILED;
    return buffer->source && buffer->input && buffer->label && buffer->chosen && buffer->count
               ? STATUS_OK
               : STATUS_FAILED;
}

static void buffer_destroy(batch *buffer) {
    memory_free(buffer->source);
    memory_free(buffer->input);
    memory_free(buffer->label);
    memory_free(buffer->grid);
    memory_free(buffer->chosen);
    memory_free(buffer->count);
    memory_free(buffer->labelled);
    memory_free(buffer->other);
    memory_free(buffer->box);
    memory_free(buffer->plain);
}

/* Half of the places each: an epoch of the labelled images takes twice as many steps as it would
 * alone. Those without labels come in pairs, whether they are mixed or not, so that a method's
 * images do not depend on that. */
static void begin_halves(batches *b, batch *next) {
    const trainer *t = b->t;
    int64_t without = t->o.images / 2, with = t->o.images - without;
    for (int i = 0; i < t->local; i++) {
        int place = t->first + i, j = batches_unlabelled(t, i);
        int64_t pair = 2 * (next->step * without + place / 2);
        next->source[i] = j < 0 ? order_at(b->o.sequence, next->step * with + place / 2)
                                : order_at(b->o.unlabelled, pair);
        if (j >= 0 && b->o.taught) next->other[j] = order_at(b->o.unlabelled, pair + 1);
    }
}

/* order_at keeps the permutation of an epoch, so that steps must begin in order, one at a time; the
 * loader's lock sees to it. */
static void begin(void *context, void *buffer, int64_t step) {
    batches *b = context;
    const trainer *t = b->t;
    batch *next = buffer;
    next->step = step;
    if (b->o.unlabelled) {
        begin_halves(b, next);
        return;
    }
    for (int i = 0; i < t->local; i += t->o.together)
        next->source[i / t->o.together] =
            order_at(b->o.sequence, (step * t->o.images + t->first + i) / t->o.together);
}

static status make(void *context, void *buffer, int part) {
    batches *b = context;
    return b->o.make(b->o.context, buffer, part);
}

/* Two numbers of a stream an image, whether it has one view or two: the first view is the same in
 * both stages. */
random_stream batch_stream(const batch *b, int i, int number) {
    const trainer *t = b->of->t;
    uint64_t item = (uint64_t)(t->first + i) * (uint64_t)(2 / t->o.together) + (uint64_t)number;
    return random_begin((uint64_t)t->s->run.seed, RANDOM_AUGMENT, (uint64_t)b->step, item);
}

status batch_view(batch *b, int i, const sample *m, const labelmap *labels, view *v) {
    const batches *all = b->of;
    const trainer *t = all->t;
    int h = all->o.label_height, w = all->o.label_width;
    random_stream r = batch_stream(b, i, 0);
    view drawn = view_draw(&r, &all->o.views, m->height, m->width);
    uint16_t *to = b->label + (size_t)i * (size_t)(h * w);
    if (labels)
        view_labels(&drawn, m->height, m->width, labels, h, w, to);
    else
        memset(to, 0xff, (size_t)(h * w) * sizeof *to); /* LABEL_IGNORE */
    if (v) *v = drawn;
    return view_image(&drawn, m->height, m->width, &m->rgb,
        b->input + (size_t)i * view_bytes(t) / sizeof *b->input);
}

/* Buffers before threads: these begin at once. From the step at which the trainer goes on; `depth`
 * is how many batches are made ahead of the one in use. */
static status start(batches *b, int threads) {
    trainer *t = b->t;
    loader_options o = {.first = t->step,
        .end = t->o.steps,
        .depth = b->buffers - 1,
        .threads = threads,
        .team = t->threads};
    loader_source source = {b, t->local / t->o.together, begin, make};
    status st = STATUS_OK;
    for (int i = 0; i < b->buffers && st == STATUS_OK; i++) {
        b->pointer[i] = &b->buffer[i];
        st = buffer_create(b, &b->buffer[i]);
    }
    return st == STATUS_OK ? loader_create(&b->l, &source, &o, b->pointer) : st;
}

static void print_plan(const batches *b, int threads) {
    const trainer *t = b->t;
    size_t pixels = (size_t)b->o.label_height * (size_t)b->o.label_width +
                    (size_t)b->o.grid_height * (size_t)b->o.grid_width;
    size_t bytes = view_bytes(t) + pixels * sizeof(uint16_t) + (size_t)b->o.wanted * sizeof(int);
    if (threads > 0)
        log_detail("%s: %d loader thread(s) a rank, %d batches ahead, %.1f MiB", t->o.stage,
            threads, b->buffers - 1,
            (double)((size_t)b->buffers * (size_t)t->local * bytes) / 1048576);
    else
        log_detail("%s: batches are made by the threads of the step", t->o.stage);
}

/* Memory and threads may be lacking on one rank alone: all of them hear of it before the first
 * step. */
status batches_create(batches **out, trainer *t, const batches_options *o) {
    assert(t->local % t->o.together == 0);
    /* Without loader threads the step's own make the batch when it is due, in the one buffer. */
    int threads = t->s->run.loader_threads;
    batches *b = memory_alloc(1, sizeof *b, "batches");
    status st = b ? STATUS_OK : STATUS_FAILED;
    if (b) {
        *b = (batches){.t = t, .o = *o, .buffers = threads > 0 ? t->s->run.loader_depth + 1 : 1};
        b->o.views.input = &t->model.input;
        b->buffer = memory_alloc((size_t)b->buffers, sizeof *b->buffer, "batches");
        b->pointer = memory_alloc((size_t)b->buffers, sizeof *b->pointer, "batches");
        st = b->buffer && b->pointer ? start(b, threads) : STATUS_FAILED;
    }
    st = comm_agree(t->c, st);
    if (st == STATUS_OK) {
        print_plan(b, threads);
        *out = b;
    } else {
        batches_destroy(b);
    }
    return st;
}

void batches_destroy(batches *b) {
    if (!b) return;
    loader_destroy(b->l);
    for (int i = 0; b->buffer && i < b->buffers; i++) buffer_destroy(&b->buffer[i]);
    memory_free(b->buffer);
    memory_free(b->pointer);
    memory_free(b);
}

/* The time until here is what the step waited, which is the loader's measure. */
status batches_next(batches *b, batch **out) {
    trainer *t = b->t;
    double now = timer_now();
    void *buffer;
    status st = loader_next(b->l, &buffer);
    batch *next = buffer;
    assert(next->step == t->step);
    if (st == STATUS_OK && t->local > 0 && hook_now(&bad_image)) next->input[0] = NAN;
    /* The plan's own input becomes the loader's next buffer: nothing is copied. */
    trainer_input(t, &next->input);
    timer_lap(&t->time, PHASE_INPUT, now);
    *out = next;
    return st;
}

/* The share is of this start's steps alone, and of those that are timed, by rank 0's clock: what
 * was waited before a restart is gone. */
void batches_report(batches *b) {
    const trainer *t = b->t;
    double all = 0, steps = (double)(t->step - t->resumed);
    for (int p = 0; p < PHASE_COUNT; p++)
        if (p != PHASE_VALIDATION) all += t->time.seconds[p];
    /* A stage that was started for its last step, or none, has nothing to tell. */
    if (steps <= 0 || all <= 0) return;
    double wait = t->time.seconds[PHASE_INPUT] / all;
    /* Steps that wait for their input are what an operator can mend. */
    (wait > NOTICED ? log_info : log_detail)(
        "%s: input wait %.2f %% of a step; a batch of %d images takes %.1f ms of a core",
        t->o.stage, 100 * wait, t->local, 1000 * loader_seconds(b->l) / steps);
}
