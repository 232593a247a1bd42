#include "src/contrast/choose_pixels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { PIXELS = 1000, SIDE = 16 };

static uint16_t label[PIXELS];
static int chosen[PIXELS], second[PIXELS];

static random_stream stream(uint64_t item) {
    return random_begin(7, RANDOM_PIXELS, 0, item);
}

/* Label 0: 900 pixels, 1: 60, 2: 3, 3: 27, and 10 ignored. */
static void set_labels(void) {
    for (int i = 0; i < PIXELS; i++)
        label[i] = i < 900 ? 0 : i < 960 ? 1 : i < 963 ? 2 : i < 990 ? 3 : LABEL_IGNORE;
}

static void labels_are_sampled_evenly(void **state) {
    (void)state;
    set_labels();
    int count, seen[PIXELS] = {0}, of[4] = {0};
    random_stream r = stream(1);
    assert_int_equal(choose_evenly(&r, label, PIXELS, 63, chosen, &count), STATUS_OK);
    assert_int_equal(count, 63);
    for (int i = 0; i < count; i++) {
        assert_in_range(label[chosen[i]], 0, 3);
        assert_int_equal(seen[chosen[i]]++, 0);
        of[label[chosen[i]]]++;
    }
    assert_int_equal(of[0], 20);
    assert_int_equal(of[1], 20);
    assert_int_equal(of[2], 3);
    assert_int_equal(of[3], 20);
}

static void all_pixels_when_more_are_wanted(void **state) {
    (void)state;
    set_labels();
    int count;
    random_stream r = stream(2);
    assert_int_equal(choose_evenly(&r, label, PIXELS, PIXELS, chosen, &count), STATUS_OK);
    assert_int_equal(count, 990);
    for (int i = 0; i < PIXELS; i++) label[i] = LABEL_IGNORE;
    assert_int_equal(choose_evenly(&r, label, PIXELS, 5, chosen, &count), STATUS_OK);
    assert_int_equal(count, 0);
}

/* With fewer pixels wanted than labels, no label is preferred. */
static void every_label_has_its_chance(void **state) {
    (void)state;
    int hits[10] = {0};
    for (int i = 0; i < 100; i++) label[i] = (uint16_t)(i / 10);
    for (uint64_t t = 0; t < 1000; t++) {
        int count;
        random_stream r = stream(t);
        assert_int_equal(choose_evenly(&r, label, 100, 3, chosen, &count), STATUS_OK);
        for (int i = 0; i < count; i++) hits[label[chosen[i]]]++;
    }
    for (int i = 0; i < 10; i++) assert_in_range(hits[i], 240, 360);
}

static view crop(double top, double left, double size, bool flip) {
    return (view){
        .size = 64, .top = top, .left = left, .height = size, .width = size, .flip = flip};
}

static void pairs_show_the_same_place(void **state) {
    (void)state;
    const view half[2] = {crop(0, 0, 64, false), crop(32, 0, 64, true)};
    const view away[2] = {half[0], crop(64, 64, 64, false)};
    const pair_grid uniformly = {SIDE, SIDE, NULL};
    pixel_pairs found = {chosen, second, 0};
    random_stream r = stream(3);
    assert_int_equal(choose_pairs(&r, half, &uniformly, PIXELS, &found), STATUS_OK);
    assert_int_equal(found.count, SIDE * SIDE / 2);
    for (int i = 0; i < found.count; i++) {
        int row = chosen[i] / SIDE, column = chosen[i] % SIDE;
        assert_int_equal(second[i], (row - SIDE / 2) * SIDE + SIDE - 1 - column);
    }
    assert_int_equal(choose_pairs(&r, away, &uniformly, 9, &found), STATUS_OK);
    assert_int_equal(found.count, 0);
}

static void pairs_respect_labels(void **state) {
    (void)state;
    const view same[2] = {crop(0, 0, 64, false), crop(0, 0, 64, false)};
    const pair_grid evenly = {SIDE, SIDE, label};
    pixel_pairs found = {chosen, second, 0};
    for (int i = 0; i < SIDE * SIDE; i++) label[i] = i < 8 ? 4 : i < 200 ? 2 : LABEL_IGNORE;
    int of[5] = {0};
    random_stream r = stream(4);
    assert_int_equal(choose_pairs(&r, same, &evenly, 16, &found), STATUS_OK);
    assert_int_equal(found.count, 16);
    for (int i = 0; i < found.count; i++) {
        assert_int_equal(chosen[i], second[i]);
        of[label[chosen[i]]]++;
    }
    assert_int_equal(of[4], 8);
    assert_int_equal(of[2], 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_sampled_evenly),
        cmocka_unit_test(all_pixels_when_more_are_wanted),
        cmocka_unit_test(every_label_has_its_chance),
        cmocka_unit_test(pairs_show_the_same_place),
        cmocka_unit_test(pairs_respect_labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
