#include "io/files/file.h"
#include "io/weights/weights.h"
#include "src/base/memory.h"
#include "tests/io/network.h"
#include "tests/io/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

static void saved_weights_come_back(void **state) {
    (void)state;
    parameters *a = network_create(1, 4), *b = network_create(2, 4);
    const char *about[] = {"format", "pt"};
    const char *path = scratch_path(&folder, "a.safetensors");
    weights_match match = {9, 9, 9};
    assert_int_equal(weights_save(world, path, a, about, 1), STATUS_OK);
    assert_int_equal(weights_load(world, path, NULL, b, &match), STATUS_OK);
    assert_true(network_same(a, b));
    assert_true(weights_hash(a) == weights_hash(b));
    assert_int_equal(match.matched, a->items);
    assert_int_equal(match.missing, 0);
    assert_int_equal(match.unexpected, 0);
    b->buffer[2] += 1;
    assert_true(weights_hash(a) != weights_hash(b));
    b->buffer[2] = a->buffer[2];
    b->value[0] += 1;
    assert_true(weights_hash(a) != weights_hash(b));

    safetensors *f = NULL;
    assert_int_equal(safetensors_read(&f, path), STATUS_OK);
    tensor_info t = safetensors_get(f, safetensors_find(f, "backbone.bn1.num_batches_tracked"));
    assert_string_equal(t.type, "I64");
    assert_int_equal(t.dims, 0);
    assert_memory_equal(t.data, &a->batches_tracked, 8);
    assert_true(safetensors_find(f, "classifier.1.num_batches_tracked") >= 0);
    safetensors_close(f);
    parameters_destroy(a);
    parameters_destroy(b);
}

/* Rank 0 writes one file of the tensors given. */
static const char *write_tensors(const char *name, const tensor_info *tensor, int n) {
    const char *path = scratch_path(&folder, name);
    if (comm_root(world)) assert_int_equal(safetensors_write(path, tensor, n, NULL, 0), STATUS_OK);
    comm_barrier(world);
    return path;
}

static void names_match_with_and_without_backbone(void **state) {
    (void)state;
    float bias[8] = {1, 2, 3, 4, 5, 6, 7, 8}, weight[4] = {0.5f, 1.5f, 2.5f, 3.5f};
    int64_t tracked = 3;
    const tensor_info tensor[] = {
        {"bn1.bias", "F32", 1, {8}, bias, sizeof bias},
        {"bn1.num_batches_tracked", "I64", 0, {0}, &tracked, sizeof tracked},
        {"backbone.classifier.4.bias", "F32", 1, {4}, weight, sizeof weight},
        {"fc.bias", "F32", 1, {4}, weight, sizeof weight},
    };
    parameters *p = network_create(1, 4), *before = network_create(1, 4);
    weights_match match;
    const char *path = write_tensors("stripped.safetensors", tensor, 4);
    assert_int_equal(weights_load(world, path, NULL, p, &match), STATUS_OK);
    assert_int_equal(match.matched, 2);
    assert_int_equal(match.missing, p->items - 2);
    assert_int_equal(match.unexpected, 1);
    assert_memory_equal(weights_of(p, parameters_find(p, "backbone.bn1.bias")), bias, sizeof bias);
    assert_memory_equal(
        weights_of(p, parameters_find(p, "classifier.4.bias")), weight, sizeof weight);
    assert_memory_equal(p->value, before->value, 8 * 27 * sizeof(float)); /* missing: kept */
    parameters_destroy(p);
    parameters_destroy(before);
}

/* MoCo's checkpoint: the encoder that is trained, the one that follows it, a queue. */
static void names_of_other_projects_are_known(void **state) {
    (void)state;
    float bias[8] = {1, 2, 3, 4, 5, 6, 7, 8}, other[8] = {9, 9, 9, 9, 9, 9, 9, 9};
    const tensor_info tensor[] = {
        {"module.encoder_q.bn1.bias", "F32", 1, {8}, bias, sizeof bias},
        {"module.encoder_q.bn1.weight", "F32", 1, {8}, bias, sizeof bias},
        {"module.encoder_k.bn1.bias", "F32", 1, {8}, other, sizeof other},
        {"module.queue", "F32", 2, {2, 4}, other, sizeof other},
    };
    parameters *p = network_create(1, 4);
    weights_match match;
    const char *path = write_tensors("moco.safetensors", tensor, 4);
    assert_int_equal(weights_load(world, path, NULL, p, &match), STATUS_OK);
    assert_int_equal(match.matched, 2);
    assert_int_equal(match.unexpected, 2);
    assert_memory_equal(weights_of(p, parameters_find(p, "backbone.bn1.bias")), bias, sizeof bias);
    parameters_destroy(p);
}

static void other_types_become_fp32(void **state) {
    (void)state;
    const double wide[8] = {1, -2, 0.5, 1e-3, 4, 5, 6, 7};
    const uint16_t brain[8] = {0x3F80, 0xC000, 0x3F00, 0x4000, 0, 0x8000, 0x4080, 0x40A0};
    const uint16_t half[4] = {0x3C00, 0xC000, 0x0001, 0x7BFF};
    const tensor_info tensor[] = {
        {"bn1.bias", "F64", 1, {8}, wide, sizeof wide},
        {"bn1.weight", "BF16", 1, {8}, brain, sizeof brain},
        {"classifier.4.bias", "F16", 1, {4}, half, sizeof half},
    };
    parameters *p = network_create(1, 4);
    weights_match match;
    const char *path = write_tensors("types.safetensors", tensor, 3);
    assert_int_equal(weights_load(world, path, NULL, p, &match), STATUS_OK);
    const float *x = weights_of(p, parameters_find(p, "backbone.bn1.bias"));
    for (int i = 0; i < 8; i++) assert_true(x[i] == (float)wide[i]);
    x = weights_of(p, parameters_find(p, "backbone.bn1.weight"));
    assert_true(x[0] == 1 && x[1] == -2 && x[2] == 0.5f && x[7] == 5);
    x = weights_of(p, parameters_find(p, "classifier.4.bias"));
    assert_true(x[0] == 1 && x[1] == -2 && x[2] == ldexpf(1, -24) && x[3] == 65504);
    parameters_destroy(p);
}

static void what_does_not_fit_changes_nothing(void **state) {
    (void)state;
    float x[8] = {1, 2, 3, 4, 5, 6, 7, 8}, bad[8] = {0, 0, NAN}, huge[8] = {0, INFINITY};
    int64_t whole[8] = {0};
    const tensor_info good = {"bn1.weight", "F32", 1, {8}, x, sizeof x};
    const struct {
        const char *what;
        tensor_info tensor[2];
        int tensors;
    } cases[] = {
        {"shape", {good, {"bn1.bias", "F32", 1, {7}, x, 28}}, 2},
        {"dimensions", {good, {"bn1.bias", "F32", 2, {8, 1}, x, 32}}, 2},
        {"NAN", {good, {"bn1.bias", "F32", 1, {8}, bad, 32}}, 2},
        {"infinity", {good, {"bn1.bias", "F32", 1, {8}, huge, 32}}, 2},
        {"integers", {good, {"bn1.bias", "I64", 1, {8}, whole, 64}}, 2},
        {"both names", {good, {"backbone.bn1.weight", "F32", 1, {8}, x, 32}}, 2},
        {"nothing known", {{"fc.bias", "F32", 1, {8}, x, 32}}, 1},
        {"empty", {good}, 0},
    };
    parameters *p = network_create(1, 4), *before = network_create(1, 4);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weights_match match = {77, 0, 0};
        const char *path = write_tensors("misfit.safetensors", cases[i].tensor, cases[i].tensors);
        status st = weights_load(world, path, NULL, p, &match);
        if (st != STATUS_DATA) fail_msg("%s: status %d", cases[i].what, st);
        assert_true(network_same(p, before));
        assert_int_equal(match.matched, 77);
        comm_barrier(world);
    }
    weights_match match;
    const char *absent = scratch_path(&folder, "absent");
    assert_int_equal(weights_load(world, absent, NULL, p, &match), STATUS_DATA);
    assert_int_equal(weights_save(world, scratch_path(&folder, "no/x"), p, NULL, 0), STATUS_OUTPUT);
    parameters_destroy(p);
    parameters_destroy(before);
}

/* A head of 7 classes for a network of 4: left out where it may be, all else is taken. */
static void another_classifier_is_left_out(void **state) {
    (void)state;
    parameters *seven = network_create(2, 7), *four = network_create(1, 4);
    parameters *before = network_create(1, 4);
    weights_match match = {9, 9, 9};
    const char *path = scratch_path(&folder, "seven.safetensors");
    assert_int_equal(weights_save(world, path, seven, NULL, 0), STATUS_OK);
    static const char *const others[] = {NULL, "", "classifier.", "classifier.4.w", "backbone.bn1"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(weights_load(world, path, others[i], four, &match), STATUS_DATA);
        assert_true(network_same(four, before));
    }
    assert_int_equal(weights_load(world, path, "classifier.4", four, &match), STATUS_OK);
    assert_int_equal(match.matched, four->items - 2);
    assert_int_equal(match.missing, 2);
    assert_int_equal(match.unexpected, 0);
    int weight = parameters_find(four, "classifier.4.weight");
    int bias = parameters_find(four, "classifier.4.bias");
    for (int i = 0; i < four->items; i++) {
        const parameters *from = i == weight || i == bias ? before : seven;
        assert_memory_equal(
            weights_of(four, i), weights_of(from, i), four->item[i].count * sizeof(float));
    }
    parameters_destroy(seven);
    parameters_destroy(four);
    parameters_destroy(before);
}

/* The number of classes alone: other inputs of the classifier are another network. */
static void another_width_is_refused(void **state) {
    (void)state;
    float weight[7 * 9] = {0}, bias[8] = {0};
    const tensor_info tensor[] = {
        {"bn1.bias", "F32", 1, {8}, bias, sizeof bias},
        {"classifier.4.weight", "F32", 2, {7, 9}, weight, sizeof weight},
    };
    parameters *p = network_create(1, 4), *before = network_create(1, 4);
    weights_match match;
    const char *path = write_tensors("width.safetensors", tensor, 2);
    assert_int_equal(weights_load(world, path, "classifier.4", p, &match), STATUS_DATA);
    assert_true(network_same(p, before));
    comm_barrier(world);
    parameters_destroy(p);
    parameters_destroy(before);
}

static void damage_is_found(void **state) {
    (void)state;
    parameters *p = network_create(1, 4), *other = network_create(2, 4);
    weights_match match;
    const char *path = scratch_path(&folder, "damaged.safetensors");
    assert_int_equal(weights_save(world, path, p, NULL, 0), STATUS_OK);
    if (comm_root(world)) {
        char *data;
        size_t bytes;
        assert_int_equal(file_read(path, 1 << 20, (void **)&data, &bytes), STATUS_OK);
        data[bytes - 3] ^= 1;
        scratch_write(path, data, bytes);
        memory_free(data);
    }
    comm_barrier(world);
    assert_int_equal(weights_load(world, path, NULL, other, &match), STATUS_DATA);
    parameters_destroy(p);
    parameters_destroy(other);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saved_weights_come_back),
        cmocka_unit_test(names_match_with_and_without_backbone),
        cmocka_unit_test(names_of_other_projects_are_known),
        cmocka_unit_test(other_types_become_fp32),
        cmocka_unit_test(what_does_not_fit_changes_nothing),
        cmocka_unit_test(another_classifier_is_left_out),
        cmocka_unit_test(another_width_is_refused),
        cmocka_unit_test(damage_is_found),
    };
    int failed;
    WORLD_RUN(tests, failed);
    return failed;
}
