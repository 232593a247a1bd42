#include "io/dataset/layout.h"

#include "io/dataset/layout_share.h"
#include "tests/base/capture.h"
#include "tests/io/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static scratch folder;

static int setup(void **state) {
    (void)state;
    scratch_create(&folder);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    scratch_destroy(&folder);
    return 0;
}

static void put(const char *name, const char *text) {
    scratch_write(scratch_path(&folder, name), text, strlen(text));
}

static settings of_layout(dataset_layout kind) {
    settings s;
    assert_int_equal(settings_read(&s, NULL, NULL, 0), STATUS_OK);
    s.dataset.layout = kind;
    strcpy(s.dataset.root, folder.folder);
    return s;
}

/* A file below root with the folders above it. */
static void put_below(settings *s, const char *root, const char *name, const char *text) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *slash = path; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        mkdir(scratch_path(&folder, path), 0777);
        *slash = '/';
    }
    put(path, text);
    strcpy(s->dataset.root, scratch_path(&folder, root));
}

/* As layout_read; what is written to standard error is in c. */
static status read_captured(capture *c, layout *l, const settings *s) {
    capture_begin(c, 2);
    status st = layout_read(l, s);
    capture_end(c);
    return st;
}

/* path is root/name; NULL is no path. */
static void check_path(const char *path, const char *name) {
    if (!name) {
        assert_null(path);
        return;
    }
    assert_non_null(path);
    if (name[0] == '/')
        assert_string_equal(path, name);
    else
        assert_string_equal(path, scratch_path(&folder, name));
}

static void check_item(
    const layout *l, int i, split which, const char *picture, const char *label, const char *name) {
    assert_true(i < l->items);
    check_path(l->item[i].image, picture);
    check_path(l->item[i].label, label);
    assert_string_equal(l->item[i].name, name);
    assert_int_equal(l->item[i].split, which);
}

static void camvids_lists_are_read(void **state) {
    (void)state;
    settings s = of_layout(DATASET_LAYOUT_CAMVID);
    layout l;
    strcpy(s.dataset.strip_prefix, "/SegNet/CamVid/");
    put("train.txt", "/SegNet/CamVid/train/b.png /SegNet/CamVid/trainannot/b.png\n"
                     "/SegNet/CamVid/train/a.png /SegNet/CamVid/trainannot/a.png\r\n\n");
    put("val.txt", "/elsewhere/c.png val/c.png");
    assert_int_equal(layout_read(&l, &s), STATUS_OK);
    assert_int_equal(l.items, 3);
    check_item(&l, 0, SPLIT_TRAIN, "train/b.png", "trainannot/b.png", "train/b.png");
    check_item(&l, 1, SPLIT_TRAIN, "train/a.png", "trainannot/a.png", "train/a.png");
    check_item(&l, 2, SPLIT_VAL, "/elsewhere/c.png", "val/c.png", "/elsewhere/c.png");
    layout_destroy(&l);
}

static void pairs_may_lack_labels(void **state) {
    (void)state;
    settings s = of_layout(DATASET_LAYOUT_PAIRS);
    layout l;
    strcpy(s.dataset.train, "list.tsv");
    strcpy(s.dataset.test, "test.tsv");
    put("list.tsv", "one two.jpg\tlabels of/one two.png\nb.jpg\nc.jpg\t\n");
    put("test.tsv", "t.jpg\tt.png\n");
    assert_int_equal(layout_read(&l, &s), STATUS_OK);
    assert_int_equal(l.items, 4);
    check_item(&l, 0, SPLIT_TRAIN, "one two.jpg", "labels of/one two.png", "one two.jpg");
    check_item(&l, 1, SPLIT_TRAIN, "b.jpg", NULL, "b.jpg");
    check_item(&l, 2, SPLIT_TRAIN, "c.jpg", NULL, "c.jpg");
    check_item(&l, 3, SPLIT_TEST, "t.jpg", "t.png", "t.jpg");
    layout_destroy(&l);
}

static void a_folder_is_walked_by_name(void **state) {
    (void)state;
    settings s = of_layout(DATASET_LAYOUT_FOLDER);
    layout l;
    char root[sizeof s.dataset.root];
    snprintf(root, sizeof root, "%s/photos/", folder.folder);
    strcpy(s.dataset.root, root);
    mkdir(scratch_path(&folder, "photos"), 0777);
    mkdir(scratch_path(&folder, "photos/b"), 0777);
    put("photos/c.JPG", "");
    put("photos/a.png", "");
    put("photos/b/z.jpeg", "");
    put("photos/notes.txt", "");
    put("photos/png", "");
    assert_int_equal(layout_read(&l, &s), STATUS_OK);
    assert_int_equal(l.items, 3);
    check_item(&l, 0, SPLIT_TRAIN, "photos//a.png", NULL, "a.png");
    check_item(&l, 1, SPLIT_TRAIN, "photos//b/z.jpeg", NULL, "b/z.jpeg");
    check_item(&l, 2, SPLIT_TRAIN, "photos//c.JPG", NULL, "c.JPG");
    layout_destroy(&l);
}

/* As cameras and old archives write them: the image keeps its label map, and both their names. */
static void endings_count_in_any_case(void **state) {
    (void)state;
    capture c;
    settings s = of_layout(DATASET_LAYOUT_CITYSCAPES);
    layout l;
    put_below(&s, "case", "leftImg8bit/train/x/a_leftImg8bit.PNG", "");
    put_below(&s, "case", "leftImg8bit/train/x/b_leftImg8bit.png", "");
    put_below(&s, "case", "gtFine/train/x/a_gtFine_labelIds.png", "");
    put_below(&s, "case", "gtFine/train/x/B_gtFine_labelIds.png", "");
    put_below(&s, "case", "gtFine/train/x/b_gtFine_labelIds.Png", "");
    assert_int_equal(read_captured(&c, &l, &s), STATUS_OK);
    assert_int_equal(l.items, 2);
    check_item(&l, 0, SPLIT_TRAIN, "case/leftImg8bit/train/x/a_leftImg8bit.PNG",
        "case/gtFine/train/x/a_gtFine_labelIds.png", "leftImg8bit/train/x/a_leftImg8bit.PNG");
    check_item(&l, 1, SPLIT_TRAIN, "case/leftImg8bit/train/x/b_leftImg8bit.png",
        "case/gtFine/train/x/b_gtFine_labelIds.Png", "leftImg8bit/train/x/b_leftImg8bit.png");
    assert_string_equal(c.text, "");
    layout_destroy(&l);
}

/* Which of the two is meant nobody can tell. */
static void two_endings_of_one_map_are_refused(void **state) {
    (void)state;
    capture c;
    settings s = of_layout(DATASET_LAYOUT_ADE20K);
    layout l;
    put_below(&s, "two", "images/training/a.jpg", "");
    put_below(&s, "two", "annotations/training/a.png", "");
    put_below(&s, "two", "annotations/training/a.PNG", "");
    assert_int_equal(read_captured(&c, &l, &s), STATUS_DATA);
    assert_non_null(strstr(c.text, "annotations/training: a.PNG and a.png differ in the case"));
}

/* The list has no ending, and what it names is there under another than the table's. */
static void listed_names_find_any_case(void **state) {
    (void)state;
    capture c;
    settings s = of_layout(DATASET_LAYOUT_VOC);
    layout l;
    put_below(&s, "listed", "ImageSets/Segmentation/train.txt", "a\nb\ngone\n");
    put_below(&s, "listed", "JPEGImages/a.JPG", "");
    put_below(&s, "listed", "JPEGImages/A.jpg", "");
    put_below(&s, "listed", "JPEGImages/b.jpg", "");
    put_below(&s, "listed", "SegmentationClass/a.png", "");
    put_below(&s, "listed", "SegmentationClass/b.PNG", "");
    assert_int_equal(read_captured(&c, &l, &s), STATUS_OK);
    assert_int_equal(l.items, 3);
    check_item(&l, 0, SPLIT_TRAIN, "listed/JPEGImages/a.JPG", "listed/SegmentationClass/a.png",
        "JPEGImages/a.JPG");
    check_item(&l, 1, SPLIT_TRAIN, "listed/JPEGImages/b.jpg", "listed/SegmentationClass/b.PNG",
        "JPEGImages/b.jpg");
    check_item(&l, 2, SPLIT_TRAIN, "listed/JPEGImages/gone.jpg",
        "listed/SegmentationClass/gone.png", "JPEGImages/gone.jpg");
    layout_destroy(&l);
}

/* A small VOC with label maps in both folders; the lists are train_aug.txt and val.txt. */
static settings lists_of_paths(const char *root, const char *train, const char *val) {
    settings s = of_layout(DATASET_LAYOUT_VOC);
    put_below(&s, root, "ImageSets/Segmentation/train_aug.txt", train);
    put_below(&s, root, "ImageSets/Segmentation/val.txt", val);
    put_below(&s, root, "JPEGImages/a.jpg", "");
    put_below(&s, root, "SegmentationClass/c.png", "");
    put_below(&s, root, "SegmentationClassAug/a.png", "");
    put_below(&s, root, "SegmentationClassAug/b.PNG", "");
    return s;
}

/* Paths of images and of label maps, as lists of others than the data set's authors have them. */
static void lists_of_paths_are_read(void **state) {
    (void)state;
    settings s = lists_of_paths("paths",
        "/JPEGImages/a.jpg /SegmentationClassAug/a.png\n"
        "/JPEGImages/b.JPG\tSegmentationClassAug/b.png\n"
        "JPEGImages/d.jpg d.png\n/mnt/voc/JPEGImages/e.jpg\nf.jpg  1\n /g\nsub/h -1\n",
        "JPEGImages/c.jpg SegmentationClass/c.png\n/JPEGImages/k.jpg "
        "/SegmentationClassAug/k.png\n");
    static const char *const name[] = {"a", "b", "d", "e", "f", "g", "sub/h", "c", "k"};
    layout l;
    assert_int_equal(layout_read(&l, &s), STATUS_OK);
    assert_int_equal(l.items, 9);
    for (int i = 0; i < l.items; i++) {
        char picture[64], map[64];
        snprintf(
            picture, sizeof picture, "paths/JPEGImages/%s.%s", name[i], i == 1 ? "JPG" : "jpg");
        snprintf(map, sizeof map, "paths/SegmentationClass%s/%s.%s", i == 7 ? "" : "Aug", name[i],
            i == 1 ? "PNG" : "png");
        check_item(
            &l, i, i < 7 ? SPLIT_TRAIN : SPLIT_VAL, picture, map, picture + strlen("paths/"));
    }
    layout_destroy(&l);
}

/* With the list and the line, and what is expected there. */
static void lines_that_mean_no_image_are_named(void **state) {
    (void)state;
    static const struct {
        const char *line, *message;
    } table[] = {
        {"/JPEGImages/", "the name of an image is expected"},
        {"/", "the name of an image is expected"},
        {"/Pictures/a.jpg", "/Pictures/a.jpg is not in JPEGImages"},
        {"JPEGImages/a.png", "a.png: this layout's images end in .jpg"},
        {"JPEGImages/a.jpg Masks/a.png", "label map Masks/a.png: those of variant \"aug\" are in "
                                         "SegmentationClassAug: set another dataset.variant"},
        {"a.jpg /SegmentationClass/a.png", "label map /SegmentationClass/a.png: those of variant"},
        {"a.jpg SegmentationClassAug/a.png b.png", "more than two paths"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        capture c;
        char text[128];
        layout l;
        snprintf(text, sizeof text, "a\n\n%s\n", table[i].line);
        settings s = lists_of_paths("mistaken", text, "c\n");
        assert_int_equal(read_captured(&c, &l, &s), STATUS_DATA);
        assert_non_null(strstr(c.text, "ImageSets/Segmentation/train_aug.txt: line 3: "));
        assert_non_null(strstr(c.text, table[i].message));
    }
}

/* What a Mac, a file manager and a notebook leave beside the images, and what was thrown away; the
 * folder itself may be hidden. What cannot be read ends no walk then. */
static void hidden_files_are_left_out(void **state) {
    (void)state;
    static const char *const name[] = {"b.png", "._b.png", ".thumbnails/b.png",
        ".Trash-1000/files/old/c.jpg", ".git/config", ".notes.txt", "sub/.ipynb_checkpoints/d.png",
        "sub/e.png"};
    capture c;
    settings s = of_layout(DATASET_LAYOUT_FOLDER);
    layout l;
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) put_below(&s, ".photos", name[i], "");
    mkdir(scratch_path(&folder, ".photos/.unreadable"), 0);
    capture_begin(&c, 1);
    status st = layout_read(&l, &s);
    capture_end(&c);
    assert_int_equal(st, STATUS_OK);
    assert_int_equal(l.items, 2);
    check_item(&l, 0, SPLIT_TRAIN, ".photos/b.png", NULL, "b.png");
    check_item(&l, 1, SPLIT_TRAIN, ".photos/sub/e.png", NULL, "sub/e.png");
    assert_non_null(strstr(c.text, ".photos: 1 images and 3 folders with images are left out"));
    assert_int_equal(capture_lines(&c), 1);
    layout_destroy(&l);
}

/* Links that lead nowhere were images once: packing refuses them, or skips them where it may. */
static void dangling_links_are_listed(void **state) {
    (void)state;
    capture c;
    settings s = of_layout(DATASET_LAYOUT_FOLDER);
    layout l;
    mkdir(scratch_path(&folder, "links"), 0777);
    put("links/b.png", "");
    assert_int_equal(symlink("nowhere.png", scratch_path(&folder, "links/a.png")), 0);
    assert_int_equal(symlink("b.png", scratch_path(&folder, "links/c.png")), 0);
    assert_int_equal(symlink("no/folder", scratch_path(&folder, "links/city")), 0);
    strcpy(s.dataset.root, scratch_path(&folder, "links"));
    capture_begin(&c, 2);
    assert_int_equal(layout_read(&l, &s), STATUS_OK);
    capture_end(&c);
    assert_int_equal(l.items, 3);
    check_item(&l, 0, SPLIT_TRAIN, "links/a.png", NULL, "a.png");
    check_item(&l, 2, SPLIT_TRAIN, "links/c.png", NULL, "c.png");
    assert_non_null(strstr(c.text, "links/city: a link to what is not there"));
    layout_destroy(&l);
}

/* What some editors put before the first letter is none of the first path's. */
static void a_byte_order_mark_is_skipped(void **state) {
    (void)state;
    settings s = of_layout(DATASET_LAYOUT_PAIRS);
    layout l;
    strcpy(s.dataset.train, "marked");
    put("marked", "\xEF\xBB\xBF/far/a.png\tb.png\r\nc.png\n");
    assert_int_equal(layout_read(&l, &s), STATUS_OK);
    assert_int_equal(l.items, 2);
    check_item(&l, 0, SPLIT_TRAIN, "/far/a.png", "b.png", "/far/a.png");
    layout_destroy(&l);
}

/* Every list of more than a few hundred lines makes the array grow. */
static void long_lists_are_read(void **state) {
    (void)state;
    enum { LINES = 3000, LINE = 16 };
    static char text[LINES * LINE];
    settings s = of_layout(DATASET_LAYOUT_PAIRS);
    layout l;
    size_t used = 0;
    strcpy(s.dataset.train, "long");
    for (int i = 0; i < LINES; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%d.jpg\n", LINES - i);
    put("long", text);
    assert_int_equal(layout_read(&l, &s), STATUS_OK);
    assert_int_equal(l.items, LINES);
    for (int i = 0; i < LINES; i++) assert_int_equal(atoi(l.item[i].name), LINES - i);
    layout_destroy(&l);
}

/* The message names file and line, or what is missing. */
static void mistakes_are_named(void **state) {
    (void)state;
    static const struct {
        dataset_layout layout;
        const char *text, *message;
        status wanted;
    } table[] = {
        {DATASET_LAYOUT_CAMVID, "a.png b.png\nc.png\n", "list: line 2", STATUS_DATA},
        {DATASET_LAYOUT_CAMVID, "a.png b.png c.png\n", "list: line 1", STATUS_DATA},
        {DATASET_LAYOUT_PAIRS, "a.png\tb.png\n\nd.png\te.png\tf.png\n", "list: line 3",
            STATUS_DATA},
        {DATASET_LAYOUT_PAIRS, "\tb.png\n", "list: line 1", STATUS_DATA},
        {DATASET_LAYOUT_PAIRS, "a.png\nb.png\na.png\n", "a.png is listed twice", STATUS_DATA},
        {DATASET_LAYOUT_PAIRS, "\n\n", "no image", STATUS_DATA},
        {DATASET_LAYOUT_PAIRS, NULL, "absent", STATUS_DATA},
        {DATASET_LAYOUT_PAIRS, "", "dataset.train", STATUS_USAGE},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        capture c;
        settings s = of_layout(table[i].layout);
        layout l = {.items = -1};
        put("list", table[i].text ? table[i].text : "");
        put("none", "");
        strcpy(s.dataset.train, !table[i].text ? "absent" : table[i].text[0] ? "list" : "");
        strcpy(s.dataset.val, "none");
        capture_begin(&c, 2);
        status st = layout_read(&l, &s);
        capture_end(&c);
        assert_int_equal(st, table[i].wanted);
        assert_non_null(strstr(c.text, table[i].message));
        assert_int_equal(l.items, -1);
    }
}

/* In training and in validation: the result would be flattered. */
static void splits_may_not_overlap(void **state) {
    (void)state;
    capture c;
    settings s = of_layout(DATASET_LAYOUT_PAIRS);
    layout l;
    strcpy(s.dataset.train, "list");
    strcpy(s.dataset.val, "other");
    put("list", "a.png\nb.png\n");
    put("other", "c.png\nb.png\n");
    capture_begin(&c, 2);
    status st = layout_read(&l, &s);
    capture_end(&c);
    assert_int_equal(st, STATUS_DATA);
    assert_non_null(strstr(c.text, "b.png is listed twice"));
}

/* Whether packing anew could give something else. */
static void the_stamp_follows_the_files(void **state) {
    (void)state;
    int found = 0;
    settings s = of_layout(DATASET_LAYOUT_PAIRS);
    uint64_t before, same, list, file, map;
    strcpy(s.dataset.train, "stamped");
    strcpy(s.dataset.label_map, "map.txt");
    put("stamped", "x.png\n");
    put("x.png", "1");
    assert_int_equal(layout_stamp(NULL, &s, &before, &found), STATUS_OK);
    assert_int_equal(layout_stamp(NULL, &s, &same, &found), STATUS_OK);
    assert_true(before == same);
    put("x.png", "12");
    assert_int_equal(layout_stamp(NULL, &s, &file, &found), STATUS_OK);
    put("stamped", "x.png\ny.png\n");
    assert_int_equal(layout_stamp(NULL, &s, &list, &found), STATUS_OK);
    put("map.txt", "0 1\n");
    assert_int_equal(layout_stamp(NULL, &s, &map, &found), STATUS_OK);
    assert_true(file != before && list != file && map != list);
}

/* The same files in the same order, of which one has moved from validation to training, or is named
 * by another way. */
static void the_stamp_follows_splits_and_names(void **state) {
    (void)state;
    int found = 0;
    settings s = of_layout(DATASET_LAYOUT_PAIRS);
    uint64_t before, moved, named;
    strcpy(s.dataset.train, "first");
    strcpy(s.dataset.val, "second");
    put("first", "x.png\n");
    put("second", "y.png\nz.png\n");
    assert_int_equal(layout_stamp(NULL, &s, &before, &found), STATUS_OK);
    put("first", "x.png\ny.png\n");
    put("second", "z.png\n");
    assert_int_equal(layout_stamp(NULL, &s, &moved, &found), STATUS_OK);
    assert_true(moved != before);
    char absolute[sizeof folder.path + 1];
    snprintf(absolute, sizeof absolute, "%s\n", scratch_path(&folder, "z.png"));
    put("second", absolute);
    assert_int_equal(layout_stamp(NULL, &s, &named, &found), STATUS_OK);
    assert_true(named != moved);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(camvids_lists_are_read),
        cmocka_unit_test(pairs_may_lack_labels),
        cmocka_unit_test(a_folder_is_walked_by_name),
        cmocka_unit_test(endings_count_in_any_case),
        cmocka_unit_test(two_endings_of_one_map_are_refused),
        cmocka_unit_test(listed_names_find_any_case),
        cmocka_unit_test(lists_of_paths_are_read),
        cmocka_unit_test(lines_that_mean_no_image_are_named),
        cmocka_unit_test(hidden_files_are_left_out),
        cmocka_unit_test(dangling_links_are_listed),
        cmocka_unit_test(a_byte_order_mark_is_skipped),
        cmocka_unit_test(long_lists_are_read),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(splits_may_not_overlap),
        cmocka_unit_test(the_stamp_follows_the_files),
        cmocka_unit_test(the_stamp_follows_splits_and_names),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
