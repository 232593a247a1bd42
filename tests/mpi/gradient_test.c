/* The exchange of gradients at any number of ranks gives the bits of one rank, also when a rank has
 * no units, and agrees on repeats and on non-finite values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mpi/gradient.h"
#include "mpi/shard.h"
#include "src/base/memory.h"
#include "src/base/random.h"

#include <math.h>
#include <string.h>

enum { ITEMS = 7, COUNT = 5003 + 12 + 999 + 1 + 64 + 3000 + 31 };

static comm *world;

static parameters *create_parameters(void) {
    const int64_t size[ITEMS] = {5003, 12, 999, 1, 64, 3000, 31};
    parameter declared[ITEMS];
    memset(declared, 0, sizeof declared);
    for (int i = 0; i < ITEMS; i++) {
        declared[i].name[0] = (char)('a' + i);
        declared[i].dims = 1;
        declared[i].shape[0] = size[i];
        declared[i].trainable = true;
    }
    parameters *p = NULL;
    assert_int_equal(parameters_from(&p, declared, ITEMS), STATUS_OK);
    assert_int_equal(p->count, COUNT);
    return p;
}

static void unit_gradient(float *x, int step, int unit) {
    random_stream r = random_begin(2, RANDOM_SYNTH, (uint64_t)step, (uint64_t)unit);
    for (int i = 0; i < COUNT; i++) x[i] = (float)random_normal(&r);
}

/* What plan_backward does: items from the last to the first, this rank's units, ready, poll.
 * Items 2 and 3 come in the other order: the graph's last use decides, not the list. */
static void backward(gradient *g, int step, int begin, int end, gradient_sync *sync) {
    const int order[ITEMS] = {6, 5, 4, 2, 3, 1, 0};
    float *x = memory_alloc(COUNT, sizeof *x, "gradient");
    for (int k = 0; k < ITEMS && begin < end; k++) {
        int i = order[k];
        for (int u = begin; u < end; u++) {
            unit_gradient(x, step, u);
            const parameter *p = &g->parameters->item[i];
            gradient_add(g, i, x + p->offset, 0, p->count);
        }
        gradient_ready(g, i);
        if (sync) gradient_sync_poll(sync);
    }
    memory_free(x);
}

/* value [COUNT]: the gradient of steps 0 and 1 on one rank without MPI, step 1's. */
static void alone(float *value, int units) {
    parameters *p = create_parameters();
    gradient *g = gradient_create(p);
    for (int step = 0; step < 2; step++) {
        do {
            gradient_begin(g, units);
            backward(g, step, 0, units, NULL);
        } while (gradient_rescale(g));
        assert_int_equal(gradient_finish(g), STATUS_OK);
    }
    memcpy(value, g->value, COUNT * sizeof *value);
    gradient_destroy(g);
    parameters_destroy(p);
}

static void check_exchange(const comm *c, int units, size_t bucket) {
    parameters *p = create_parameters();
    gradient *g = gradient_create(p);
    gradient_sync *s = NULL;
    assert_int_equal(gradient_sync_create(&s, c, g, bucket), STATUS_OK);
    int rank = comm_rank(c), size = comm_size(c), tries = 0;
    for (int step = 0; step < 2; step++) {
        bool repeat;
        do {
            gradient_sync_begin(s, units);
            backward(g, step, (int)shard_begin(units, rank, size),
                (int)shard_begin(units, rank + 1, size), s);
            assert_int_equal(gradient_sync_end(s, &repeat), STATUS_OK);
            tries++;
        } while (repeat);
    }
    assert_int_equal(tries, 3); /* unknown scales once */
    float *expected = memory_alloc(COUNT, sizeof *expected, "gradient");
    alone(expected, units);
    assert_memory_equal(g->value, expected, COUNT * sizeof *expected);
    memory_free(expected);
    gradient_sync_destroy(s);
    gradient_destroy(g);
    parameters_destroy(p);
}

static void test_same_bits_as_alone(void **state) {
    (void)state;
    const size_t buckets[] = {17 * 8, 333 * 8, 4096 * 8, (size_t)1 << 40};
    for (int units = 1; units <= 9; units += 4)
        for (size_t i = units == 1 ? 0 : 1; i < 4; i++) check_exchange(world, units, buckets[i]);
    check_exchange(NULL, 3, 4096);
}

static void test_nonfinite_is_told_everywhere(void **state) {
    (void)state;
    parameters *p = create_parameters();
    gradient *g = gradient_create(p);
    gradient_sync *s = NULL;
    bool repeat = true;
    assert_int_equal(gradient_sync_create(&s, world, g, 4096), STATUS_OK);
    gradient_sync_begin(s, world->size);
    if (world->rank == world->size - 1) gradient_add(g, 3, (float[]){NAN}, 0, 1);
    assert_int_equal(gradient_sync_end(s, &repeat), STATUS_NONFINITE);
    assert_false(repeat);
    gradient_sync_destroy(s);
    gradient_sync_destroy(NULL);
    gradient_destroy(g);
    parameters_destroy(p);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits_as_alone),
        cmocka_unit_test(test_nonfinite_is_told_everywhere),
    };
    MPI_Init(&argc, &argv);
    if (comm_create(&world, MPI_COMM_WORLD) != STATUS_OK) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_destroy(world);
    MPI_Finalize();
    return failed;
}
