/* The exchange of a step's gradient while the step still computes. Sums are int64: chunks may
 * arrive when they like, and MPI may add them as it likes. Every rank starts chunks in the same
 * order, as non-blocking collectives are matched by their order. A rank that runs ahead waits for
 * messages that the others start without it: there is no circle of waits. */
#include "mpi/gradient_sync.h"

#include "mpi/traffic.h"
#include "src/base/memory.h"
#include "src/base/pulse.h"

#include <assert.h>
#include <string.h>

/* Message k is the gradient's chunk k. Ranks start messages in this order, whatever they hold. */
struct gradient_sync {
    const comm *c; /* borrowed; NULL: one rank */
    gradient *gradient;
    int messages;    /* of a step */
    int started;     /* messages [0, started) are under way or done */
    bool starting;   /* the chunk of a message that begins is opened: there is room for it */
    size_t *missing; /* [messages], elements not ready yet */
    int32_t *flags;  /* [2, trainable], exponents and non-finite marks */
    exact_sums *sums;
};

/* Elements of the longest message. */
static size_t longest(const gradient *g) {
    size_t most = 0;
    for (int k = 0; k < g->chunks.count; k++)
        if (g->chunks.at[k].count > most) most = g->chunks.at[k].count;
    return most;
}

/* Memory first, on all ranks, then the communicator: making one is collective. One rank needs
 * none, and no messages. */
status gradient_sync_create(gradient_sync **out, const comm *c, gradient *g, bool alone) {
    gradient_sync *s = memory_alloc(1, sizeof *s, "gradient exchange");
    status mine = s ? STATUS_OK : STATUS_FAILED;
    if (s) {
        s->gradient = g;
        s->messages = g->chunks.count;
        size_t n = (size_t)s->messages, items = (size_t)g->parameters->trainable;
        s->missing = memory_alloc(n, sizeof *s->missing, "gradient exchange");
        s->flags = memory_alloc(2 * items, sizeof *s->flags, "gradient exchange");
        if (!s->missing || !s->flags) mine = STATUS_FAILED;
    }
    status all = comm_agree(c, mine);
    if (all == STATUS_OK && comm_size(c) > 1) {
        s->c = c;
        all = exact_sums_create(&s->sums, c, longest(g), GRADIENT_MESSAGES, alone);
    }
    if (all != STATUS_OK) {
        gradient_sync_destroy(s);
        return all;
    }
    *out = s;
    return STATUS_OK;
}

/* Nothing is under way then: every step has been ended. */
void gradient_sync_destroy(gradient_sync *s) {
    if (!s) return;
    exact_sums_destroy(s->sums);
    memory_free(s->missing);
    memory_free(s->flags);
    memory_free(s);
}

size_t gradient_sync_describe(const gradient_sync *s, char text[EXACT_SUM_TEXT]) {
    text[0] = '\0';
    if (!s->c) return 0;
    exact_sums_describe(s->sums, text);
    return exact_sums_bytes(s->sums);
}

/* All of chunk k is here. */
static void convert_whole(gradient *g, int k) {
    gradient_convert(g, k, 0, g->chunks.at[k].count);
    gradient_complete(g, k);
}

/* A rank has the sums of a part of a chunk, and its values are what goes to the others: half as
 * long, and no rank converts what another has. */
static void take(gradient_sync *s, const exact_sum_event *e) {
    gradient *g = s->gradient;
    switch (e->state) {
    case EXACT_SUM_PART:
        gradient_convert(g, e->id, e->begin, e->end);
        traffic_add((e->end - e->begin) * sizeof(float));
        exact_sums_spread(s->sums, e->id, gradient_values(g, e->id));
        break;
    case EXACT_SUM_SPREAD:
        gradient_complete(g, e->id);
        break;
    case EXACT_SUM_DONE:
        convert_whole(g, e->id);
        break;
    }
}

/* Takes what has arrived; `wait`: until something has, if any message is under way. */
static void test(gradient_sync *s, bool wait) {
    exact_sum_event event[GRADIENT_MESSAGES];
    int n = exact_sums_test(s->sums, wait, event);
    for (int i = 0; i < n; i++) take(s, &event[i]);
}

/* Starts the messages that are complete and whose turn it is, as long as there is room; at the end
 * what is missing will not come from this rank. */
static void start(gradient_sync *s, bool all) {
    gradient *g = s->gradient;
    while (s->started < s->messages && (all || s->missing[s->started] == 0) &&
           exact_sums_flying(s->sums) < GRADIENT_MESSAGES) {
        const gradient_chunk *chunk = &g->chunks.at[s->started];
        s->starting = true;
        gradient_open_chunk(g, s->started);
        s->starting = false;
        traffic_add(chunk->count * sizeof *chunk->sum);
        exact_sums_begin_part(s->sums, chunk->sum, chunk->count, s->started++);
    }
}

/* The hook of growing sums. Complete chunks that had no room go out first: else a parameter of
 * several chunks would find room at once for each of them, and hold ever more. Waiting cannot block
 * for ever: a rank has started the same message before, or comes to it, as it waits itself for
 * nothing but collectives that this rank has entered. */
static void wait_for_chunk(void *sync) {
    gradient_sync *s = sync;
    if (!s->c || s->starting) return;
    const gradient_chunks *chunks = &s->gradient->chunks;
    int held = chunks->held;
    test(s, false);
    start(s, false);
    /* What has arrived may be values, which no memory is given back for. */
    while (chunks->held >= held && exact_sums_flying(s->sums) == GRADIENT_MESSAGES) {
        test(s, true);
        start(s, false);
    }
}

/* The ready hook: elements [offset, offset + count) are complete on this rank. */
static void ready(void *sync, size_t offset, size_t count) {
    gradient_sync *s = sync;
    /* A parameter may lie in several chunks, and a chunk holds parts of several. */
    size_t end = offset + count;
    for (int k = 0; k < s->messages; k++) {
        const gradient_chunk *c = &s->gradient->chunks.at[k];
        size_t from = offset > c->offset ? offset : c->offset;
        size_t to = end < c->offset + c->count ? end : c->offset + c->count;
        if (from >= to) continue;
        assert(s->missing[k] >= to - from);
        s->missing[k] -= to - from;
        if (s->missing[k] == 0 && !s->c) convert_whole(s->gradient, k);
    }
    if (!s->c) return;
    test(s, false);
    start(s, false);
}

/* Every element is missing, and no request under way, before the hooks can be called. */
void gradient_sync_begin(gradient_sync *s, int units) {
    gradient *g = s->gradient;
    assert(!s->sums || exact_sums_flying(s->sums) == 0);
    gradient_begin(g, units);
    g->ready = ready;
    g->growing = wait_for_chunk;
    g->context = s;
    s->started = 0;
    for (int k = 0; k < s->messages; k++) s->missing[k] = g->chunks.at[k].count;
}

/* What arrives goes on its way; converting sums needs memory and threads, which are not to be had
 * inside of a parallel region. */
void gradient_sync_poll(void *sync) {
    gradient_sync *s = sync;
    pulse_tick();
    if (s->c) exact_sums_poll(s->sums);
}

/* Exponents of all ranks decide whether the step is repeated: they are gathered whether or not
 * anything was met here, and every rank decides from the same. */
status gradient_sync_end(gradient_sync *s, bool *repeat) {
    gradient *g = s->gradient;
    size_t n = (size_t)g->parameters->trainable;
    while (s->c && (s->started < s->messages || exact_sums_flying(s->sums) > 0)) {
        start(s, true);
        test(s, true);
    }
    /* One reduction for both lists: the largest exponent, and any mark. */
    memcpy(s->flags, g->exponent, n * sizeof *s->flags);
    memcpy(s->flags + n, g->nonfinite, n * sizeof *s->flags);
    comm_max_i32(s->c, s->flags, 2 * n);
    memcpy(g->exponent, s->flags, n * sizeof *s->flags);
    memcpy(g->nonfinite, s->flags + n, n * sizeof *s->flags);
    *repeat = gradient_rescale(g);
    return *repeat ? STATUS_OK : gradient_finish(g);
}
