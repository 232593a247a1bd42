/* The exchange of gradients at any number of ranks gives the bits of one rank, also when a rank has
 * no units, and agrees on repeats and on non-finite values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mpi/gradient_sync.h"
#include "mpi/shard.h"
#include "src/base/memory.h"
#include "src/base/random.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

enum { ITEMS = 7, COUNT = 40003 + 12 + 999 + 1 + 64 + 130000 + 31, PIECE = PARAMETER_BLOCK * 8 };

static comm *world;

static parameters *create_parameters(void) {
    const int64_t size[ITEMS] = {40003, 12, 999, 1, 64, 130000, 31};
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

/* x [count]: a parameter's gradient of a unit. */
static void unit_gradient(float *x, size_t count, int item, int step, int unit) {
    random_stream r =
        random_begin(2, RANDOM_SYNTH, (uint64_t)step, (uint64_t)(unit * ITEMS + item));
    for (size_t i = 0; i < count; i++) x[i] = (float)random_uniform(&r) - 0.5f;
}

/* What plan_backward does: items from the last to the first, this rank's units, ready, poll.
 * Items 2 and 3 come in the other order: the graph's last use decides, not the list. */
static void backward(gradient *g, int step, int begin, int end, gradient_sync *sync) {
    const int order[ITEMS] = {6, 5, 4, 2, 3, 1, 0};
    float *x = memory_alloc(COUNT, sizeof *x, "gradient");
    for (int k = 0; k < ITEMS && begin < end; k++) {
        int i = order[k];
        gradient_open(g, i);
        for (int u = begin; u < end; u++) {
            size_t count = g->parameters->item[i].count;
            unit_gradient(x, count, i, step, u);
            gradient_add(g, i, x, 0, count);
        }
        gradient_ready(g, i);
        if (sync) gradient_sync_poll(sync);
    }
    memory_free(x);
}

/* value [COUNT]: the gradient of steps 0 and 1 on one rank without MPI, step 1's. */
static void alone(float *value, int units) {
    parameters *p = create_parameters();
    gradient *g = gradient_create(p, GRADIENT_CHUNK);
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

/* expected [COUNT]: alone's */
static void check_exchange(
    const comm *c, int units, size_t bytes, bool alone, const float *expected) {
    parameters *p = create_parameters();
    gradient *g = gradient_create(p, bytes);
    gradient_sync *s = NULL;
    assert_int_equal(gradient_sync_create(&s, c, g, alone), STATUS_OK);
    int rank = comm_rank(c), size = comm_size(c), tries = 0;
    for (int step = 0; step < 2; step++) {
        bool repeat;
        do {
            gradient_sync_begin(s, units);
            backward(g, step, (int)shard_begin(units, rank, size),
                (int)shard_begin(units, rank + 1, size), s);
            assert_int_equal(gradient_sync_end(s, &repeat), STATUS_OK);
            assert_int_equal(g->chunks.held, 0);
            tries++;
        } while (repeat);
    }
    assert_int_equal(tries, 3); /* unknown scales once */
    assert_memory_equal(g->value, expected, COUNT * sizeof *expected);
    /* Chunks of the largest parameter and its neighbours, and what is under way. */
    int most = (int)(130000 * 8 / (bytes < PIECE ? PIECE : bytes)) + 3;
    assert_in_range(g->chunks.most, 1, most + (size > 1 ? GRADIENT_MESSAGES : 0));
    gradient_sync_destroy(s);
    gradient_destroy(g);
    parameters_destroy(p);
}

static void test_same_bits_as_alone(void **state) {
    (void)state;
    const size_t bytes[] = {1, PIECE + 1000, 3 * PIECE, (size_t)1 << 40};
    float *expected = memory_alloc(COUNT, sizeof *expected, "gradient");
    for (int units = 1; units <= 5; units += 4) {
        alone(expected, units);
        for (int i = 0; i < 4; i++) check_exchange(world, units, bytes[i], i != 1, expected);
        check_exchange(world, units, 1, false, expected);
        if (units == 5) check_exchange(NULL, units, 1, true, expected);
    }
    memory_free(expected);
}

static void test_nonfinite_is_told_everywhere(void **state) {
    (void)state;
    parameters *p = create_parameters();
    gradient *g = gradient_create(p, 1);
    gradient_sync *s = NULL;
    bool repeat = true;
    assert_int_equal(gradient_sync_create(&s, world, g, true), STATUS_OK);
    for (int i = 0; i < ITEMS; i++) g->scale[i] = 30 + i;
    gradient_sync_begin(s, world->size);
    if (world->rank == world->size - 1) {
        gradient_open(g, 3);
        gradient_add(g, 3, (float[]){NAN}, 0, 1);
        for (int i = ITEMS - 1; i >= 0; i--) gradient_ready(g, i);
    }
    assert_int_equal(gradient_sync_end(s, &repeat), STATUS_NONFINITE);
    assert_false(repeat);
    assert_string_equal(gradient_fault(g), p->item[3].name);
    for (int i = 0; i < ITEMS; i++) assert_int_equal(g->scale[i], 30 + i);
    /* The exchange goes on with a step that is finite. */
    gradient_sync_begin(s, world->size);
    assert_int_equal(gradient_sync_end(s, &repeat), STATUS_OK);
    assert_false(repeat);
    assert_null(gradient_fault(g));
    assert_true(gradient_norm(g) == 0.0);
    gradient_sync_destroy(s);
    gradient_sync_destroy(NULL);
    gradient_destroy(g);
    parameters_destroy(p);
}

/* Parameters of several chunks each, and a rank that is late: the others wait for it, rather than
 * hold more of their sums with each parameter. */
static void test_ahead_holds_little(void **state) {
    enum { LAYERS = 12, CHUNKS = 4 };
    parameter declared[LAYERS];
    parameters *p = NULL;
    gradient_sync *s = NULL;
    bool repeat;
    (void)state;
    memset(declared, 0, sizeof declared);
    for (int i = 0; i < LAYERS; i++) {
        declared[i].name[0] = (char)('a' + i);
        declared[i].dims = 1;
        declared[i].shape[0] = CHUNKS * PARAMETER_BLOCK;
        declared[i].trainable = true;
    }
    assert_int_equal(parameters_from(&p, declared, LAYERS), STATUS_OK);
    gradient *g = gradient_create(p, 1);
    assert_int_equal(g->chunks.count, LAYERS * CHUNKS);
    assert_int_equal(gradient_sync_create(&s, world, g, true), STATUS_OK);
    gradient_sync_begin(s, world->size);
    for (int i = LAYERS; i-- > 0;) {
        gradient_open(g, i);
        gradient_add(g, i, (float[]){1}, 0, 1);
        if (world->rank == world->size - 1) usleep(3000);
        gradient_ready(g, i);
        gradient_sync_poll(s);
    }
    assert_int_equal(gradient_sync_end(s, &repeat), STATUS_OK);
    assert_in_range(g->chunks.most, 1, CHUNKS + (world->size > 1 ? GRADIENT_MESSAGES : 0));
    gradient_sync_destroy(s);
    gradient_destroy(g);
    parameters_destroy(p);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits_as_alone),
        cmocka_unit_test(test_nonfinite_is_told_everywhere),
        cmocka_unit_test(test_ahead_holds_little),
    };
    MPI_Init(&argc, &argv);
    if (comm_create(&world, MPI_COMM_WORLD) != STATUS_OK) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_destroy(world);
    MPI_Finalize();
    return failed;
}
