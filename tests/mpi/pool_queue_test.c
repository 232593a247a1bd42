/* Loss and gradient against pixels of earlier steps, as PyTorch has them, over steps that fill the
 * queue and run over its end, at any number of ranks with the bits of one, on nodes of one rank, of
 * two, and of all, and where there is no room for shared memory; in bf16 also the same bits; a
 * queue that rank 0 read from a file is what all others have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mpi/pool.h"
#include "mpi/shard.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 80, D = 20, CASES = 3, BLOCKS = 4 };

typedef struct header {
    int32_t steps, n, d, labels, places, kind;
} header;

static comm *world;
static float z[MOST * D], gradient[MOST * D], alone[MOST * D];
static int32_t label[MOST], image[MOST], partner[MOST], own_partner[MOST];
static double expected[MOST * D];

/* A queue and what uses it: of all ranks, or of one. */
typedef struct side {
    pool_queue *queue;
    pool_exchange *exchange;
} side;

static side begin(const comm *c, const header *h) {
    side s;
    assert_int_equal(pool_queue_create(&s.queue, c, h->labels, h->places, h->d), STATUS_OK);
    assert_int_equal(pool_exchange_create(&s.exchange, c, s.queue), STATUS_OK);
    return s;
}

static void end(side *s) {
    pool_exchange_destroy(s->exchange);
    pool_queue_destroy(s->queue);
}

static void read_all(FILE *f, void *to, size_t bytes) {
    assert_int_equal(fread(to, 1, bytes, f), bytes);
}

static double read_step(FILE *f, const header *h) {
    double loss;
    size_t n = (size_t)h->n, d = (size_t)h->d;
    read_all(f, z, n * d * sizeof *z);
    read_all(f, label, n * sizeof *label);
    read_all(f, image, n * sizeof *image);
    read_all(f, partner, n * sizeof *partner);
    read_all(f, &loss, sizeof loss);
    read_all(f, expected, n * d * sizeof *expected);
    return loss;
}

/* This rank's rows: blocks of partners are not parted. */
static contrast_pool own_rows(const header *h, size_t *first) {
    int rank = comm_rank(world), size = comm_size(world);
    int64_t block = h->n / BLOCKS, from = shard_begin(BLOCKS, rank, size) * block;
    int64_t to = shard_begin(BLOCKS, rank + 1, size) * block;
    *first = (size_t)from;
    for (int64_t i = from; i < to; i++)
        own_partner[i - from] = partner[i] < 0 ? -1 : partner[i] - (int32_t)from;
    return (contrast_pool){
        (size_t)(to - from), h->d, z + from * h->d, label + from, image + from, own_partner};
}

static void check_gradient(const header *h, int step) {
    double off = 0, norm = 0;
    for (int i = 0; i < h->n * h->d; i++) {
        off += ((double)alone[i] - expected[i]) * ((double)alone[i] - expected[i]);
        norm += expected[i] * expected[i];
    }
    if (!(norm > 0 && sqrt(off / norm) <= 1e-5))
        fail_msg("kind %d, step %d: gradient off by %.2g", h->kind, step, sqrt(off / norm));
}

/* The first loss is computed twice, as it is where a gradient is to be summed anew. */
static void check_step(
    const header *h, const contrast_options *o, side *all, side *one, int step, double right) {
    contrast_stats alone_stats, stats;
    size_t first;
    const contrast_pool rows = {(size_t)h->n, h->d, z, label, image, partner};
    const contrast_pool mine = own_rows(h, &first);
    assert_int_equal(pool_loss(one->exchange, o, &rows, &alone_stats, alone), STATUS_OK);
    for (int again = 0; again < (step == 0 ? 2 : 1); again++)
        assert_int_equal(pool_loss(all->exchange, o, &mine, &stats, gradient), STATUS_OK);
    if (o->type == DTYPE_F32) {
        if (!(fabs(alone_stats.loss - right) <= 1e-5 * right))
            fail_msg(
                "kind %d, step %d: loss %.9g for %.9g", h->kind, step, alone_stats.loss, right);
        check_gradient(h, step);
    }
    assert_memory_equal(&alone_stats, &stats, sizeof stats);
    if (mine.n > 0)
        assert_memory_equal(
            alone + first * (size_t)h->d, gradient, mine.n * (size_t)h->d * sizeof *gradient);
    pool_keep(one->exchange);
    pool_keep(all->exchange);
    const pixel_queue *a = &one->queue->rings, *b = &all->queue->rings;
    assert_memory_equal(a->z, b->z, pixel_queue_rows(a) * (size_t)h->d * sizeof *a->z);
    assert_memory_equal(a->image, b->image, pixel_queue_rows(a) * sizeof *a->image);
}

/* As after a checkpoint: new rings, filled on rank 0. */
static void hand_over(const header *h, side *all) {
    side next = begin(world, h);
    const pixel_queue *from = &all->queue->rings, *to = &next.queue->rings;
    size_t rows = pixel_queue_rows(from);
    if (comm_root(world)) {
        memcpy(to->z, from->z, rows * (size_t)h->d * sizeof *to->z);
        memcpy(to->image, from->image, rows * sizeof *to->image);
        memcpy(to->next, from->next, (size_t)h->labels * sizeof *to->next);
    }
    pool_queue_share(next.queue);
    end(all);
    *all = next;
}

static void check_case(FILE *f, dtype type, bool handed) {
    header h;
    double tau;
    read_all(f, &h, sizeof h);
    read_all(f, &tau, sizeof tau);
    assert_true(h.n <= MOST && h.d <= D && h.n % BLOCKS == 0);
    side all = begin(world, &h), one = begin(NULL, &h);
    contrast_options o = {.positives = h.kind == 1 ? POSITIVES_BOTH : POSITIVES_AUXILIARY,
        .scope = h.kind == 2 ? SCOPE_IMAGE : SCOPE_GLOBAL,
        .temperature = tau,
        .threads = 1,
        .type = type};
    for (int step = 0; step < h.steps; step++) {
        double right = read_step(f, &h);
        check_step(&h, &o, &all, &one, step, right);
        if (step == 1 && handed) hand_over(&h, &all);
    }
    end(&all);
    end(&one);
}

static void agrees_with_pytorch_on_any_ranks(void **state) {
    (void)state;
    static const char *const ranks_of_node[] = {"0", "1", "2", "1"};
    for (int k = 0; k < 4; k++) {
        setenv("AUXSEG_HOOK_NODE", ranks_of_node[k], 1);
        FILE *f = fopen(AUXSEG_TESTS "/fixtures/pixel_queue.bin", "rb");
        assert_non_null(f);
        /* Windows are slow to make on a busy machine: all cases once, then the first alone. */
        for (int i = 0; i < (k == 0 ? CASES : 1); i++)
            check_case(f, k == 3 ? DTYPE_BF16 : DTYPE_F32, k == 1);
        if (k == 0) assert_int_equal(fgetc(f), EOF);
        fclose(f);
    }
    unsetenv("AUXSEG_HOOK_NODE");
}

/* The queue finds no shared memory, which is passed once: each rank has its own, while the pool is
 * the node's. */
static void same_bits_without_room(void **state) {
    (void)state;
    FILE *f = fopen(AUXSEG_TESTS "/fixtures/pixel_queue.bin", "rb");
    assert_non_null(f);
    setenv("AUXSEG_HOOK_NO_SHARED_MEMORY", "1", 1);
    check_case(f, DTYPE_F32, true);
    unsetenv("AUXSEG_HOOK_NO_SHARED_MEMORY");
    fclose(f);
}

static void too_many_are_refused(void **state) {
    (void)state;
    pool_queue *q;
    assert_int_equal(pool_queue_create(&q, world, 65535, 100000, 4), STATUS_USAGE);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_pytorch_on_any_ranks),
        cmocka_unit_test(same_bits_without_room),
        cmocka_unit_test(too_many_are_refused),
    };
    MPI_Init(&argc, &argv);
    if (comm_create(&world, MPI_COMM_WORLD) != STATUS_OK) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_destroy(world);
    MPI_Finalize();
    return failed;
}
