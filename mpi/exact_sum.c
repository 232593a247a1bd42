/* Sums by messages. Ranks are numbered by digits, one for each prime factor of their number, the
 * nearest ranks by the first. In round r the ranks that differ in digit r alone split what they
 * hold among them: each sends the others their parts, and adds what it receives to its own. After
 * the last round every rank has the sum of 1 / ranks of the array; the same rounds backwards give
 * the parts to all. Each element goes over the wire about twice, whatever the number of ranks, and
 * the first rounds, which carry most, are those within a node.
 *
 * A sum is a little machine that takes a step whenever the messages of its round have come:
 * several sums are under way so that one adds while another's messages travel. */
#include "mpi/exact_sum.h"

#include "src/base/memory.h"
#include "src/base/pulse.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>

/* Rounds: 2^31 ranks have 31. Tags: what every MPI has. LEAST: elements of a piece, below which
 * more messages cost more than they hide: simulated, 257,000 elements on 256 nodes of 100 Gbit/s
 * take 0.53, 0.49, 0.50, 0.53, 0.62, 0.84 ms in 1, 2, 3, 4, 8, 16 pieces. */
enum { ROUNDS = 32, TAGS = 32768, LEAST = 1 << 17 };

typedef struct rounds {
    int count;
    int factor[ROUNDS];
    int stride[ROUNDS]; /* from a rank to the next of its group */
    int digit[ROUNDS];  /* this rank's place in its group */
} rounds;

typedef enum slot_phase {
    FREE,
    REDUCING,  /* the first half: parts are added */
    REDUCED,   /* this rank's part is; its floats are the caller's to make, who has not been told */
    TOLD,      /* and now has */
    SPREADING, /* the second half: parts go back to all */
    DONE,
} slot_phase;

/* A sum that is under way, or a free place for one. */
typedef struct slot {
    slot_phase phase;
    bool by_part; /* not the sums go back, but floats that are made of them */
    int round;
    int id, tag;
    int words, floats; /* of a row of x, of y */
    int64_t *x;
    float *y;                 /* the second half is of these, or NULL: of x */
    int64_t *received;        /* parts that are to be added */
    size_t begin[ROUNDS + 1]; /* rows that are left of x before round r: [begin, end) */
    size_t end[ROUNDS + 1];
} slot;

struct exact_sums {
    comm *c; /* owned */
    exact_sum_way way;
    rounds rounds;
    size_t rows; /* of the longest sum */
    int words;   /* of a row */
    int most, flying;
    int next;               /* of the tags */
    int width;              /* requests of a slot */
    slot *slot;             /* [most] */
    MPI_Request *request;   /* [most, width] */
    int *index;             /* [most x width], work of MPI_Testsome */
    exact_sum_event *event; /* [most], of sums that nobody asks for by name */
};

/* The smallest prime factor. */
static int prime_of(int n) {
    for (int f = 2; f * f <= n; f++)
        if (n % f == 0) return f;
    return n;
}

/* Adds the prime factors of n. */
static void add_factors(rounds *r, int n, int rank) {
    for (; n > 1; n /= r->factor[r->count++]) {
        int k = r->count, f = prime_of(n);
        r->factor[k] = f;
        r->stride[k] = k == 0 ? 1 : r->stride[k - 1] * r->factor[k - 1];
        r->digit[k] = rank / r->stride[k] % f;
    }
}

/* Ranks of a node are numbered one after another, or it is only slower. */
static rounds find_rounds(int ranks, int rank, int node) {
    rounds r = {0};
    bool within = node > 1 && ranks % node == 0;
    if (within) add_factors(&r, node, rank);
    add_factors(&r, within ? ranks / node : ranks, rank);
    return r;
}

static int largest_factor(const rounds *r) {
    int most = 2;
    for (int i = 0; i < r->count; i++)
        if (r->factor[i] > most) most = r->factor[i];
    return most;
}

exact_sum_way exact_sum_choose(int ranks, int node) {
    rounds r = find_rounds(ranks, 0, node);
    return largest_factor(&r) > EXACT_SUM_FACTOR ? EXACT_SUM_MPI : EXACT_SUM_FACTORS;
}

/* Ranks on each node, the same on all ranks; 0: they differ. Collective. */
static int node_of_all(const comm *c) {
    int32_t pair[2] = {c->node, -c->node};
    comm_max_i32(c, pair, 2);
    return pair[0] == -pair[1] ? pair[0] : 0;
}

/* The longest part of n elements in `parts`. */
static size_t part_of(size_t n, int parts) {
    return (n + (size_t)parts - 1) / (size_t)parts;
}

/* What the parts of one round take at most: those of the first, if rounds have the same factor. */
static size_t received_words(const exact_sums *s) {
    size_t n = s->rows, most = 0;
    for (int r = 0; r < s->rounds.count; r++) {
        n = part_of(n, s->rounds.factor[r]);
        size_t taken = n * (size_t)(s->rounds.factor[r] - 1);
        if (taken > most) most = taken;
    }
    return most * (size_t)s->words;
}

/* Memory for the parts of each sum; MPI has its own. */
static bool take_received(exact_sums *s) {
    size_t n = received_words(s);
    for (int i = 0; i < s->most && s->way == EXACT_SUM_FACTORS; i++) {
        s->slot[i].received = memory_alloc(n, sizeof *s->slot->received, "sums over ranks");
        if (!s->slot[i].received) return false;
    }
    return true;
}

/* All that a rank takes for itself. */
static status take_memory(exact_sums *s, int most, bool safe, int node) {
    s->way = safe ? exact_sum_choose(s->c->size, node) : EXACT_SUM_MPI;
    s->rounds = find_rounds(s->c->size, s->c->rank, node);
    s->most = most;
    s->width = 2 * (largest_factor(&s->rounds) - 1);
    size_t n = (size_t)most, all = n * (size_t)s->width;
    s->slot = memory_alloc(n, sizeof *s->slot, "sums over ranks");
    s->request = memory_alloc(all, sizeof *s->request, "sums over ranks");
    s->index = memory_alloc(all, sizeof *s->index, "sums over ranks");
    s->event = memory_alloc(n, sizeof *s->event, "sums over ranks");
    if (!s->slot || !s->request || !s->index || !s->event || !take_received(s))
        return STATUS_FAILED;
    for (size_t i = 0; i < all; i++) s->request[i] = MPI_REQUEST_NULL;
    return STATUS_OK;
}

status exact_sums_create_rows(
    exact_sums **out, const comm *c, size_t rows, int words, int most, bool safe) {
    exact_sums *s = memory_alloc(1, sizeof *s, "sums over ranks");
    status st = comm_agree(c, s ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK) {
        s->rows = rows;
        s->words = words;
        st = comm_create(&s->c, c->mpi);
    }
    st = comm_agree(c, st);
    int node = node_of_all(c);
    if (st == STATUS_OK) st = comm_agree(c, take_memory(s, most, safe, node));
    if (st != STATUS_OK)
        exact_sums_destroy(s);
    else
        *out = s;
    return st;
}

status exact_sums_create(exact_sums **out, const comm *c, size_t words, int most, bool safe) {
    return exact_sums_create_rows(out, c, words, 1, most, safe);
}

void exact_sums_destroy(exact_sums *s) {
    if (!s) return;
    for (int i = 0; s->slot && i < s->most; i++) memory_free(s->slot[i].received);
    comm_destroy(s->c);
    memory_free(s->slot);
    memory_free(s->request);
    memory_free(s->index);
    memory_free(s->event);
    memory_free(s);
}

size_t exact_sums_bytes(const exact_sums *s) {
    bool own = s->way == EXACT_SUM_FACTORS;
    return own ? (size_t)s->most * received_words(s) * sizeof(int64_t) : 0;
}

void exact_sums_describe(const exact_sums *s, char text[EXACT_SUM_TEXT]) {
    int used = snprintf(text, EXACT_SUM_TEXT, "%s",
        s->way == EXACT_SUM_MPI ? "MPI_Iallreduce" : "own messages, rounds of");
    for (int k = 0; k < s->rounds.count && s->way == EXACT_SUM_FACTORS; k++)
        used += snprintf(text + used, EXACT_SUM_TEXT - (size_t)used, k == 0 ? " %d" : " x %d",
            s->rounds.factor[k]);
    if (s->way == EXACT_SUM_FACTORS) snprintf(text + used, EXACT_SUM_TEXT - (size_t)used, " ranks");
}

int exact_sums_flying(const exact_sums *s) {
    return s->flying;
}

static MPI_Request *requests_of(const exact_sums *s, const slot *t) {
    return s->request + (size_t)(t - s->slot) * (size_t)s->width;
}

/* Part j of what round r splits, in rows: the first parts are the longer ones. */
static void part(const slot *t, const rounds *r, int round, int j, size_t *begin, size_t *end) {
    size_t n = t->end[round] - t->begin[round], parts = (size_t)r->factor[round], at = (size_t)j;
    size_t each = n / parts, longer = n % parts;
    *begin = t->begin[round] + at * each + (at < longer ? at : longer);
    *end = *begin + each + (at < longer);
}

/* Both messages between this rank and another, to and from which elements go; without elements
 * there is none. */
typedef struct message {
    const void *from;
    void *to;
    size_t out, in;
    MPI_Datatype type;
} message;

static void send(const exact_sums *s, const slot *t, int rank, const message *m, MPI_Request *two) {
    if (m->in > 0) MPI_Irecv(m->to, (int)m->in, m->type, rank, t->tag, s->c->mpi, &two[0]);
    if (m->out > 0) MPI_Isend(m->from, (int)m->out, m->type, rank, t->tag, s->c->mpi, &two[1]);
}

/* Rows of a sum as they go between two ranks. */
typedef struct rows_between {
    size_t own, other;    /* the first of this rank's part, of the other's */
    size_t owned, others; /* how many each part has */
    size_t taken;         /* rows that are received before */
} rows_between;

/* The first half sends the other its part, and takes what it has of this rank's; the second half is
 * the other way round, of sums or of what was made of them. */
static message message_of(const slot *t, const rows_between *b) {
    size_t w = (size_t)t->words, f = (size_t)t->floats;
    if (t->phase == REDUCING)
        return (message){t->x + b->other * w, t->received + b->taken * w, b->others * w,
            b->owned * w, MPI_INT64_T};
    if (t->y)
        return (message){
            t->y + b->own * f, t->y + b->other * f, b->owned * f, b->others * f, MPI_FLOAT};
    return (message){
        t->x + b->own * w, t->x + b->other * w, b->owned * w, b->others * w, MPI_INT64_T};
}

/* The messages of a round: parts go to whom they belong, and in the second half come from there. */
static void exchange(exact_sums *s, slot *t) {
    const rounds *r = &s->rounds;
    int k = t->round, mine = r->digit[k];
    MPI_Request *request = requests_of(s, t);
    rows_between b = {0};
    part(t, r, k, mine, &b.own, &b.owned);
    b.owned -= b.own;
    for (int i = 1; i < r->factor[k]; i++, request += 2, b.taken += b.owned) {
        int other = (mine + i) % r->factor[k], rank = s->c->rank + (other - mine) * r->stride[k];
        part(t, r, k, other, &b.other, &b.others);
        b.others -= b.other;
        message m = message_of(t, &b);
        send(s, t, rank, &m, request);
    }
}

/* What has come of a round of the first half. */
static void add_received(const exact_sums *s, slot *t) {
    const rounds *r = &s->rounds;
    size_t begin, end, w = (size_t)t->words;
    part(t, r, t->round, r->digit[t->round], &begin, &end);
    for (int i = 0; i < r->factor[t->round] - 1; i++)
        exact_sum_add(
            t->x + begin * w, t->received + (size_t)i * (end - begin) * w, (end - begin) * w);
    t->begin[t->round + 1] = begin;
    t->end[t->round + 1] = end;
}

static bool waits(const exact_sums *s, const slot *t) {
    const MPI_Request *request = requests_of(s, t);
    for (int i = 0; i < s->width; i++)
        if (request[i] != MPI_REQUEST_NULL) return true;
    return false;
}

/* The first half goes on to its next round, or is over. */
static void reduce(exact_sums *s, slot *t) {
    add_received(s, t);
    if (t->round + 1 < s->rounds.count)
        t->round++;
    else
        t->phase = t->by_part ? REDUCED : SPREADING;
    if (t->phase != REDUCED) exchange(s, t);
}

/* Rounds follow each other until one has to wait, for messages or for the caller. */
static void advance(exact_sums *s, slot *t) {
    while ((t->phase == REDUCING || t->phase == SPREADING) && !waits(s, t)) {
        if (s->way == EXACT_SUM_MPI) {
            t->phase = DONE;
        } else if (t->phase == REDUCING) {
            reduce(s, t);
        } else if (t->round > 0) {
            t->round--;
            exchange(s, t);
        } else {
            t->phase = DONE;
        }
    }
}

/* floats: 0, or of each row what is made of it; n: rows. */
static void begin(exact_sums *s, int64_t *x, size_t n, int id, int floats) {
    slot *t = s->slot;
    size_t words = n * (size_t)s->words;
    assert(s->flying < s->most && n <= s->rows && words <= INT_MAX);
    assert(n * (size_t)floats <= INT_MAX);
    while (t->phase != FREE) t++;
    int64_t *received = t->received;
    *t = (slot){.phase = REDUCING, .id = id, .tag = s->next, .x = x, .received = received};
    t->words = s->words;
    t->floats = floats;
    t->by_part = floats > 0 && s->way == EXACT_SUM_FACTORS;
    t->end[0] = n;
    s->next = (s->next + 1) % TAGS;
    s->flying++;
    if (s->c->size == 1)
        t->phase = DONE;
    else if (s->way == EXACT_SUM_MPI)
        MPI_Iallreduce(
            MPI_IN_PLACE, x, (int)words, MPI_INT64_T, MPI_SUM, s->c->mpi, requests_of(s, t));
    else
        exchange(s, t);
    advance(s, t); /* of parts that are all empty nothing comes that would do it */
}

void exact_sums_begin(exact_sums *s, int64_t *x, size_t n, int id) {
    begin(s, x, n, id, 0);
}

void exact_sums_begin_part(exact_sums *s, int64_t *x, size_t n, int id) {
    begin(s, x, n, id, 1);
}

void exact_sums_begin_rows(exact_sums *s, int64_t *x, size_t rows, int floats, int id) {
    begin(s, x, rows, id, floats);
}

void exact_sums_spread(exact_sums *s, int id, float *y) {
    slot *t = s->slot, *end = t + s->most;
    while (t < end && !(t->phase == TOLD && t->id == id)) t++;
    assert(t < end);
    t->phase = SPREADING;
    t->y = y;
    exchange(s, t);
    advance(s, t);
}

/* Only what has moved is looked at: a poll of nothing costs one call of MPI. */
static void look(exact_sums *s, bool wait) {
    int n;
    if (s->flying == 0) return;
    int all = s->most * s->width;
    if (wait) {
        pulse_wait();
        MPI_Waitsome(all, s->request, &n, s->index, MPI_STATUSES_IGNORE);
        pulse_go();
    } else {
        MPI_Testsome(all, s->request, &n, s->index, MPI_STATUSES_IGNORE);
    }
    if (n != 0)
        for (int i = 0; i < s->most; i++) advance(s, &s->slot[i]);
}

void exact_sums_poll(exact_sums *s) {
    look(s, false);
}

/* Whether there is something to tell of a sum: what is done makes room for another. */
static bool tell(exact_sums *s, slot *t, exact_sum_event *event) {
    int last = s->rounds.count;
    if (t->phase == REDUCED) {
        t->phase = TOLD;
        *event = (exact_sum_event){t->id, EXACT_SUM_PART, t->begin[last], t->end[last]};
        return true;
    }
    if (t->phase != DONE) return false;
    t->phase = FREE;
    s->flying--;
    *event = (exact_sum_event){t->id, t->y ? EXACT_SUM_SPREAD : EXACT_SUM_DONE, 0, 0};
    return true;
}

int exact_sums_test(exact_sums *s, bool wait, exact_sum_event *event) {
    int n = 0;
    look(s, false);
    do {
        for (int i = 0; i < s->most; i++) n += tell(s, &s->slot[i], &event[n]);
        if (n > 0 || !wait || s->flying == 0) return n;
        look(s, true);
    } while (true);
}

size_t exact_sums_piece(size_t n, int most) {
    size_t piece = n / (size_t)most + 1, least = n < LEAST ? n : LEAST;
    return piece > least ? piece : least;
}

/* Pieces go one behind the other: one is added while the next one travels. */
void exact_sums_whole(exact_sums *s, int64_t *x, size_t n) {
    size_t words = (size_t)s->words, begun = 0;
    size_t piece = (exact_sums_piece(n * words, s->most) + words - 1) / words;
    if (piece > s->rows) piece = s->rows;
    while (begun < n || s->flying > 0) {
        for (; begun < n && s->flying < s->most; begun += piece)
            exact_sums_begin(s, x + begun * words, n - begun < piece ? n - begun : piece, 0);
        exact_sums_test(s, true, s->event);
    }
}
