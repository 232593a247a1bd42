#include "io/files/file.h"
#include "io/hdf5/hdf5.h"
#include "io/hdf5/labels.h"
#include "mpi/shard.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "tests/io/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { IMAGES = 5, K = 11, D = 6, PIXELS = 15 + 1200 + 1 + 391 + 64 };

static int height[IMAGES] = {3, 40, 1, 17, 8}, width[IMAGES] = {5, 30, 1, 23, 8};
static const char *const names[IMAGES] = {"a.png", "b/\xc3\xa9.png", "c", "d.jpg", "e.jpg"};

static size_t pixels(int first, int end) {
    size_t n = 0;
    for (int i = first; i < end; i++) n += (size_t)height[i] * (size_t)width[i];
    return n;
}

/* Labels of images first .. end - 1, the same whoever asks; owned by the caller. */
static uint16_t *make_labels(int first, int end) {
    uint16_t *label = memory_alloc(pixels(first, end), sizeof *label, "test"), *at = label;
    for (int i = first; i < end; i++) {
        random_stream r = random_begin(1, RANDOM_SYNTH, 0, (uint64_t)i);
        for (size_t p = pixels(i, i + 1); p > 0; p--) {
            uint64_t x = random_below(&r, K + 1);
            *at++ = x == K ? LABEL_IGNORE : (uint16_t)x;
        }
    }
    return label;
}

static const float *centroids(void) {
    static float c[K * D];
    for (int i = 0; i < K * D; i++) c[i] = (float)i / 7;
    return c;
}

/* Clusters of few images have fewer. */
static const typical_pixel *typical(void) {
    static typical_pixel list[K * TYPICAL];
    typical_clear(list, K);
    for (uint32_t i = 0; i < K * TYPICAL; i += 1 + i % 3)
        list[i] = (typical_pixel){(float)i / 3, i % IMAGES, 1000 * i};
    return list;
}

static labels_info info(void) {
    return (labels_info){.k = K,
        .typical = typical(),
        .d = D,
        .iterations = 17,
        .objective = 0.125,
        .outlier_threshold = 3.5,
        .method = "kmeans",
        .metric = "cosine",
        .dataset = UINT64_MAX,
        .centroids = centroids(),
        .images = IMAGES,
        .names = names};
}

/* Images first .. end - 1, without rows. */
static features shapes(int first, int end) {
    return (features){.n = pixels(first, end),
        .first = first,
        .images = end - first,
        .height = height + first,
        .width = width + first};
}

/* Ranks from `skip` on share the images, so that some ranks have none. */
static status write_labels(const comm *c, const char *path, int skip, uint64_t *hash) {
    int ranks = comm_size(c) - skip, rank = comm_rank(c) - skip;
    int first = rank < 0 ? 0 : (int)shard_begin(IMAGES, rank, ranks);
    int end = rank < 0 ? 0 : (int)shard_begin(IMAGES, rank + 1, ranks);
    uint16_t *label = make_labels(first, end);
    labels_info i = info();
    features x = shapes(first, end);
    status st = labels_write(c, path, &i, &x, label, hash);
    memory_free(label);
    return st;
}

static void check_contents(const labels *l) {
    labels_info i = labels_about(l), want = info();
    assert_int_equal(labels_count(l), IMAGES);
    assert_int_equal(i.images, IMAGES);
    assert_int_equal(i.k, K);
    assert_int_equal(i.d, D);
    assert_int_equal(i.iterations, want.iterations);
    assert_true(i.objective == want.objective && i.outlier_threshold == want.outlier_threshold);
    assert_true(i.dataset == want.dataset);
    assert_string_equal(i.method, "kmeans");
    assert_string_equal(i.metric, "cosine");
    assert_memory_equal(i.centroids, centroids(), K * D * sizeof(float));
    assert_memory_equal(i.typical, want.typical, K * TYPICAL * sizeof *i.typical);
    for (int n = 0; n < IMAGES; n++) {
        labelmap m;
        uint16_t *label = make_labels(n, n + 1);
        assert_string_equal(labels_name(l, n), names[n]);
        assert_int_equal(labels_load(l, n, &m), STATUS_OK);
        assert_int_equal(m.height, height[n]);
        assert_int_equal(m.width, width[n]);
        assert_memory_equal(m.data, label, pixels(n, n + 1) * sizeof *label);
        labelmap_destroy(&m);
        memory_free(label);
    }
}

static void same_for_any_number_of_ranks(void **state) {
    (void)state;
    uint64_t hash = 0, alone = 1;
    const char *path = scratch_path(&folder, "labels.h5");
    for (int skip = 0; skip < comm_size(world); skip++) {
        labels *l;
        assert_int_equal(write_labels(world, path, skip, &hash), STATUS_OK);
        assert_int_equal(labels_open(world, path, &l), STATUS_OK);
        check_contents(l);
        assert_true(labels_hash(l) == hash);
        labels_close(l);
        assert_int_equal(labels_verify(path), STATUS_OK);
        comm_barrier(world);
    }
    if (comm_root(world)) {
        const char *other = scratch_path(&folder, "alone.h5");
        assert_int_equal(write_labels(NULL, other, 0, &alone), STATUS_OK);
        assert_true(hash == alone);
        assert_int_equal(labels_verify(other), STATUS_OK);
        assert_false(file_exists(scratch_path(&folder, "alone.h5" FILE_TEMPORARY)));
    }
    comm_barrier(world);
}

/* Where in the file a dataset's bytes are. */
static int64_t find_data(const char *path, const char *name, hid_t type) {
    hid_t file;
    int64_t offset = 0;
    assert_int_equal(hdf5_open(&file, path), STATUS_OK);
    assert_int_equal(hdf5_offset(file, path, name, type, &offset), STATUS_OK);
    H5Fclose(file);
    return offset;
}

static void every_flipped_byte_is_found(void **state) {
    (void)state;
    const struct {
        const char *name;
        int64_t bytes;
        hid_t type;
    } part[] = {{"/labels/data", PIXELS * 2, H5T_NATIVE_UINT16},
        {"/labels/shape", IMAGES * 8, H5T_NATIVE_UINT32},
        {"/labels/offset", (IMAGES + 1) * 8, H5T_NATIVE_UINT64},
        {"/labels/hash", IMAGES * 8, H5T_NATIVE_UINT64},
        {"/centroids", K * D * 4, H5T_NATIVE_FLOAT},
        {"/typical/distance", K * TYPICAL * 4, H5T_NATIVE_FLOAT},
        {"/typical/image", K * TYPICAL * 4, H5T_NATIVE_UINT32},
        {"/typical/pixel", K * TYPICAL * 4, H5T_NATIVE_UINT32}};
    if (!comm_root(world)) return;
    char *data;
    size_t bytes;
    const char *path = scratch_path(&folder, "flipped.h5");
    assert_int_equal(pixels(0, IMAGES), PIXELS);
    assert_int_equal(write_labels(NULL, path, 0, NULL), STATUS_OK);
    assert_int_equal(file_read(path, 1 << 24, (void **)&data, &bytes), STATUS_OK);
    random_stream r = random_begin(3, RANDOM_SYNTH, 0, 0);
    for (size_t p = 0; p < sizeof part / sizeof *part; p++) {
        scratch_write(path, data, bytes);
        int64_t begin = find_data(path, part[p].name, part[p].type);
        for (int trial = 0; trial < 40; trial++) {
            int64_t at = begin + (int64_t)random_below(&r, (uint64_t)part[p].bytes);
            data[at] ^= (char)(1 << trial % 8);
            scratch_write(path, data, bytes);
            if (labels_verify(path) == STATUS_OK)
                fail_msg("%s, byte %lld", part[p].name, (long long)(at - begin));
            data[at] ^= (char)(1 << trial % 8);
        }
    }
    scratch_write(path, data, bytes);
    assert_int_equal(labels_verify(path), STATUS_OK);
    scratch_write(path, data, bytes / 2);
    assert_int_not_equal(labels_verify(path), STATUS_OK);
    memory_free(data);
}

static void typical_pixels_may_be_absent(void **state) {
    (void)state;
    labels *l;
    labels_info i = info();
    const char *path = scratch_path(&folder, "plain.h5");
    uint16_t *label = make_labels(0, IMAGES);
    features x = shapes(comm_root(world) ? 0 : IMAGES, IMAGES);
    i.typical = NULL;
    assert_int_equal(labels_write(world, path, &i, &x, label, NULL), STATUS_OK);
    assert_int_equal(labels_open(world, path, &l), STATUS_OK);
    assert_null(labels_about(l).typical);
    labels_close(l);
    memory_free(label);
}

static void errors_are_the_same_on_every_rank(void **state) {
    (void)state;
    labels *l = NULL;
    const char *path = scratch_path(&folder, "no.h5");
    if (comm_root(world)) scratch_write(path, "no labels", 9);
    comm_barrier(world);
    assert_int_equal(labels_open(world, path, &l), STATUS_DATA);
    assert_int_equal(labels_open(world, scratch_path(&folder, "absent.h5"), &l), STATUS_DATA);
    assert_null(l);
    path = scratch_path(&folder, "no/such/labels.h5");
    assert_int_equal(write_labels(world, path, 0, NULL), STATUS_OUTPUT);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_for_any_number_of_ranks),
        cmocka_unit_test(every_flipped_byte_is_found),
        cmocka_unit_test(typical_pixels_may_be_absent),
        cmocka_unit_test(errors_are_the_same_on_every_rank),
    };
    int failed;
    WORLD_RUN(tests, failed);
    return failed;
}
