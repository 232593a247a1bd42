/* Images without labels beside a data set's own: which are taken, under which names, and where in
 * the list. */
#include "io/dataset/layout.h"
#include "tests/base/capture.h"
#include "tests/io/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static scratch folder;

static void put(const char *name, const char *text) {
    scratch_write(scratch_path(&folder, name), text, strlen(text));
}

/* Images and label maps of the data set lie in one folder with others, as they often do. */
static int setup(void **state) {
    (void)state;
    char target[512];
    scratch_create(&folder);
    mkdir(scratch_path(&folder, "all"), 0700);
    mkdir(scratch_path(&folder, "all/more"), 0700);
    const char *const image[] = {"all/a.png", "all/b.jpg", "all/c.JPG", "all/labels.png",
        "all/val.png", "all/more/d.jpeg", "all/more/a.png", "all/note.txt"};
    for (size_t i = 0; i < sizeof image / sizeof *image; i++) put(image[i], image[i]);
    snprintf(target, sizeof target, "%s", scratch_path(&folder, "all/val.png"));
    assert_int_equal(symlink(target, scratch_path(&folder, "all/more/link.png")), 0);
    put("train", "all/a.png\tall/labels.png\n");
    put("val", "all/val.png\n");
    return 0;
}

static int teardown(void **state) {
    (void)state;
    scratch_destroy(&folder);
    return 0;
}

static settings with(const char *unlabelled) {
    settings s;
    assert_int_equal(settings_read(&s, NULL, NULL, 0), STATUS_OK);
    s.dataset.layout = DATASET_LAYOUT_PAIRS;
    strcpy(s.dataset.root, folder.folder);
    strcpy(s.dataset.train, "train");
    strcpy(s.dataset.val, "val");
    strcpy(s.dataset.unlabelled, unlabelled);
    return s;
}

/* The list's names are "NAME NAME ...", training images but for the last, of which the first alone
 * has a label map. */
static void check_names(const settings *s, const char *names) {
    layout l;
    char text[512] = "";
    assert_int_equal(layout_read(&l, s), STATUS_OK);
    for (int i = 0; i < l.items; i++) {
        strcat(strcat(text, i ? " " : ""), l.item[i].name);
        assert_int_equal(l.item[i].split, i + 1 < l.items ? SPLIT_TRAIN : SPLIT_VAL);
        assert_int_equal(l.item[i].label != NULL, i == 0);
        assert_int_equal(access(l.item[i].image, R_OK), 0);
    }
    assert_string_equal(text, names);
    layout_destroy(&l);
}

/* Neither the training image nor its label map, nor the validation image behind a link. */
static void a_folder_is_taken_but_for_what_is_listed(void **state) {
    (void)state;
    static const char *const names =
        "all/a.png all/b.jpg all/c.JPG all/more/a.png all/more/d.jpeg all/val.png";
    settings s = with("all");
    check_names(&s, names);
    s = with("all/");
    check_names(&s, names);
    s = with("all/more");
    check_names(&s, "all/a.png all/more/a.png all/more/d.jpeg all/val.png");
    s = with("");
    check_names(&s, "all/a.png all/val.png");
}

static void an_absolute_folder_gives_absolute_names(void **state) {
    (void)state;
    char names[2048], here[512];
    snprintf(here, sizeof here, "%s", scratch_path(&folder, "all/more"));
    snprintf(names, sizeof names, "all/a.png %s/a.png %s/d.jpeg all/val.png", here, here);
    settings s = with(here);
    check_names(&s, names);
}

static void a_list_keeps_its_order(void **state) {
    (void)state;
    put("more", "x/all/more/d.jpeg\nall/val.png\r\n\nall/b.jpg\n");
    settings s = with("more");
    strcpy(s.dataset.strip_prefix, "x/");
    check_names(&s, "all/a.png all/more/d.jpeg all/b.jpg all/val.png");
}

/* What a layout takes off its own lists is taken off this one, too. */
static void the_layouts_prefix_is_taken_off(void **state) {
    (void)state;
    static const char *const names[] = {"all/a.png", "all/b.jpg", "all/val.png"};
    layout l;
    put("train.txt", "/SegNet/CamVid/all/a.png /SegNet/CamVid/all/labels.png\n");
    put("val.txt", "/SegNet/CamVid/all/val.png /SegNet/CamVid/all/labels.png\n");
    put("more", "/SegNet/CamVid/all/b.jpg\n");
    settings s = with("more");
    s.dataset.layout = DATASET_LAYOUT_CAMVID;
    s.dataset.train[0] = s.dataset.val[0] = '\0';
    assert_int_equal(layout_read(&l, &s), STATUS_OK);
    assert_int_equal(l.items, 3);
    for (int i = 0; i < 3; i++) assert_string_equal(l.item[i].name, names[i]);
    layout_destroy(&l);
}

static void mistakes_are_named(void **state) {
    (void)state;
    static const struct {
        const char *list, *text, *message;
    } row[] = {{"twice", "all/b.jpg\nall/b.jpg\n", "all/b.jpg is listed twice"},
        {"two", "all/b.jpg\nall/c.JPG\tall/labels.png\n", "two: line 2: one path is expected"},
        {"none", "\n", "dataset.unlabelled = \"none\": no image found"},
        {"absent", NULL, "absent: cannot be read"}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        layout l;
        capture c;
        if (row[i].text) put(row[i].list, row[i].text);
        settings s = with(row[i].list);
        capture_begin(&c, 2);
        status st = layout_read(&l, &s);
        capture_end(&c);
        assert_int_equal(st, STATUS_DATA);
        if (!strstr(c.text, row[i].message)) fail_msg("%s: %s", row[i].list, c.text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_folder_is_taken_but_for_what_is_listed),
        cmocka_unit_test(an_absolute_folder_gives_absolute_names),
        cmocka_unit_test(a_list_keeps_its_order), cmocka_unit_test(the_layouts_prefix_is_taken_off),
        cmocka_unit_test(mistakes_are_named)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
