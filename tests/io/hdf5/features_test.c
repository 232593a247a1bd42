#include "io/files/file.h"
#include "io/hdf5/features.h"
#include "mpi/features_place.h"
#include "mpi/shard.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "tests/io/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { IMAGES = 7, D = 3, KEY = 12345 };

static const char *const names[IMAGES] = {"a", "b", "c", "d", "e", "f", "g"};

static const features_origin origin = {names, IMAGES, "layer3,layer4", 8, KEY};

/* This rank's share of the images: image i is [i + 1, 2 i + 3, D]. */
static void make_rows(const comm *c, dtype type, features *x) {
    int first = (int)shard_begin(IMAGES, comm_rank(c), comm_size(c));
    int end = (int)shard_begin(IMAGES, comm_rank(c) + 1, comm_size(c));
    *x = (features){.d = D, .type = type, .first = first, .images = end - first};
    assert_int_equal(features_create_shapes(x), STATUS_OK);
    for (int i = first; i < end; i++) {
        x->height[i - first] = i + 1;
        x->width[i - first] = 2 * i + 3;
        x->n += (size_t)(i + 1) * (size_t)(2 * i + 3);
    }
    features_place(c, x);
    uint8_t *byte = x->data = memory_alloc(x->n, D * dtype_size(type), "test");
    for (int i = first; i < end; i++) {
        random_stream r = random_begin(1, RANDOM_SYNTH, 0, (uint64_t)i);
        size_t bytes = (size_t)(i + 1) * (size_t)(2 * i + 3) * D * dtype_size(type);
        while (bytes-- > 0) *byte++ = (uint8_t)random_u32(&r);
    }
}

static status write_features(const comm *c, const char *path, dtype type) {
    features x;
    make_rows(c, type, &x);
    status st = features_write(c, path, &x, &origin);
    features_destroy(&x);
    return st;
}

static void check_rows(const comm *c, const char *path, dtype type, bool map) {
    features have = {0}, want;
    make_rows(c, type, &want);
    assert_int_equal((map ? features_map : features_read)(c, path, KEY, &have), STATUS_OK);
    assert_int_equal(have.mapped, map && want.n > 0);
    assert_int_equal(have.first, want.first);
    assert_int_equal(have.images, want.images);
    assert_int_equal(have.before, want.before);
    assert_int_equal(have.total, want.total);
    assert_int_equal(have.n, want.n);
    assert_int_equal(have.d, D);
    assert_int_equal(have.type, type);
    assert_memory_equal(have.height, want.height, (size_t)want.images * sizeof(int));
    assert_memory_equal(have.width, want.width, (size_t)want.images * sizeof(int));
    assert_memory_equal(have.data, want.data, want.n * D * dtype_size(type));
    features_destroy(&have);
    features_destroy(&want);
}

static void check_read(const comm *c, const char *path, dtype type) {
    check_rows(c, path, type, false);
    check_rows(c, path, type, true);
}

/* Written by all ranks, read by all and by one; written by one, read by all. */
static void read_by_any_number_of_ranks(void **state) {
    (void)state;
    for (int t = 0; t < 2; t++) {
        dtype type = t ? DTYPE_BF16 : DTYPE_F32;
        const char *path = scratch_path(&folder, "features.h5");
        assert_int_equal(write_features(world, path, type), STATUS_OK);
        check_read(world, path, type);
        if (comm_root(world)) {
            check_read(NULL, path, type);
            assert_int_equal(features_verify(path), STATUS_OK);
            assert_int_equal(write_features(NULL, path, type), STATUS_OK);
        }
        comm_barrier(world);
        check_read(world, path, type);
        features_info about;
        assert_int_equal(features_about(path, &about), STATUS_OK);
        assert_string_equal(about.layers, "layer3,layer4");
        assert_int_equal(about.stride, 8);
        assert_int_equal(about.images, IMAGES);
        assert_true(about.key == KEY && about.type == type && about.d == D);
        comm_barrier(world);
    }
}

/* Images in pieces of 1, 2, 3, 1, ... */
static status append_pieces(features_writer *w, const features *x) {
    const char *rows = x->data;
    status st = STATUS_OK;
    for (int64_t i = 0, count, piece = 0; st == STATUS_OK && i < x->images; i += count) {
        count = piece++ % 3 + 1;
        if (count > x->images - i) count = x->images - i;
        st = features_writer_append(w, count, rows);
        for (int64_t k = i; k < i + count; k++)
            rows += features_image_rows(x, k) * features_row_bytes(x);
    }
    return st;
}

static void pieces_make_the_same_file(void **state) {
    (void)state;
    for (int t = 0; t < 2; t++) {
        dtype type = t ? DTYPE_BF16 : DTYPE_F32;
        uint64_t whole = 0, pieces = 1, alone = 2;
        features_writer *w;
        features x;
        const char *path = scratch_path(&folder, "pieces.h5");
        assert_int_equal(write_features(world, path, type), STATUS_OK);
        assert_int_equal(file_hash(path, &whole), STATUS_OK);
        comm_barrier(world);
        make_rows(world, type, &x);
        assert_int_equal(features_writer_create(&w, world, path, &x, &origin), STATUS_OK);
        assert_int_equal(features_writer_finish(w, append_pieces(w, &x)), STATUS_OK);
        assert_int_equal(file_hash(path, &pieces), STATUS_OK);
        assert_true(pieces == whole);
        comm_barrier(world);
        if (comm_root(world)) {
            assert_int_equal(write_features(NULL, path, type), STATUS_OK);
            assert_int_equal(file_hash(path, &alone), STATUS_OK);
            assert_true(alone == whole);
        }
        comm_barrier(world);
        features_destroy(&x);
    }
}

/* One rank gives up: no rank has a file, and what was there before stays. */
static void given_up_leaves_nothing(void **state) {
    (void)state;
    char path[512], temporary[FILE_PATH];
    features x;
    snprintf(path, sizeof path, "%s", scratch_path(&folder, "given_up.h5"));
    assert_int_equal(file_temporary(temporary, path), STATUS_OK);
    make_rows(world, DTYPE_F32, &x);
    for (int before = 0; before < 2; before++) {
        features_writer *w;
        if (before) assert_int_equal(write_features(world, path, DTYPE_F32), STATUS_OK);
        assert_int_equal(features_writer_create(&w, world, path, &x, &origin), STATUS_OK);
        bool last = comm_rank(world) == comm_size(world) - 1;
        status st = last ? STATUS_STOPPED : append_pieces(w, &x);
        assert_int_equal(features_writer_finish(w, st), STATUS_STOPPED);
        assert_false(file_exists(temporary));
        assert_int_equal(file_exists(path), before);
        comm_barrier(world);
    }
    check_read(world, path, DTYPE_F32);
    features_destroy(&x);
}

static void other_key_is_refused(void **state) {
    (void)state;
    features x = {.first = 77};
    const char *path = scratch_path(&folder, "key.h5");
    assert_int_equal(write_features(world, path, DTYPE_F32), STATUS_OK);
    assert_int_equal(features_read(world, path, KEY + 1, &x), STATUS_OUTPUT);
    assert_int_equal(x.first, 77);
    assert_int_equal(features_read(world, scratch_path(&folder, "no.h5"), KEY, &x), STATUS_DATA);
    assert_int_equal(
        write_features(world, scratch_path(&folder, "no/x.h5"), DTYPE_F32), STATUS_OUTPUT);
}

static void damage_is_found_by_every_rank(void **state) {
    (void)state;
    features x = {0};
    const char *path = scratch_path(&folder, "damaged.h5");
    assert_int_equal(write_features(world, path, DTYPE_F32), STATUS_OK);
    if (comm_root(world)) {
        char *data, *at = NULL;
        size_t bytes;
        features last;
        assert_int_equal(file_read(path, 1 << 24, (void **)&data, &bytes), STATUS_OK);
        make_rows(NULL, DTYPE_F32, &last);
        at = memmem(data, bytes, last.data, 64);
        assert_non_null(at);
        at[last.n * D * 4 - 1] ^= 1; /* the last image's */
        scratch_write(path, data, bytes);
        features_destroy(&last);
        memory_free(data);
        assert_int_equal(features_verify(path), STATUS_OUTPUT);
    }
    comm_barrier(world);
    assert_int_equal(features_read(world, path, KEY, &x), STATUS_OUTPUT);
    assert_int_equal(features_map(world, path, KEY, &x), STATUS_OUTPUT);
    assert_null(x.data);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_by_any_number_of_ranks),
        cmocka_unit_test(pieces_make_the_same_file),
        cmocka_unit_test(given_up_leaves_nothing),
        cmocka_unit_test(other_key_is_refused),
        cmocka_unit_test(damage_is_found_by_every_rank),
    };
    int failed;
    WORLD_RUN(tests, failed);
    return failed;
}
