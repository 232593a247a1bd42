/* Images above dataset.max_side are packed smaller: the same on any number of ranks, close to a
 * mean over the pixels, label maps at their nearest pixels; others stay byte for byte. */
#include "io/dataset/reduce.h"
#include "io/hdf5/hdf5.h"
#include "tests/io/small_dataset.h"

enum { HIGH = 90, WIDE = 64, SIDE = 45 };

static image smooth(void) {
    image m;
    assert_int_equal(image_create(&m, HIGH, WIDE), STATUS_OK);
    for (int i = 0; i < HIGH * WIDE; i++) {
        m.data[3 * i] = (uint8_t)(i / WIDE * 2);
        m.data[3 * i + 1] = (uint8_t)(i % WIDE * 3);
        m.data[3 * i + 2] = (uint8_t)(i / WIDE + i % WIDE);
    }
    return m;
}

static int make_files(void **state) {
    world_setup(state);
    if (comm_root(world)) {
        image m = smooth(), few;
        labelmap l;
        void *jpeg = NULL;
        size_t size;
        assert_int_equal(image_file_encode_jpeg(&m, 98, &jpeg, &size), STATUS_OK);
        put("large.jpg", jpeg, size);
        put_image("large.png", &m);
        assert_int_equal(image_resize(&m, SIDE, 32, &few), STATUS_OK);
        put_image("few.png", &few);
        assert_int_equal(labelmap_create(&l, HIGH, WIDE), STATUS_OK);
        for (int i = 0; i < HIGH * WIDE; i++) l.data[i] = (uint16_t)(i % 7 % CLASSES);
        put_labels("labels.png", &l);
        put_text("list", "large.jpg\tlabels.png\nlarge.png\tlabels.png\nfew.png\n");
        put_text("none", "");
        labelmap_destroy(&l);
        image_destroy(&few);
        image_destroy(&m);
        memory_free(jpeg);
    }
    comm_barrier(world);
    return 0;
}

/* largest: of the difference to the reduced picture. */
static void check_small(const dataset *d, int i, int largest) {
    image rgb, want, full = smooth();
    labelmap label, ids, all;
    dataset_item x = dataset_get(d, i);
    assert_true(x.height == SIDE && x.width == 32);
    assert_int_equal(dataset_load(d, i, 1, &rgb, &label), STATUS_OK);
    assert_int_equal(image_resize(&full, SIDE, 32, &want), STATUS_OK);
    for (int k = 0; k < 3 * SIDE * 32; k++)
        assert_in_range(abs(rgb.data[k] - want.data[k]), 0, largest);
    if (x.labelled) {
        assert_int_equal(labelmap_create(&all, HIGH, WIDE), STATUS_OK);
        for (int k = 0; k < HIGH * WIDE; k++) all.data[k] = (uint16_t)(k % 7 % CLASSES);
        assert_int_equal(labelmap_resize(&all, SIDE, 32, &ids), STATUS_OK);
        assert_memory_equal(label.data, ids.data, sizeof(uint16_t) * SIDE * 32);
        labelmap_destroy(&all);
        labelmap_destroy(&ids);
    }
    labelmap_destroy(&label);
    image_destroy(&rgb);
    image_destroy(&want);
    image_destroy(&full);
}

static uint64_t check_packed(const comm *c, const settings *s, const char *message) {
    dataset *d;
    capture log;
    comm_barrier(c);
    capture_begin(&log, 1);
    status st = dataset_pack(c, s, scratch_path(&folder, "small.h5"), NULL, &(timers){0});
    capture_end(&log);
    assert_int_equal(st, STATUS_OK);
    if (comm_root(c) && !strstr(log.text, message)) fail_msg("%s", log.text);
    assert_int_equal(dataset_open(c, scratch_path(&folder, "small.h5"), &d), STATUS_OK);
    check_small(d, 0, 6);
    check_small(d, 1, 0);
    check_small(d, 2, 0);
    uint64_t hash = dataset_hash(d);
    dataset_close(d);
    comm_barrier(c);
    return hash;
}

static void large_images_are_packed_smaller(void **state) {
    (void)state;
    static const char message[] = "2 images are larger than dataset.max_side = 45";
    settings s = describe("list", "none");
    s.dataset.max_side = SIDE;
    uint64_t all = check_packed(world, &s, message), one = 0;
    if (comm_root(world)) {
        one = check_packed(NULL, &s, message);
        assert_int_equal(dataset_verify(scratch_path(&folder, "small.h5")), STATUS_OK);
        hid_t file;
        int side = 0;
        const char *path = scratch_path(&folder, "small.h5");
        assert_int_equal(hdf5_open(&file, path), STATUS_OK);
        assert_int_equal(
            hdf5_get_number(file, path, "/", "max_side", H5T_NATIVE_INT, &side), STATUS_OK);
        assert_int_equal(side, SIDE);
        H5Fclose(file);
    }
    comm_broadcast(world, &one, sizeof one);
    assert_true(all == one);
}

static void shapes_are_rounded(void **state) {
    (void)state;
    static const int row[][5] = {{100, 50, 0, 100, 50}, {100, 50, 100, 100, 50},
        {100, 50, 10, 10, 5}, {50, 100, 10, 5, 10}, {3, 100, 10, 1, 10}, {15, 100, 10, 2, 10},
        {14, 100, 10, 1, 10}, {65000, 65000, 1, 1, 1}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        int h = row[i][0], w = row[i][1];
        bool other = reduce_shape(&h, &w, row[i][2]);
        assert_int_equal(other, h != row[i][0] || w != row[i][1]);
        assert_true(h == row[i][3] && w == row[i][4]);
    }
}

int main(int argc, char **argv) {
    int failed;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_images_are_packed_smaller), cmocka_unit_test(shapes_are_rounded)};
    MPI_Init(&argc, &argv);
    if (comm_create(&world, MPI_COMM_WORLD) != STATUS_OK) return 1;
    failed = cmocka_run_group_tests(tests, make_files, world_teardown);
    comm_destroy(world);
    MPI_Finalize();
    return failed;
}
