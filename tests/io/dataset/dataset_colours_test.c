#include "io/dataset/dataset_colours.h"

#include "tests/io/small_dataset.h"

/* The data set with other palettes in its label files, packed; closed by the caller. */
static dataset *pack_with(const uint8_t (*colour)[3], const char *names, const char *map) {
    dataset *d = NULL;
    for (int i = 0; i < 3; i++) {
        char name[32];
        void *png = NULL;
        size_t size;
        labelmap l = make_labels(i);
        snprintf(name, sizeof name, "%d-labels.png", i);
        assert_int_equal(image_file_encode_labels(&l, colour, &png, &size), STATUS_OK);
        put(name, png, size);
        memory_free(png);
        labelmap_destroy(&l);
    }
    settings s = describe("train", "");
    snprintf(s.dataset.names, sizeof s.dataset.names, "%s", names);
    snprintf(s.dataset.label_map, sizeof s.dataset.label_map, "%s", map);
    pack(world, &s, "colours.h5", &d);
    return d;
}

static void label_files_bring_their_colours(void **state) {
    (void)state;
    static const palette colour = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}, {10, 11, 12}};
    palette out;
    dataset *d = pack_with(colour, "car,sky,road,tree", "");
    assert_int_equal(dataset_colours(d, out), STATUS_OK);
    assert_memory_equal(out, colour, 3 * CLASSES);
    assert_memory_equal(out[CLASSES], palette_classes()[CLASSES], 3);
    dataset_close(d);
    /* Ids become classes: so do their colours. */
    d = pack_with(colour, "car,sky,road,tree", "0:3,1:2,2:1,3:0,9:9");
    assert_int_equal(dataset_colours(d, out), STATUS_OK);
    for (int y = 0; y < CLASSES; y++) assert_memory_equal(out[y], colour[3 - y], 3);
    dataset_close(d);
}

static void names_tell_which_data_set_it_is(void **state) {
    (void)state;
    static const palette grey = {{0}}; /* of one colour: it tells nothing apart */
    palette out;
    dataset *d = pack_with(grey, "Pavement,sky,road,sign symbol", "");
    assert_int_equal(dataset_colours(d, out), STATUS_OK);
    assert_memory_equal(out[0], "\x3C\x28\xDE", 3);
    assert_memory_equal(out[3], "\xC0\x80\x80", 3);
    dataset_close(d);
    d = pack_with(grey, "rider,sky,road,terrain", "");
    assert_int_equal(dataset_colours(d, out), STATUS_OK);
    assert_memory_equal(out[0], "\xFF\x00\x00", 3);
    dataset_close(d);
}

static void unknown_classes_have_our_colours(void **state) {
    (void)state;
    static const palette grey = {{0}};
    palette out;
    dataset *d = pack_with(grey, "rider,sky,road,teapot", "");
    assert_int_equal(dataset_colours(d, out), STATUS_OK);
    assert_memory_equal(out, palette_classes(), sizeof out);
    dataset_close(d);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(label_files_bring_their_colours),
        cmocka_unit_test(names_tell_which_data_set_it_is),
        cmocka_unit_test(unknown_classes_have_our_colours),
    };
    int failed;
    MPI_Init(&argc, &argv);
    if (comm_create(&world, MPI_COMM_WORLD) != STATUS_OK) return 1;
    failed = cmocka_run_group_tests(tests, setup, world_teardown);
    comm_destroy(world);
    MPI_Finalize();
    return failed;
}
