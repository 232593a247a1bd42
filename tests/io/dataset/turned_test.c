/* Images that EXIF turns, with label maps that lie as the picture is shown, or as it is stored:
 * whatever the way, image and labels come back upright, pixel upon pixel. */
#include "src/image/turn.h"
#include "tests/io/small_dataset.h"

enum { HIGH = 16, WIDE = 24 };

/* A JPEG of 16 x 24 pixels with EXIF data of one entry, the orientation. */
static void put_turned(const char *name, const image *m, int orientation) {
    uint8_t exif[] = {0xFF, 0xE1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, '*', 0, 0, 0, 8, 0,
        1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0};
    exif[29] = (uint8_t)orientation;
    void *jpeg = NULL;
    size_t size;
    assert_int_equal(image_file_encode_jpeg(m, 95, &jpeg, &size), STATUS_OK);
    uint8_t *all = malloc(size + sizeof exif);
    assert_non_null(all);
    memcpy(all, jpeg, 2);
    memcpy(all + 2, exif, sizeof exif);
    memcpy(all + 2 + sizeof exif, (uint8_t *)jpeg + 2, size - 2);
    put(name, all, size + sizeof exif);
    free(all);
    memory_free(jpeg);
}

/* As stored; each label its place. */
static labelmap stored_labels(void) {
    labelmap l;
    assert_int_equal(labelmap_create(&l, HIGH, WIDE), STATUS_OK);
    for (int i = 0; i < HIGH * WIDE; i++) l.data[i] = (uint16_t)(i % 251 % CLASSES);
    return l;
}

static image stored_image(void) {
    image m;
    assert_int_equal(image_create(&m, HIGH, WIDE), STATUS_OK);
    for (int i = 0; i < HIGH * WIDE; i++) {
        m.data[3 * i] = (uint8_t)(i / WIDE * 15);
        m.data[3 * i + 1] = (uint8_t)(i % WIDE * 10);
        m.data[3 * i + 2] = 90;
    }
    return m;
}

/* "6.jpg", its labels as they are shown, "6-turned.png", and as they are stored, "stored.png". */
static int make_files(void **state) {
    world_setup(state);
    image m = stored_image();
    for (int o = 1; comm_root(world) && o <= ORIENTATIONS; o++) {
        char name[32];
        labelmap l = stored_labels();
        if (o == 1) put_labels("stored.png", &l);
        snprintf(name, sizeof name, "%d.jpg", o);
        put_turned(name, &m, o);
        assert_int_equal(labelmap_turn(&l, o), STATUS_OK);
        snprintf(name, sizeof name, "%d-turned.png", o);
        put_labels(name, &l);
        labelmap_destroy(&l);
    }
    image_destroy(&m);
    if (comm_root(world)) put_text("none", "");
    comm_barrier(world);
    return 0;
}

/* A list of "63s": a digit for an image with its turned map, with an s behind it for the stored. */
static settings list(const char *images, dataset_label_orientation how) {
    char text[512] = "";
    for (const char *at = images; *at && comm_root(world); at++) {
        char line[64];
        if (*at == 's') continue;
        if (at[1] == 's')
            snprintf(line, sizeof line, "%c.jpg\tstored.png\n", *at);
        else
            snprintf(line, sizeof line, "%c.jpg\t%c-turned.png\n", *at, *at);
        strcat(text, line);
    }
    if (comm_root(world)) put_text("turned", text);
    comm_barrier(world);
    settings s = describe("turned", "none");
    s.dataset.label_orientation = how;
    return s;
}

/* What comes back of image i is what is stored in the file, turned. */
static void check_upright(const dataset *d, int i) {
    image rgb, want, plain;
    labelmap label, ids = stored_labels();
    dataset_item x = dataset_get(d, i);
    int o = x.name[0] - '0';
    void *bytes = NULL;
    size_t size;
    assert_int_equal(file_read(scratch_path(&folder, x.name), 1 << 20, &bytes, &size), STATUS_OK);
    assert_int_equal(image_file_decode(bytes, size, x.name, 1000, &want), STATUS_OK);
    assert_int_equal(dataset_load(d, i, 1, &rgb, &label), STATUS_OK);
    assert_int_equal(image_turn(&want, o), STATUS_OK);
    assert_int_equal(labelmap_turn(&ids, o), STATUS_OK);
    assert_true(x.height == want.height && x.width == want.width);
    assert_true(rgb.height == want.height && rgb.width == want.width);
    assert_true(label.height == want.height && label.width == want.width);
    assert_memory_equal(rgb.data, want.data, 3 * HIGH * WIDE);
    assert_memory_equal(label.data, ids.data, sizeof(uint16_t) * HIGH * WIDE);
    /* A picture of half the size is turned after the decoder has reduced it. */
    assert_int_equal(dataset_load(d, i, 0.5, &plain, NULL), STATUS_OK);
    assert_true(plain.height == want.height / 2 && plain.width == want.width / 2);
    int y = orientation_swaps(o) ? plain.width : plain.height;
    assert_int_equal(y, HIGH / 2);
    image_destroy(&plain);
    image_destroy(&rgb);
    image_destroy(&want);
    labelmap_destroy(&label);
    labelmap_destroy(&ids);
    memory_free(bytes);
}

/* Packs, checks all, and that the log says why. */
static void check_pack(const comm *c, const char *images, dataset_label_orientation how,
    const char *message, uint64_t *hash) {
    dataset *d;
    capture log;
    settings s = list(images, how);
    comm_barrier(c);
    capture_begin(&log, 1);
    status st = dataset_pack(c, &s, scratch_path(&folder, "turned.h5"), NULL, &(timers){0});
    capture_end(&log);
    assert_int_equal(st, STATUS_OK);
    if (comm_root(c) && !strstr(log.text, message)) fail_msg("%s: %s", images, log.text);
    assert_int_equal(dataset_open(c, scratch_path(&folder, "turned.h5"), &d), STATUS_OK);
    for (int i = 0; i < dataset_count(d); i++) check_upright(d, i);
    *hash = dataset_hash(d);
    dataset_close(d);
    comm_barrier(c);
}

static const struct {
    const char *images;
    dataset_label_orientation how;
    const char *message;
} right[] = {
    {"12345678", DATASET_LABEL_ORIENTATION_AUTO, "taken to lie as the others, turned"},
    {"1s2s3s4s5s6s7s8s", DATASET_LABEL_ORIENTATION_AUTO, "taken to lie as the others, as stored"},
    {"13", DATASET_LABEL_ORIENTATION_AUTO, "1 fit both"},
    {"13", DATASET_LABEL_ORIENTATION_TURNED, "1 fit both"},
    {"1s3s", DATASET_LABEL_ORIENTATION_STORED, "1 fit both"},
    {"8s57s6", DATASET_LABEL_ORIENTATION_AUTO, "2 have the turned size, 2 the stored one"},
    {"6s32", DATASET_LABEL_ORIENTATION_TURNED, "2 fit both"},
};

static void images_and_labels_come_back_upright(void **state) {
    uint64_t all, one = 0;
    (void)state;
    check_pack(world, right[0].images, right[0].how, right[0].message, &all);
    for (size_t i = 0; comm_root(world) && i < sizeof right / sizeof *right; i++) {
        uint64_t hash;
        const comm *mine = world;
        world = NULL;
        check_pack(NULL, right[i].images, right[i].how, right[i].message, &hash);
        world = (comm *)mine;
        if (i == 0) one = hash;
    }
    comm_broadcast(world, &one, sizeof one);
    assert_true(all == one);
}

static void what_no_rule_tells_is_asked(void **state) {
    (void)state;
    settings s = list("658s3", DATASET_LABEL_ORIENTATION_AUTO);
    check_pack_fails(&s, STATUS_DATA, "1 label maps of turned images, the first of 3.jpg");
    check_pack_fails(&s, STATUS_DATA, "dataset.label_orientation = \"turned\" or \"stored\"");
}

int main(int argc, char **argv) {
    int failed;
    const struct CMUnitTest tests[] = {cmocka_unit_test(images_and_labels_come_back_upright),
        cmocka_unit_test(what_no_rule_tells_is_asked)};
    MPI_Init(&argc, &argv);
    if (comm_create(&world, MPI_COMM_WORLD) != STATUS_OK) return 1;
    failed = cmocka_run_group_tests(tests, make_files, world_teardown);
    comm_destroy(world);
    MPI_Finalize();
    return failed;
}
