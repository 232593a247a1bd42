/* Images that are held out: which ones, that the choice is one of their names alone, and where they
 * go. */
#include "io/dataset/held_out.h"
#include "io/dataset/layout.h"
#include "tests/base/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { FRAMES = 40, STILLS = 7 };

static settings with(double held_out, int longest) {
    settings s;
    assert_int_equal(settings_read(&s, NULL, NULL, 0), STATUS_OK);
    s.dataset.held_out = held_out;
    s.dataset.held_out_block = longest;
    return s;
}

static void put(layout *l, split which, const char *name, const char *label) {
    assert_int_equal(layout_append(l, "", which, name, label), STATUS_OK);
}

/* A film whose frames are listed backwards, photographs, one image without labels, two validation
 * images and a test image. */
static layout list(void) {
    layout l = {0};
    char name[64];
    for (int i = FRAMES; i-- > 0;) {
        snprintf(name, sizeof name, "/film_%d.png", 8 + 3 * i);
        put(&l, SPLIT_TRAIN, name, "/l.png");
    }
    for (int i = 0; i < STILLS; i++) {
        snprintf(name, sizeof name, "/photo-%c.png", 'a' + i);
        put(&l, SPLIT_TRAIN, name, "/l.png");
    }
    put(&l, SPLIT_TRAIN, "/film_9.png", NULL);
    put(&l, SPLIT_VAL, "/val_1.png", "/l.png");
    put(&l, SPLIT_VAL, "/val_2.png", "/l.png");
    put(&l, SPLIT_TEST, "/test.png", "/l.png");
    return l;
}

static int count(const layout *l, split which) {
    int n = 0;
    for (int i = 0; i < l->items; i++) n += l->item[i].split == which;
    return n;
}

static bool is_in(const layout *l, const char *name, split which) {
    for (int i = 0; i < l->items; i++)
        if (strcmp(l->item[i].name, name) == 0) return l->item[i].split == which;
    return false;
}

static void they_take_the_place_of_the_validation_images(void **state) {
    (void)state;
    settings s = with(20, 10);
    layout l = list();
    assert_int_equal(held_out_take(&l, &s), STATUS_OK);
    assert_int_equal(l.held_out, 20);
    assert_int_equal(count(&l, SPLIT_VAL), 20);
    assert_int_equal(count(&l, SPLIT_TRAIN), FRAMES + STILLS + 1 - 20);
    assert_int_equal(count(&l, SPLIT_TEST), 1);
    assert_false(is_in(&l, "/val_1.png", SPLIT_VAL));
    assert_true(is_in(&l, "/film_9.png", SPLIT_TRAIN)); /* no labels */
    for (int i = 1; i < l.items; i++) assert_true(l.item[i - 1].split <= l.item[i].split);
    layout_destroy(&l);
}

static void or_stand_beside_them(void **state) {
    (void)state;
    settings s = with(0.25, 10);
    layout l = list();
    s.dataset.held_out_for = DATASET_HELD_OUT_FOR_VALIDATE;
    assert_int_equal(held_out_take(&l, &s), STATUS_OK);
    assert_int_equal(count(&l, SPLIT_HELD_OUT), 12); /* of 47 */
    assert_int_equal(count(&l, SPLIT_VAL), 2);
    assert_int_equal(l.item[l.items - 1].split, SPLIT_HELD_OUT);
    layout_destroy(&l);
}

/* Frames 8, 11, ..., 125: blocks begin at every tenth in the order of numbers, where the order of
 * letters would put 101 before 11. Whoever is held out has its block with it. */
static void frames_are_held_out_in_blocks_of_neighbours(void **state) {
    (void)state;
    settings s = with(17, 10);
    layout l = list();
    char name[64];
    int whole = 0;
    assert_int_equal(held_out_take(&l, &s), STATUS_OK);
    for (int first = 0; first < FRAMES; first += 10) {
        int held = 0;
        for (int i = 0; i < 10; i++) {
            snprintf(name, sizeof name, "/film_%d.png", 8 + 3 * (first + i));
            bool here = is_in(&l, name, SPLIT_VAL);
            assert_true(!here || held == i); /* from the block's begin on */
            held += here;
        }
        whole += held == 10;
        if (held > 0 && held < 10) assert_int_equal(count(&l, SPLIT_VAL), 17);
    }
    assert_true(whole >= 1);
    layout_destroy(&l);
}

/* Another order of the list, another seed: the same images. A larger number: those, and more. */
static void the_choice_is_one_of_the_names(void **state) {
    (void)state;
    settings s = with(9, 4), more = with(19, 4);
    layout a = list(), b = list(), c = list();
    more.run.seed = s.run.seed + 1;
    for (int i = 0, k = FRAMES - 1; i < k; i++, k--) {
        layout_item x = b.item[i];
        b.item[i] = b.item[k];
        b.item[k] = x;
    }
    assert_int_equal(held_out_take(&a, &s), STATUS_OK);
    assert_int_equal(held_out_take(&b, &s), STATUS_OK);
    assert_int_equal(held_out_take(&c, &more), STATUS_OK);
    for (int i = 0; i < a.items; i++) {
        assert_true(is_in(&b, a.item[i].name, a.item[i].split));
        if (a.item[i].split == SPLIT_VAL) assert_true(is_in(&c, a.item[i].name, SPLIT_VAL));
    }
    assert_int_equal(count(&c, SPLIT_VAL), 19);
    layout_destroy(&a);
    layout_destroy(&b);
    layout_destroy(&c);
}

static void one_training_image_stays(void **state) {
    (void)state;
    capture said;
    settings s = with(FRAMES + STILLS, 10), none = with(0, 10);
    layout l = list();
    capture_begin(&said, STDERR_FILENO);
    status st = held_out_take(&l, &s);
    capture_end(&said);
    assert_int_equal(st, STATUS_USAGE);
    assert_non_null(strstr(said.text, "of 47 labelled training images none would be left"));
    layout_destroy(&l);
    l = list();
    assert_int_equal(held_out_take(&l, &none), STATUS_OK);
    assert_int_equal(count(&l, SPLIT_VAL), 2);
    layout_destroy(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_take_the_place_of_the_validation_images),
        cmocka_unit_test(or_stand_beside_them),
        cmocka_unit_test(frames_are_held_out_in_blocks_of_neighbours),
        cmocka_unit_test(the_choice_is_one_of_the_names),
        cmocka_unit_test(one_training_image_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
