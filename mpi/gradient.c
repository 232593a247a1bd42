#include "mpi/gradient.h"

#include "src/base/memory.h"

#include <assert.h>
#include <string.h>

/* Bytes of the largest message: MPI 3.1 counts are int, and no transfer reaches 2 GiB. */
static const size_t largest_message = (size_t)1 << 30;

/* The flat block of sums is cut from its end, as last layers are ready first: message m holds
 * elements [begin(m + 1), begin(m)). Ranks start messages in this order, whatever they hold. */
struct gradient_sync {
    comm *own; /* NULL: one rank */
    gradient *gradient;
    size_t length;        /* elements of a message, but for the last */
    int messages;         /* of a step */
    int started;          /* messages [0, started) are under way or done */
    size_t *missing;      /* [messages], elements not ready yet */
    MPI_Request *request; /* [messages] */
    int32_t *flags;       /* [2, trainable], exponents and non-finite marks */
};

static size_t message_begin(const gradient_sync *s, int m) {
    size_t count = s->gradient->parameters->count, before = (size_t)m * s->length;
    return before < count ? count - before : 0;
}

status gradient_sync_create(gradient_sync **out, const comm *c, gradient *g, size_t bucket) {
    gradient_sync *s = memory_alloc(1, sizeof *s, "gradient exchange");
    status mine = s ? STATUS_OK : STATUS_FAILED;
    if (s) {
        size_t bytes = bucket < largest_message ? bucket : largest_message;
        s->gradient = g;
        s->length = bytes / sizeof *g->sum > 0 ? bytes / sizeof *g->sum : 1;
        s->messages = (int)((g->parameters->count + s->length - 1) / s->length);
        size_t n = (size_t)s->messages;
        s->missing = memory_alloc(n, sizeof *s->missing, "gradient exchange");
        s->request = memory_alloc(n, sizeof *s->request, "gradient exchange");
        s->flags = memory_alloc(
            2 * (size_t)g->parameters->trainable, sizeof *s->flags, "gradient exchange");
        if (!s->missing || !s->request || !s->flags) mine = STATUS_FAILED;
    }
    status all = comm_agree(c, mine);
    if (all == STATUS_OK && comm_size(c) > 1) all = comm_agree(c, comm_create(&s->own, c->mpi));
    if (all != STATUS_OK) {
        gradient_sync_destroy(s);
        return all;
    }
    *out = s;
    return STATUS_OK;
}

void gradient_sync_destroy(gradient_sync *s) {
    if (!s) return;
    comm_destroy(s->own);
    memory_free(s->missing);
    memory_free(s->request);
    memory_free(s->flags);
    memory_free(s);
}

/* Starts the messages that are complete and whose turn it is; all of them at the end, when what is
 * missing will not come from this rank. */
static void start(gradient_sync *s, bool all) {
    for (; s->started < s->messages && (all || s->missing[s->started] == 0); s->started++) {
        size_t begin = message_begin(s, s->started + 1), end = message_begin(s, s->started);
        if (s->own)
            MPI_Iallreduce(MPI_IN_PLACE, s->gradient->sum + begin, (int)(end - begin), MPI_INT64_T,
                MPI_SUM, s->own->mpi, &s->request[s->started]);
    }
}

/* The ready hook: elements [offset, offset + count) are complete on this rank. */
static void ready(void *sync, size_t offset, size_t count) {
    gradient_sync *s = sync;
    size_t total = s->gradient->parameters->count, end = offset + count;
    assert(end <= total);
    for (int m = (int)((total - end) / s->length); m < s->messages; m++) {
        size_t low = message_begin(s, m + 1), high = message_begin(s, m);
        if (high <= offset) break;
        size_t from = offset > low ? offset : low, to = end < high ? end : high;
        assert(s->missing[m] >= to - from);
        s->missing[m] -= to - from;
    }
    start(s, false);
}

void gradient_sync_begin(gradient_sync *s, int units) {
    gradient_begin(s->gradient, units);
    s->gradient->ready = ready;
    s->gradient->context = s;
    s->started = 0;
    for (int m = 0; m < s->messages; m++) {
        s->missing[m] = message_begin(s, m) - message_begin(s, m + 1);
        s->request[m] = MPI_REQUEST_NULL;
    }
}

void gradient_sync_poll(void *sync) {
    gradient_sync *s = sync;
    int done;
    if (s->own) MPI_Testall(s->started, s->request, &done, MPI_STATUSES_IGNORE);
}

status gradient_sync_end(gradient_sync *s, bool *repeat) {
    gradient *g = s->gradient;
    size_t n = (size_t)g->parameters->trainable;
    start(s, true);
    if (s->own) MPI_Waitall(s->messages, s->request, MPI_STATUSES_IGNORE);
    memcpy(s->flags, g->exponent, n * sizeof *s->flags);
    memcpy(s->flags + n, g->nonfinite, n * sizeof *s->flags);
    comm_max_i32(s->own, s->flags, 2 * n);
    memcpy(g->exponent, s->flags, n * sizeof *s->flags);
    memcpy(g->nonfinite, s->flags + n, n * sizeof *s->flags);
    *repeat = gradient_rescale(g);
    return *repeat ? STATUS_OK : gradient_finish(g);
}
