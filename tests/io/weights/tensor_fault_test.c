/* Values that no network may hold, in every type and place; files that would hold them are not
 * written, and what stood there stays. */
#include "io/files/file.h"
#include "io/weights/checkpoint.h"
#include "io/weights/tensor_fault.h"
#include "io/weights/weights.h"
#include "tests/io/network.h"
#include "tests/io/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

static void faults_of_every_type(void **state) {
    (void)state;
    const float single[] = {1, -2, 0, -0.0f, 3e38f, 1e-45f};
    const float nan32[] = {1, 2, NAN, INFINITY}, inf32[] = {-INFINITY, 1};
    const double nan64[] = {1e308, -NAN};
    const uint16_t brain[] = {0x3F80, 0x7F7F, 0x7F80}, half[] = {0x7BFF, 0xFC00};
    const int64_t whole[] = {INT64_MAX, -1};
    const struct {
        tensor_info t;
        int64_t fault;
    } cases[] = {
        {{"w", "F32", 1, {6}, single, sizeof single}, -1},
        {{"w", "F32", 1, {4}, nan32, sizeof nan32}, 2},
        {{"w", "F32", 1, {2}, nan32, 8}, -1},
        {{"w", "F32", 1, {2}, inf32, sizeof inf32}, 0},
        {{"w", "F64", 1, {2}, nan64, sizeof nan64}, 1},
        {{"w", "BF16", 1, {3}, brain, sizeof brain}, 2},
        {{"w", "BF16", 1, {2}, brain, 4}, -1},
        {{"w", "F16", 1, {2}, half, sizeof half}, 1},
        {{"w", "I64", 1, {2}, whole, sizeof whole}, -1},
        {{"w", "F32", 1, {0}, nan32, 0}, -1},
        {{"bn1.running_var", "F32", 1, {6}, single, sizeof single}, 1},
        {{"bn1.running_var", "F32", 1, {2}, single + 2, 8}, -1}, /* no variance, or minus none */
        {{"bn1.running_var", "F16", 1, {2}, half, sizeof half}, 1},
        {{"bn1.running_mean", "F32", 1, {6}, single, sizeof single}, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[TENSOR_FAULT_TEXT];
        if (tensor_fault(&cases[i].t) != cases[i].fault) fail_msg("case %zu", i);
        assert_int_equal(tensor_fault_text(&cases[i].t, text), cases[i].fault >= 0);
        assert_int_equal(text[0] != '\0', cases[i].fault >= 0);
        assert_int_equal(tensor_fault_check("case", &cases[i].t, 1),
            cases[i].fault < 0 ? STATUS_OK : STATUS_NONFINITE);
    }
}

/* In a file a tensor may begin at any byte. */
static void unaligned_tensors_are_looked_at(void **state) {
    (void)state;
    enum { N = 1000 };
    char bytes[4 * N + 1];
    for (int i = 0; i < N; i++) {
        const float x = i == N - 1 ? NAN : (float)i;
        memcpy(bytes + 1 + 4 * i, &x, sizeof x);
    }
    const tensor_info t = {"w", "F32", 1, {N}, bytes + 1, 4 * N};
    assert_int_equal(tensor_fault(&t), N - 1);
}

/* The bytes of a file, as a checksum. */
static uint64_t hash_of(const char *path) {
    uint64_t hash = 0;
    if (comm_root(world)) assert_int_equal(file_hash(path, &hash), STATUS_OK);
    comm_broadcast(world, &hash, sizeof hash);
    return hash;
}

/* Rank 0 alone writes; every rank is told. */
static void no_file_holds_them(void **state) {
    (void)state;
    parameters *p = network_create(1, 4);
    const char *path = scratch_path(&folder, "finite.safetensors");
    assert_int_equal(weights_save(world, path, p, NULL, 0), STATUS_OK);
    uint64_t before = hash_of(path);
    const int at = parameters_find(p, "backbone.bn1.running_var");
    float *value[] = {p->value, weights_of(p, at)};
    const float bad[] = {NAN, -1};
    for (int i = 0; i < 2; i++) {
        float good = *value[i];
        *value[i] = bad[i];
        assert_int_equal(weights_save(world, path, p, NULL, 0), STATUS_NONFINITE);
        assert_true(hash_of(path) == before);
        *value[i] = good;
    }
    assert_false(file_exists(scratch_path(&folder, "finite.safetensors" FILE_TEMPORARY)));
    parameters_destroy(p);
}

static void no_checkpoint_holds_them(void **state) {
    (void)state;
    char path[256];
    parameters *p = network_create(1, 4);
    gradient *g = gradient_create(p, GRADIENT_CHUNK);
    optimizer o = {0};
    const optimizer_options how = {.kind = OPTIMIZER_ADAMW};
    assert_int_equal(optimizer_create(&o, p, &how), STATUS_OK);
    checkpoint_state s = {.p = p, .optimizer = &o, .g = g, .settings = 1, .step = 1};
    assert_int_equal(checkpoint_save(world, folder.folder, "train", &s), STATUS_OK);
    o.state[1][3] = INFINITY;
    for (s.step = 2; s.step < 5; s.step++)
        assert_int_equal(checkpoint_save(world, folder.folder, "train", &s), STATUS_NONFINITE);
    strcpy(path, scratch_path(&folder, "train-1.safetensors"));
    assert_true(file_exists(path));
    assert_false(file_exists(scratch_path(&folder, "train-2.safetensors")));
    optimizer_destroy(&o);
    gradient_destroy(g);
    parameters_destroy(p);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_of_every_type),
        cmocka_unit_test(unaligned_tensors_are_looked_at),
        cmocka_unit_test(no_file_holds_them),
        cmocka_unit_test(no_checkpoint_holds_them),
    };
    int failed;
    WORLD_RUN(tests, failed);
    return failed;
}
