#include "io/files/file.h"
#include "io/hdf5/features.h"
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
static void make_block(const comm *c, dtype type, feature_block *b) {
    int first = (int)shard_begin(IMAGES, comm_rank(c), comm_size(c));
    int end = (int)shard_begin(IMAGES, comm_rank(c) + 1, comm_size(c));
    *b = (feature_block){.first = first, .images = end - first};
    b->height = memory_alloc((size_t)b->images, sizeof *b->height, "test");
    b->width = memory_alloc((size_t)b->images, sizeof *b->width, "test");
    b->rows = (features){.d = D, .type = type};
    for (int i = first; i < end; i++) {
        b->height[i - first] = i + 1;
        b->width[i - first] = 2 * i + 3;
        b->rows.n += (size_t)(i + 1) * (size_t)(2 * i + 3);
    }
    uint8_t *byte = b->rows.data = memory_alloc(b->rows.n, D * dtype_size(type), "test");
    for (int i = first; i < end; i++) {
        random_stream r = random_begin(1, RANDOM_SYNTH, 0, (uint64_t)i);
        size_t bytes = (size_t)(i + 1) * (size_t)(2 * i + 3) * D * dtype_size(type);
        while (bytes-- > 0) *byte++ = (uint8_t)random_u32(&r);
    }
}

static status write_features(const comm *c, const char *path, dtype type) {
    feature_block b;
    make_block(c, type, &b);
    status st = features_write(c, path, &b, &origin);
    feature_block_destroy(&b);
    return st;
}

static void check_block(const comm *c, const char *path, dtype type, bool map) {
    feature_block have = {0}, want;
    make_block(c, type, &want);
    assert_int_equal((map ? features_map : features_read)(c, path, KEY, &have), STATUS_OK);
    assert_int_equal(have.rows.mapped, map && want.rows.n > 0);
    assert_int_equal(have.first, want.first);
    assert_int_equal(have.images, want.images);
    assert_int_equal(have.rows.n, want.rows.n);
    assert_int_equal(have.rows.d, D);
    assert_int_equal(have.rows.type, type);
    assert_memory_equal(have.height, want.height, (size_t)want.images * sizeof(int));
    assert_memory_equal(have.width, want.width, (size_t)want.images * sizeof(int));
    assert_memory_equal(have.rows.data, want.rows.data, want.rows.n * D * dtype_size(type));
    feature_block_destroy(&have);
    feature_block_destroy(&want);
}

static void check_read(const comm *c, const char *path, dtype type) {
    check_block(c, path, type, false);
    check_block(c, path, type, true);
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
static status append_pieces(features_writer *w, const feature_block *b) {
    const char *rows = b->rows.data;
    status st = STATUS_OK;
    for (int64_t i = 0, count, piece = 0; st == STATUS_OK && i < b->images; i += count) {
        count = piece++ % 3 + 1;
        if (count > b->images - i) count = b->images - i;
        st = features_append(w, count, rows);
        for (int64_t k = i; k < i + count; k++)
            rows += (size_t)b->height[k] * (size_t)b->width[k] * D * dtype_size(b->rows.type);
    }
    return st;
}

static void pieces_make_the_same_file(void **state) {
    (void)state;
    for (int t = 0; t < 2; t++) {
        dtype type = t ? DTYPE_BF16 : DTYPE_F32;
        uint64_t whole = 0, pieces = 1, alone = 2;
        features_writer *w;
        feature_block b;
        const char *path = scratch_path(&folder, "pieces.h5");
        assert_int_equal(write_features(world, path, type), STATUS_OK);
        assert_int_equal(file_hash(path, &whole), STATUS_OK);
        comm_barrier(world);
        make_block(world, type, &b);
        assert_int_equal(features_create(&w, world, path, &b, &origin), STATUS_OK);
        assert_int_equal(features_finish(w, append_pieces(w, &b)), STATUS_OK);
        assert_int_equal(file_hash(path, &pieces), STATUS_OK);
        assert_true(pieces == whole);
        comm_barrier(world);
        if (comm_root(world)) {
            assert_int_equal(write_features(NULL, path, type), STATUS_OK);
            assert_int_equal(file_hash(path, &alone), STATUS_OK);
            assert_true(alone == whole);
        }
        comm_barrier(world);
        feature_block_destroy(&b);
    }
}

/* One rank gives up: no rank has a file, and what was there before stays. */
static void given_up_leaves_nothing(void **state) {
    (void)state;
    char path[512], temporary[FILE_PATH];
    feature_block b;
    snprintf(path, sizeof path, "%s", scratch_path(&folder, "given_up.h5"));
    assert_int_equal(file_temporary(temporary, path), STATUS_OK);
    make_block(world, DTYPE_F32, &b);
    for (int before = 0; before < 2; before++) {
        features_writer *w;
        if (before) assert_int_equal(write_features(world, path, DTYPE_F32), STATUS_OK);
        assert_int_equal(features_create(&w, world, path, &b, &origin), STATUS_OK);
        bool last = comm_rank(world) == comm_size(world) - 1;
        status st = last ? STATUS_STOPPED : append_pieces(w, &b);
        assert_int_equal(features_finish(w, st), STATUS_STOPPED);
        assert_false(file_exists(temporary));
        assert_int_equal(file_exists(path), before);
        comm_barrier(world);
    }
    check_read(world, path, DTYPE_F32);
    feature_block_destroy(&b);
}

static void other_key_is_refused(void **state) {
    (void)state;
    feature_block b = {.first = 77};
    const char *path = scratch_path(&folder, "key.h5");
    assert_int_equal(write_features(world, path, DTYPE_F32), STATUS_OK);
    assert_int_equal(features_read(world, path, KEY + 1, &b), STATUS_OUTPUT);
    assert_int_equal(b.first, 77);
    assert_int_equal(features_read(world, scratch_path(&folder, "no.h5"), KEY, &b), STATUS_DATA);
    assert_int_equal(
        write_features(world, scratch_path(&folder, "no/x.h5"), DTYPE_F32), STATUS_OUTPUT);
}

static void damage_is_found_by_every_rank(void **state) {
    (void)state;
    feature_block b = {0};
    const char *path = scratch_path(&folder, "damaged.h5");
    assert_int_equal(write_features(world, path, DTYPE_F32), STATUS_OK);
    if (comm_root(world)) {
        char *data, *at = NULL;
        size_t bytes;
        feature_block last;
        assert_int_equal(file_read(path, 1 << 24, (void **)&data, &bytes), STATUS_OK);
        make_block(NULL, DTYPE_F32, &last);
        at = memmem(data, bytes, last.rows.data, 64);
        assert_non_null(at);
        at[last.rows.n * D * 4 - 1] ^= 1; /* the last image's */
        scratch_write(path, data, bytes);
        feature_block_destroy(&last);
        memory_free(data);
        assert_int_equal(features_verify(path), STATUS_OUTPUT);
    }
    comm_barrier(world);
    assert_int_equal(features_read(world, path, KEY, &b), STATUS_OUTPUT);
    assert_int_equal(features_map(world, path, KEY, &b), STATUS_OUTPUT);
    assert_null(b.rows.data);
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
