/* Distinct rows by their hashes: a rank collects what it has, until there are as many as anybody
 * wants to know of. Only where no rank has that many by itself are the sets united. */
#include "mpi/distinct_rows.h"

#include "src/base/hash.h"
#include "src/base/memory.h"

#include <stdbool.h>
#include <string.h>

/* Hashes are sent in so many parts: many ranks may have nearly `most` each. */
enum { PARTS = 16, PART_SHIFT = 60 };

/* Open addressing; 0 is an empty place, and no row's hash. */
typedef struct hash_set {
    uint64_t *place;
    size_t places; /* a power of two, at least twice the hashes */
    int64_t count;
} hash_set;

static status set_create(hash_set *s, int64_t most) {
    s->places = 16;
    while (s->places < 2 * (size_t)most) s->places *= 2;
    s->count = 0;
    s->place = memory_alloc(s->places, sizeof *s->place, "hashes of rows");
    return s->place ? STATUS_OK : STATUS_FAILED;
}

static void set_add(hash_set *s, uint64_t hash) {
    size_t at = (size_t)hash & (s->places - 1);
    while (s->place[at] != 0 && s->place[at] != hash) at = (at + 1) & (s->places - 1);
    s->count += s->place[at] == 0;
    s->place[at] = hash;
}

/* This rank's rows, until `most` differ. */
static void add_rows(hash_set *s, const features *x, int64_t most) {
    size_t bytes = features_row_bytes(x);
    for (size_t i = 0; i < x->n && s->count < most; i++) {
        uint64_t hash = hash_bytes((const char *)x->data + i * bytes, bytes);
        set_add(s, hash ? hash : 1);
        features_passed(x, i, 1);
    }
    features_release(x, 0, x->n);
}

/* mine: the set's hashes of one part; returns how many. */
static size_t take_part(const hash_set *s, uint64_t part, uint64_t *mine) {
    size_t n = 0;
    for (size_t i = 0; i < s->places; i++)
        if (s->place[i] != 0 && s->place[i] >> PART_SHIFT == part) mine[n++] = s->place[i];
    return n;
}

/* The hashes of one part of all ranks: *sum more distinct ones. Collective. */
static status unite_part(const comm *c, const hash_set *own, uint64_t part, int64_t *sum) {
    size_t ranks = (size_t)comm_size(c), n = 0, all = 0;
    uint64_t *mine = memory_alloc((size_t)own->count, sizeof *mine, "hashes of rows");
    uint64_t *others = NULL;
    int64_t *count = memory_alloc(ranks, sizeof *count, "hashes of rows");
    size_t *bytes = memory_alloc(ranks, sizeof *bytes, "hashes of rows");
    hash_set whole = {0};
    status st = comm_agree(c, mine && count && bytes ? STATUS_OK : STATUS_FAILED);
    if (st != STATUS_OK) goto done;
    n = take_part(own, part, mine);
    count[comm_rank(c)] = (int64_t)n;
    comm_sum_i64(c, count, ranks);
    for (size_t r = 0; r < ranks; r++) {
        all += (size_t)count[r];
        bytes[r] = (size_t)count[r] * sizeof *mine;
    }
    others = memory_alloc(all, sizeof *others, "hashes of rows");
    st = others ? set_create(&whole, (int64_t)all) : STATUS_FAILED;
    st = comm_agree(c, st);
    if (st != STATUS_OK) goto done;
    comm_gather(c, mine, bytes, others);
    for (size_t i = 0; i < all; i++) set_add(&whole, others[i]);
    *sum += whole.count;
done:
    memory_free(mine);
    memory_free(others);
    memory_free(count);
    memory_free(bytes);
    memory_free(whole.place);
    return st;
}

status distinct_rows(const comm *c, const features *x, int64_t most, int64_t *count) {
    hash_set own = {0};
    status st = comm_agree(c, set_create(&own, most));
    int64_t sum = 0;
    if (st == STATUS_OK) {
        add_rows(&own, x, most);
        double largest = (double)own.count;
        comm_max_f64(c, &largest, 1);
        sum = (int64_t)largest;
    }
    if (st == STATUS_OK && sum < most && comm_size(c) > 1) {
        sum = 0;
        for (uint64_t part = 0; st == STATUS_OK && part < PARTS; part++)
            st = unite_part(c, &own, part, &sum);
    }
    memory_free(own.place);
    *count = sum < most ? sum : most;
    return st;
}
