/* k-means stopped after any iteration and continued on any number of ranks: the same bits, and no
 * iteration reported twice or left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/mpi/kmeans_data.h"

#include <math.h>
#include <string.h>

static comm *world;

/* Reports of a run; the state of the one after which it stops is kept. */
typedef struct record {
    int64_t reports, first, stop_at; /* stop_at 0: never */
    double objective[256];           /* by pass */
    kmeans_state state;
} record;

static status watch(void *context, const kmeans_iteration *it) {
    record *r = context;
    const kmeans_state *s = it->state;
    if (r->reports++ == 0) r->first = s->passes;
    assert_true(s->passes < 256);
    assert_int_equal(s->passes, r->first + r->reports - 1);
    assert_int_equal(s->restart, it->restart);
    assert_int_equal(s->iteration, it->iteration);
    r->objective[s->passes] = it->objective;
    if (s->passes != r->stop_at) return STATUS_OK;
    r->state = *s;
    assert_int_equal(kmeans_state_create(&r->state), STATUS_OK);
    size_t bytes = (size_t)s->k * (size_t)s->d * sizeof *s->centroids;
    memcpy(r->state.centroids, s->centroids, bytes);
    if (s->best) memcpy(r->state.best, s->best, bytes);
    if (s->count) memcpy(r->state.count, s->count, (size_t)s->k * sizeof *s->count);
    return STATUS_STOPPED;
}

static status run(const comm *c, const kmeans_options *o, data *s, const float *start, record *r,
    kmeans_result *out) {
    features x = part_of(s, c);
    return kmeans_run(c, o, &x, start, watch, r, out);
}

/* One rank's state continued by all, or all ranks' by one. */
static void check_stop(
    const kmeans_options *o, data *s, const float *start, int64_t at, bool gather) {
    record whole = {0}, stopped = {.stop_at = at}, rest = {0};
    kmeans_result want, have, none;
    const comm *before = gather ? world : NULL, *after = gather ? NULL : world;
    kmeans_options next = *o;
    assert_int_equal(run(NULL, o, s, start, &whole, &want), STATUS_OK);
    assert_true(at <= whole.reports);
    assert_int_equal(run(before, o, s, start, &stopped, &none), STATUS_STOPPED);
    next.resume = &stopped.state;
    assert_int_equal(run(after, &next, s, start, &rest, &have), STATUS_OK);
    assert_int_equal(stopped.reports + rest.reports, whole.reports);
    if (rest.reports > 0) assert_int_equal(rest.first, at + 1);
    for (int64_t i = at + 1; i <= whole.reports; i++)
        assert_memory_equal(&rest.objective[i], &whole.objective[i], sizeof(double));
    features mine = part_of(s, after);
    assert_memory_equal(
        have.centroids, want.centroids, (size_t)o->k * DATA_D * sizeof *want.centroids);
    assert_memory_equal(have.label, want.label + mine.before, mine.n * sizeof *want.label);
    assert_memory_equal(&have.objective, &want.objective, sizeof(double));
    assert_memory_equal(&have.outlier_threshold, &want.outlier_threshold, sizeof(double));
    assert_int_equal(have.iterations, want.iterations);
    kmeans_state_destroy(&stopped.state);
    result_destroy(&want);
    result_destroy(&have);
}

static int64_t passes(const kmeans_options *o, data *s, const float *start) {
    record r = {0};
    kmeans_result out;
    assert_int_equal(run(NULL, o, s, start, &r, &out), STATUS_OK);
    result_destroy(&out);
    return r.reports;
}

static kmeans_options options(void) {
    return (kmeans_options){.k = 10,
        .iterations = 6,
        .restarts = 3,
        .threads = 1,
        .cosine = 1,
        .sample = 80,
        .seed = 5,
        .outliers = 0.05};
}

static void test_every_iteration_of_every_restart(void **state) {
    (void)state;
    data s = data_create();
    kmeans_options o = options();
    int64_t n = passes(&o, &s, NULL);
    assert_true(n > 2 * 3);
    for (int64_t at = 1; at <= n; at++) check_stop(&o, &s, NULL, at, at % 2);
    memory_free(s.x);
}

static void test_convergence_needs_no_memory_of_labels(void **state) {
    (void)state;
    data s = data_create();
    for (int tolerance = 0; tolerance < 2; tolerance++) {
        kmeans_options o = options();
        o.cosine = 0;
        o.restarts = 1;
        o.iterations = 100;
        o.tolerance = tolerance ? 0.002 : 0;
        int64_t n = passes(&o, &s, NULL);
        assert_true(n > 3 && n < 100);
        for (int64_t at = n - 2; at <= n; at++) check_stop(&o, &s, NULL, at, false);
    }
    memory_free(s.x);
}

/* Equal initial centroids: repairs read labels and distances, which a state does not hold. */
static void test_repairs_after_a_stop(void **state) {
    (void)state;
    data s = data_create();
    float start[10 * DATA_D];
    for (int a = 0; a < 10; a++) memcpy(start + a * DATA_D, s.x, DATA_D * sizeof *start);
    kmeans_options o = options();
    int64_t n = passes(&o, &s, start);
    for (int64_t at = 1; at <= 3 && at <= n; at++) check_stop(&o, &s, start, at, at % 2);
    memory_free(s.x);
}

static void test_every_batch(void **state) {
    (void)state;
    data s = data_create();
    kmeans_options o = options();
    o.batch = 30;
    o.restarts = 2;
    int64_t n = passes(&o, &s, NULL);
    assert_int_equal(n, 2 * (o.iterations + 1));
    for (int64_t at = 1; at <= n; at++) check_stop(&o, &s, NULL, at, at % 2);
    memory_free(s.x);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_iteration_of_every_restart),
        cmocka_unit_test(test_convergence_needs_no_memory_of_labels),
        cmocka_unit_test(test_repairs_after_a_stop),
        cmocka_unit_test(test_every_batch),
    };
    MPI_Init(&argc, &argv);
    if (comm_create(&world, MPI_COMM_WORLD) != STATUS_OK) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_destroy(world);
    MPI_Finalize();
    return failed;
}
