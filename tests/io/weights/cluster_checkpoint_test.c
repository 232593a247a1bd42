/* Checkpoints of the clustering: what comes back, what is refused, what a damaged one gives way to;
 * the same on every rank. */
#include "io/files/file.h"
#include "io/weights/checkpoint.h"
#include "io/weights/cluster_checkpoint.h"
#include "io/weights/safetensors.h"
#include "src/base/memory.h"
#include "tests/io/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

enum { K = 5, D = 3, SETTINGS = 77 };

static void fill(kmeans_state *s, int passes, int best, bool count) {
    *s = (kmeans_state){.k = K,
        .d = D,
        .restart = best + 1,
        .iteration = passes - 1,
        .repaired = 1,
        .changed = (int64_t)1 << 40,
        .passes = passes,
        .objective = 2.5 + passes,
        .before = passes == 1 ? INFINITY : 1e300,
        .best_restart = best,
        .best_iterations = 3,
        .best_objective = 1.25};
    assert_int_equal(kmeans_state_create(s), STATUS_OK);
    for (int i = 0; i < K * D; i++) {
        s->centroids[i] = (float)(passes * 100 + i);
        s->best[i] = (float)-i;
    }
    for (int a = 0; a < K; a++) s->count[a] = (int64_t)passes << 33;
    if (best < 0) memory_free(s->best), s->best = NULL;
    if (!count) memory_free(s->count), s->count = NULL;
}

static void save(int passes, int best, bool count) {
    kmeans_state s;
    fill(&s, passes, best, count);
    assert_int_equal(
        cluster_checkpoint_save(world, folder.folder, "cluster", SETTINGS, &s), STATUS_OK);
    kmeans_state_destroy(&s);
    comm_barrier(world);
}

/* passes 0: none is found. */
static void expect(int k, int d, uint64_t settings, int passes, int best, bool count) {
    kmeans_state have = {0}, want;
    bool found;
    assert_int_equal(
        cluster_checkpoint_load(world, folder.folder, "cluster", settings, k, d, &have, &found),
        STATUS_OK);
    comm_barrier(world);
    assert_true(found == (passes > 0));
    if (!found) return;
    fill(&want, passes, best, count);
    assert_true(have.k == K && have.d == D && have.restart == want.restart);
    assert_true(have.iteration == want.iteration && have.repaired == want.repaired);
    assert_true(have.changed == want.changed && have.passes == want.passes);
    assert_memory_equal(&have.objective, &want.objective, sizeof(double));
    assert_memory_equal(&have.before, &want.before, sizeof(double));
    assert_memory_equal(&have.best_objective, &want.best_objective, sizeof(double));
    assert_true(have.best_restart == want.best_restart);
    assert_true(have.best_iterations == want.best_iterations);
    assert_memory_equal(have.centroids, want.centroids, K * D * sizeof(float));
    if (want.best) assert_memory_equal(have.best, want.best, K * D * sizeof(float));
    if (want.count) assert_memory_equal(have.count, want.count, K * sizeof(int64_t));
    kmeans_state_destroy(&have);
    kmeans_state_destroy(&want);
}

static void clear(void) {
    checkpoint_clear(world, folder.folder, "cluster", SETTINGS);
    comm_barrier(world);
}

static void everything_comes_back(void **state) {
    (void)state;
    expect(K, D, SETTINGS, 0, -1, false);
    for (int kind = 0; kind < 4; kind++) {
        int best = kind % 2 ? 2 : -1;
        save(kind + 1, best, kind > 1);
        expect(K, D, SETTINGS, kind + 1, best, kind > 1);
    }
    clear();
    expect(K, D, SETTINGS, 0, -1, false);
}

static void others_are_not_continued(void **state) {
    (void)state;
    save(3, 0, false);
    expect(K + 1, D, SETTINGS, 0, -1, false);
    expect(K, D - 1, SETTINGS, 0, -1, false);
    expect(K, D, SETTINGS + 1, 0, -1, false);
    expect(K, D, SETTINGS, 3, 0, false);
    clear();
}

static void damaged_one_gives_way_to_the_one_before(void **state) {
    (void)state;
    for (int passes = 1; passes <= 4; passes++) save(passes, -1, false);
    if (comm_root(world)) {
        void *data;
        size_t bytes;
        const char *path;
        assert_false(file_exists(scratch_path(&folder, "cluster-2.safetensors")));
        path = scratch_path(&folder, "cluster-4.safetensors");
        assert_int_equal(file_read(path, 1 << 20, &data, &bytes), STATUS_OK);
        ((char *)data)[bytes - 9] ^= 1;
        scratch_write(path, data, bytes);
        memory_free(data);
    }
    comm_barrier(world);
    expect(K, D, SETTINGS, 3, -1, false);
    clear();
}

/* Whole by its checksums, but none that a run could have written. */
static void contradictions_are_refused(void **state) {
    (void)state;
    for (int kind = 0; kind < 5; kind++) {
        kmeans_state s;
        fill(&s, 2, 1, true);
        if (kind == 0) s.restart = 1; /* the best one is not before it */
        if (kind == 1) s.objective = NAN;
        if (kind == 2) s.centroids[D] = 1e30F; /* beyond what k-means computes with */
        if (kind == 3) s.best[0] = -1e16F;
        if (kind == 4) s.count[K - 1] = -1;
        assert_int_equal(
            cluster_checkpoint_save(world, folder.folder, "cluster", SETTINGS, &s), STATUS_OK);
        kmeans_state_destroy(&s);
        comm_barrier(world);
        expect(K, D, SETTINGS, 0, -1, false);
        clear();
    }
}

/* The same file with another first centroid, and checksums that fit it. */
static void spoil(const char *path) {
    enum { TENSORS = 8 };
    safetensors *f = NULL;
    tensor_info tensor[TENSORS];
    float centroids[K * D];
    const char *metadata[2 * TENSORS];
    int pairs = 0;
    assert_int_equal(safetensors_read(&f, path), STATUS_OK);
    int n = safetensors_count(f), at = safetensors_find(f, "centroids");
    for (int i = 0; i < n; i++) tensor[i] = safetensors_get(f, i);
    memcpy(centroids, tensor[at].data, sizeof centroids);
    centroids[0] = NAN;
    tensor[at].data = centroids;
    while (safetensors_metadata_at(f, pairs, &metadata[2 * pairs], &metadata[2 * pairs + 1]))
        pairs++;
    assert_int_equal(safetensors_write(path, tensor, n, metadata, pairs), STATUS_OK);
    safetensors_close(f);
}

static void centroids_are_finite(void **state) {
    (void)state;
    kmeans_state s;
    save(1, -1, false);
    fill(&s, 2, -1, false);
    s.centroids[4] = INFINITY;
    assert_int_equal(
        cluster_checkpoint_save(world, folder.folder, "cluster", SETTINGS, &s), STATUS_NONFINITE);
    kmeans_state_destroy(&s);
    expect(K, D, SETTINGS, 1, -1, false);
    comm_barrier(world);
    if (comm_root(world)) spoil(scratch_path(&folder, "cluster-1.safetensors"));
    comm_barrier(world);
    expect(K, D, SETTINGS, 0, -1, false);
    clear();
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_comes_back),
        cmocka_unit_test(others_are_not_continued),
        cmocka_unit_test(damaged_one_gives_way_to_the_one_before),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(centroids_are_finite),
    };
    int failed;
    WORLD_RUN(tests, failed);
    return failed;
}
