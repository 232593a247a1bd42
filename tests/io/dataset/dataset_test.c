#include "src/base/log.h"
#include "tests/io/small_dataset.h"

/* ---- what comes back ---- */

static void check_image(const dataset *d, int i) {
    image rgb, want = make_image(i);
    labelmap label;
    dataset_item x = dataset_get(d, i);
    char name[32];
    snprintf(name, sizeof name, "%d.png", i);
    assert_string_equal(x.name, name);
    assert_true(x.height == height[i] && x.width == width[i]);
    assert_int_equal(x.split, i < 3 ? SPLIT_TRAIN : SPLIT_VAL);
    assert_int_equal(x.labelled, i < LABELLED);
    assert_int_equal(dataset_load(d, i, 1, &rgb, &label), STATUS_OK);
    assert_memory_equal(rgb.data, want.data, (size_t)(3 * height[i] * width[i]));
    if (i < LABELLED) {
        labelmap ids = make_labels(i);
        for (int k = 0; k < height[i] * width[i]; k++)
            assert_int_equal(label.data[k], ids.data[k] == IGNORE ? LABEL_IGNORE : ids.data[k]);
        labelmap_destroy(&ids);
    } else {
        assert_null(label.data);
    }
    labelmap_destroy(&label);
    image_destroy(&rgb);
    image_destroy(&want);
}

/* The hash is that of a file packed by one process: contents do not depend on ranks. */
static void everything_comes_back_on_every_rank(void **state) {
    (void)state;
    dataset *d, *one;
    settings s = describe("train", "val");
    uint64_t hash = 0;
    strcpy(s.dataset.names, "a, b b,c ,class 3");
    pack(world, &s, "all.h5", &d);
    assert_int_equal(dataset_count(d), IMAGES);
    assert_int_equal(dataset_classes(d), CLASSES);
    assert_string_equal(dataset_class_name(d, 1), "b b");
    assert_string_equal(dataset_class_name(d, 3), "class 3");
    for (int i = 0; i < IMAGES; i++) check_image(d, i);
    if (comm_root(world)) {
        assert_int_equal(
            dataset_pack(NULL, &s, scratch_path(&folder, "one.h5"), NULL, &(timers){0}), STATUS_OK);
        assert_int_equal(dataset_open(NULL, scratch_path(&folder, "one.h5"), &one), STATUS_OK);
        hash = dataset_hash(one);
        for (int i = 0; i < IMAGES; i++) check_image(one, i);
        dataset_close(one);
        assert_int_equal(dataset_verify(scratch_path(&folder, "all.h5")), STATUS_OK);
    }
    comm_broadcast(world, &hash, sizeof hash);
    assert_true(dataset_hash(d) == hash);
    dataset_close(d);
}

static void images_are_scaled(void **state) {
    (void)state;
    if (!comm_root(world)) return;
    dataset *d;
    settings s = describe("train", "val");
    pack(NULL, &s, "scaled.h5", &d);
    for (int i = 0; i < LABELLED; i++) {
        image rgb, small, full = make_image(i);
        labelmap label;
        int h, w;
        dataset_shape(d, i, 0.5, &h, &w);
        assert_true(h == (height[i] + 1) / 2 && w == (width[i] + 1) / 2);
        assert_int_equal(dataset_load(d, i, 0.5, &rgb, &label), STATUS_OK);
        assert_int_equal(image_resize(&full, h, w, &small), STATUS_OK);
        assert_true(rgb.height == h && rgb.width == w && label.height == h && label.width == w);
        assert_memory_equal(rgb.data, small.data, (size_t)(3 * h * w));
        image_destroy(&rgb);
        image_destroy(&small);
        image_destroy(&full);
        labelmap_destroy(&label);
    }
    dataset_close(d);
}

static void check_reduced(const dataset *d, int i, double scale, double reduction, int h, int w) {
    image rgb;
    labelmap label;
    int height_here, width_here;
    dataset_shape(d, i, scale, &height_here, &width_here);
    assert_int_equal(dataset_load_reduced(d, i, scale, reduction, &rgb, &label), STATUS_OK);
    assert_true(rgb.height == h && rgb.width == w);
    assert_true(label.height == height_here && label.width == width_here);
    image_destroy(&rgb);
    labelmap_destroy(&label);
}

/* JPEG alone comes smaller, and never smaller than asked for. */
static void large_jpegs_are_reduced(void **state) {
    (void)state;
    enum { H = 90, W = 64 };
    if (!comm_root(world)) return;
    dataset *d;
    image m;
    labelmap l;
    void *jpeg = NULL;
    size_t size;
    assert_int_equal(image_create(&m, H, W), STATUS_OK);
    assert_int_equal(labelmap_create(&l, H, W), STATUS_OK);
    assert_int_equal(image_file_encode_jpeg(&m, 90, &jpeg, &size), STATUS_OK);
    put("large.jpg", jpeg, size);
    put_image("large.png", &m);
    put_labels("large-labels.png", &l);
    put_text("large", "large.jpg\tlarge-labels.png\nlarge.png\tlarge-labels.png\n");
    settings s = describe("large", "");
    pack(NULL, &s, "large.h5", &d);
    for (int i = 0; i < 2; i++) {
        check_reduced(d, i, 1, 1, H, W);
        check_reduced(d, i, 0.5, 1, 45, 32);
        check_reduced(d, i, 0.3, 1, 27, 19);
        check_reduced(d, i, 2, 1, 180, 128);
        check_reduced(d, i, 1, 1.9, H, W);
        check_reduced(d, i, 1, 2, i ? H : 45, i ? W : 32);
        check_reduced(d, i, 1, 5, i ? H : 23, i ? W : 16);
        check_reduced(d, i, 0.5, 4, i ? 45 : 12, i ? 32 : 8);
        check_reduced(d, i, 4, 3, 360, 256);
    }
    dataset_close(d);
    memory_free(jpeg);
    image_destroy(&m);
    labelmap_destroy(&l);
}

static void unlabelled_folders_are_legal(void **state) {
    (void)state;
    dataset *d;
    settings s = describe("", "");
    if (comm_root(world)) {
        image m = make_image(1);
        mkdir(scratch_path(&folder, "photos"), 0777);
        put_image("photos/a.png", &m);
        image_destroy(&m);
    }
    strcpy(s.dataset.root, scratch_path(&folder, "photos"));
    s.dataset.layout = DATASET_LAYOUT_FOLDER;
    s.dataset.classes = 0;
    pack(world, &s, "folder.h5", &d);
    assert_int_equal(dataset_count(d), 1);
    assert_int_equal(dataset_classes(d), 0);
    assert_false(dataset_get(d, 0).labelled);
    dataset_close(d);
    assert_int_equal(dataset_verify(scratch_path(&folder, "folder.h5")), STATUS_OK);
}

/* ---- label ids ---- */

static void check_mapped(const char *map, const uint16_t *to) {
    dataset *d;
    settings s = describe("train", "val");
    strcpy(s.dataset.label_map, map);
    pack(NULL, &s, "mapped.h5", &d);
    for (int i = 0; i < LABELLED; i++) {
        image rgb;
        labelmap label, ids = make_labels(i);
        assert_int_equal(dataset_load(d, i, 1, &rgb, &label), STATUS_OK);
        for (int k = 0; k < height[i] * width[i]; k++)
            assert_int_equal(label.data[k], to[ids.data[k]]);
        image_destroy(&rgb);
        labelmap_destroy(&label);
        labelmap_destroy(&ids);
    }
    dataset_close(d);
}

static void ids_are_mapped(void **state) {
    (void)state;
    if (!comm_root(world)) return;
    enum { NO = LABEL_IGNORE };
    put_text("map.txt", "\xEF\xBB\xBF# id class\n0 3\n1\t2 # a comment\r\n\n2:9\n3 0\n");
    check_mapped("0:1, 1:0, 2:3, 3:9", (uint16_t[]){1, 0, 3, NO, 0, 0, 0, 0, 0, NO});
    check_mapped("9:1, 1:0, *:2", (uint16_t[]){2, 0, 2, 2, 0, 0, 0, 0, 0, 1});
    check_mapped("1:0, *:9", (uint16_t[]){NO, 0, NO, NO, 0, 0, 0, 0, 0, NO});
    check_mapped("map.txt", (uint16_t[]){3, 2, NO, 0, 0, 0, 0, 0, 0, NO});
}

static void bad_maps_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *map, *message;
        status wanted;
    } table[] = {{"0:4", "\"0:4\"", STATUS_USAGE}, {"0", "\"0\"", STATUS_USAGE},
        {"0:", "\"0:\"", STATUS_USAGE}, {":1", "\":1\"", STATUS_USAGE},
        {"0:1:2", "\"0:1:2\"", STATUS_USAGE}, {"70000:1", "\"70000:1\"", STATUS_USAGE},
        {"0:1,0:2", "\"0:2\": this id stands there twice", STATUS_USAGE},
        {"*:1,*:2", "\"*:2\": this id stands there twice", STATUS_USAGE},
        {"bad.txt", "bad.txt: \"sky 2\"", STATUS_USAGE},
        {"absent.txt", "absent.txt: cannot be read", STATUS_DATA}};
    settings s = describe("train", "val");
    if (comm_root(world)) put_text("bad.txt", "0 1\nsky 2\n");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        strcpy(s.dataset.label_map, table[i].map);
        check_pack_fails(&s, table[i].wanted, table[i].message);
    }
}

/* A name for each class: figures of classes are stored by name. */
static void bad_names_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *names, *message;
    } table[] = {{"a,b", "dataset.names: 2 names for 4 classes"},
        {"a,b,c,d,e", "dataset.names: 5 names for 4 classes"},
        {"a,b,,d", "the name of class 2 is empty"}, {"a,b,c\nd,e", "the name of class 2"},
        {"a,b,c,b ", "classes 1 and 3 are both called \"b\""}};
    settings s = describe("train", "val");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        strcpy(s.dataset.names, table[i].names);
        check_pack_fails(&s, STATUS_USAGE, table[i].message);
    }
}

/* Ids that the map does not name are mistakes, not classes. */
static void unknown_ids_name_the_file(void **state) {
    (void)state;
    settings s = describe("train", "val");
    s.dataset.ignore = 255;
    check_pack_fails(&s, STATUS_DATA, "labels.png: label id 9 is neither a class");
    s.dataset.ignore = IGNORE;
    s.dataset.classes = 3;
    check_pack_fails(&s, STATUS_DATA, "labels.png: label id 3 is neither");
    strcpy(s.dataset.label_map, "0:0,1:1,3:2");
    check_pack_fails(&s, STATUS_DATA, "labels.png: label id 2 is neither");
    s.dataset.label_map[0] = 0;
    s.dataset.classes = 0;
    check_pack_fails(&s, STATUS_USAGE, "dataset.classes");
}

/* ---- bad images ---- */

/* Lists with one bad pair between good ones. */
static void make_bad_files(void) {
    if (!comm_root(world)) return;
    image m = make_image(1);
    labelmap l = make_labels(3);
    put_text("not.png", "not an image");
    put_labels("other-size.png", &l);
    for (int k = 0; k < height[3] * width[3]; k++) l.data[k] = IGNORE;
    put_labels("void.png", &l);
    l.data[5] = 77;
    put_labels("id-77.png", &l);
    put_text("bad-image", "0.png\t0-labels.png\nnot.png\n3.png\n");
    put_text("no-image", "0.png\t0-labels.png\nabsent.png\n3.png\n");
    put_text("bad-label", "0.png\t0-labels.png\n1.png\tnot.png\n3.png\n");
    put_text("bad-size", "0.png\t0-labels.png\n1.png\tother-size.png\n3.png\n");
    put_text("bad-id", "0.png\t0-labels.png\n3.png\tid-77.png\n1.png\n");
    put_text("empty", "3.png\tvoid.png\n");
    put_text("only-bad", "not.png\n");
    put_text("twice", "1.png\n2.png\ncopy.png\n");
    put_text("none", "");
    put_image("copy.png", &m);
    image_destroy(&m);
    labelmap_destroy(&l);
}

static const struct {
    const char *list, *skipped, *message;
} bad_lists[] = {{"bad-image", "not.png", "not.png: neither JPEG nor PNG"},
    {"no-image", "absent.png", "absent.png: cannot be read"},
    {"bad-label", "1.png", "not.png: neither JPEG nor PNG"},
    {"bad-size", "1.png", "other-size.png: 9 x 33 pixels, but its image"},
    {"bad-id", "3.png",
        "id-77.png: label id 77 is neither a class (0 to 3), nor dataset.ignore = 9, nor in "
        "dataset.label_map: first at column 5, row 0; 1 pixels in 1 of 2 label maps"}};

static void bad_images_stop_the_packing(void **state) {
    (void)state;
    make_bad_files();
    for (size_t i = 0; i < sizeof bad_lists / sizeof *bad_lists; i++) {
        settings s = describe(bad_lists[i].list, "none");
        check_pack_fails(&s, STATUS_DATA, bad_lists[i].message);
    }
}

static void check_skipped(const comm *c, size_t i) {
    dataset *d;
    capture messages;
    char want[64];
    void *text = NULL;
    size_t size;
    settings s = describe(bad_lists[i].list, "none");
    s.dataset.on_bad_image = DATASET_ON_BAD_IMAGE_SKIP;
    capture_begin(&messages, 2);
    pack(c, &s, "skip.h5", &d);
    capture_end(&messages);
    assert_true(somewhere(c, &messages, bad_lists[i].message));
    assert_int_equal(dataset_count(d), 2);
    assert_string_equal(dataset_get(d, 0).name, "0.png");
    assert_true(dataset_get(d, 0).labelled && !dataset_get(d, 1).labelled);
    dataset_close(d);
    const char *list = scratch_path(&folder, "skip.h5.skipped.csv");
    assert_int_equal(file_read(list, 1000, &text, &size), STATUS_OK);
    snprintf(want, sizeof want, "%s\n", bad_lists[i].skipped);
    assert_string_equal(text, want);
    memory_free(text);
}

static void bad_images_are_skipped_and_listed(void **state) {
    (void)state;
    check_skipped(world, 0);
    comm_barrier(world);
    for (size_t i = 1; comm_root(world) && i < sizeof bad_lists / sizeof *bad_lists; i++)
        check_skipped(NULL, i);
    settings s = describe("only-bad", "none");
    s.dataset.on_bad_image = DATASET_ON_BAD_IMAGE_SKIP;
    check_pack_fails(&s, STATUS_DATA, "no image is left");
}

static void large_images_are_refused(void **state) {
    (void)state;
    settings s = describe("train", "val");
    s.dataset.max_megapixels = 0.0005;
    check_pack_fails(&s, STATUS_DATA, "1.png: 30 x 20 pixels, more than the limit");
}

static void oddities_are_named(void **state) {
    (void)state;
    if (!comm_root(world)) return;
    dataset *d;
    capture c;
    settings s = describe("empty", "none");
    capture_begin(&c, 2);
    pack(NULL, &s, "empty.h5", &d);
    capture_end(&c);
    assert_true(somewhere(NULL, &c, "void.png: no pixel has a class"));
    dataset_close(d);
    s = describe("twice", "none");
    capture_begin(&c, 2);
    pack(NULL, &s, "twice.h5", &d);
    capture_end(&c);
    assert_true(somewhere(NULL, &c, "1.png (train) and copy.png (train) are the same file"));
    dataset_close(d);
}

static void the_histogram_counts_ids(void **state) {
    (void)state;
    capture c;
    char line[128];
    int count[IGNORE + 1] = {0};
    settings s = describe("train", "val");
    for (int i = 0; i < LABELLED; i++) {
        labelmap ids = make_labels(i);
        for (int k = 0; k < height[i] * width[i]; k++) count[ids.data[k]]++;
        labelmap_destroy(&ids);
    }
    comm_barrier(world);
    log_set_verbose(true);
    capture_begin(&c, 1);
    status st = dataset_pack(world, &s, scratch_path(&folder, "counted.h5"), NULL, &(timers){0});
    capture_end(&c);
    log_set_verbose(false);
    assert_int_equal(st, STATUS_OK);
    for (int id = 0; id <= IGNORE; id++) {
        if (count[id] == 0) continue;
        snprintf(line, sizeof line, "%12d pixels", count[id]);
        assert_true(somewhere(world, &c, line));
    }
}

/* ---- damaged files ---- */

/* A copy of the file with one byte changed; size: shorter than it was. */
static void put_damaged(const char *from, const char *to, size_t at, size_t shorter) {
    uint8_t *bytes = NULL;
    size_t size;
    assert_int_equal(
        file_read(scratch_path(&folder, from), (size_t)1 << 30, (void **)&bytes, &size), STATUS_OK);
    if (at < size) bytes[at] ^= 0x10;
    put(to, bytes, size - shorter);
    memory_free(bytes);
}

/* Where the bytes of a file begin in another one. */
static size_t position(const char *in, const char *of) {
    uint8_t *bytes = NULL, *part = NULL;
    size_t size, length;
    assert_int_equal(
        file_read(scratch_path(&folder, in), (size_t)1 << 30, (void **)&bytes, &size), STATUS_OK);
    assert_int_equal(
        file_read(scratch_path(&folder, of), (size_t)1 << 30, (void **)&part, &length), STATUS_OK);
    uint8_t *at = memmem(bytes, size, part, length);
    assert_non_null(at);
    size_t n = (size_t)(at - bytes);
    memory_free(bytes);
    memory_free(part);
    return n;
}

/* The encoded files lie in dataset.h5 as they were; a changed byte of one is told by its name. */
static void damaged_images_are_named(void **state) {
    (void)state;
    if (!comm_root(world)) return;
    static const char *const file[] = {"3.png", "3-labels.png"};
    for (int which = 0; which < 2; which++) {
        dataset *d;
        capture c;
        image rgb;
        labelmap label;
        put_damaged("all.h5", "damaged.h5", position("all.h5", file[which]) + 40, 0);
        assert_int_equal(dataset_open(NULL, scratch_path(&folder, "damaged.h5"), &d), STATUS_OK);
        capture_begin(&c, 2);
        status st = dataset_load(d, 3, 1, &rgb, &label);
        status verified = dataset_verify(scratch_path(&folder, "damaged.h5"));
        capture_end(&c);
        assert_true(st == STATUS_DATA && verified == STATUS_DATA);
        assert_non_null(strstr(c.text, "3.png is damaged"));
        assert_non_null(strstr(c.text, which ? "the label map of" : "the image of"));
        check_image(d, 2);
        dataset_close(d);
    }
}

/* Wherever a byte is changed: no crash, and what opens has whole tables. */
static void damaged_tables_are_refused(void **state) {
    (void)state;
    if (!comm_root(world)) return;
    uint64_t bytes;
    int fd, opened = 0, refused = 0;
    assert_int_equal(file_open(scratch_path(&folder, "all.h5"), &fd, &bytes), STATUS_OK);
    close(fd);
    for (uint64_t i = 0; i < 300; i++) {
        capture c;
        dataset *d = NULL;
        random_stream r = random_begin(2, RANDOM_SYNTH, 0, i);
        uint64_t range = i % 2 ? bytes : 8192;
        put_damaged("all.h5", "changed.h5", (size_t)random_below(&r, range),
            i % 10 ? 0 : (size_t)random_below(&r, bytes));
        capture_begin(&c, 2);
        status st = dataset_open(NULL, scratch_path(&folder, "changed.h5"), &d);
        capture_end(&c);
        assert_true(st == STATUS_OK || st == STATUS_DATA || st == STATUS_FAILED);
        opened += st == STATUS_OK;
        refused += st != STATUS_OK;
        dataset_close(d);
    }
    assert_true(opened > 0 && refused > 0);
}

/* A packing that fails leaves the file of the one before. */
static void failure_leaves_the_old_file(void **state) {
    (void)state;
    capture c;
    dataset *d;
    settings s = describe("bad-image", "none");
    capture_begin(&c, 2);
    status st = dataset_pack(world, &s, scratch_path(&folder, "all.h5"), NULL, &(timers){0});
    capture_end(&c);
    assert_int_equal(st, STATUS_DATA);
    assert_int_equal(dataset_open(world, scratch_path(&folder, "all.h5"), &d), STATUS_OK);
    for (int i = 0; i < IMAGES; i++) check_image(d, i);
    dataset_close(d);
}

static void what_is_not_there_is_said_on_every_rank(void **state) {
    (void)state;
    dataset *d = NULL;
    capture c;
    capture_begin(&c, 2);
    status st = dataset_open(world, scratch_path(&folder, "absent.h5"), &d);
    capture_end(&c);
    assert_int_equal(st, STATUS_DATA);
    assert_null(d);
    assert_true(somewhere(world, &c, "absent.h5"));
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_comes_back_on_every_rank),
        cmocka_unit_test(images_are_scaled),
        cmocka_unit_test(large_jpegs_are_reduced),
        cmocka_unit_test(unlabelled_folders_are_legal),
        cmocka_unit_test(ids_are_mapped),
        cmocka_unit_test(bad_maps_are_refused),
        cmocka_unit_test(bad_names_are_refused),
        cmocka_unit_test(unknown_ids_name_the_file),
        cmocka_unit_test(bad_images_stop_the_packing),
        cmocka_unit_test(bad_images_are_skipped_and_listed),
        cmocka_unit_test(large_images_are_refused),
        cmocka_unit_test(oddities_are_named),
        cmocka_unit_test(the_histogram_counts_ids),
        cmocka_unit_test(damaged_images_are_named),
        cmocka_unit_test(damaged_tables_are_refused),
        cmocka_unit_test(failure_leaves_the_old_file),
        cmocka_unit_test(what_is_not_there_is_said_on_every_rank),
    };
    int failed;
    MPI_Init(&argc, &argv);
    if (comm_create(&world, MPI_COMM_WORLD) != STATUS_OK) return 1;
    failed = cmocka_run_group_tests(tests, setup, world_teardown);
    comm_destroy(world);
    MPI_Finalize();
    return failed;
}
