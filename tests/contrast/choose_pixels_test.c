#include "src/contrast/choose_pixels.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { PIXELS = 1000, SIDE = 16 };

static uint16_t label[PIXELS];
static int chosen[PIXELS], second[PIXELS];

static const label_grid whole = {1, PIXELS, label, -1}, part = {1, 100, label, -1};

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
    assert_int_equal(choose_evenly(&r, &whole, 63, chosen, &count), STATUS_OK);
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
    assert_int_equal(choose_evenly(&r, &whole, PIXELS, chosen, &count), STATUS_OK);
    assert_int_equal(count, 990);
    for (int i = 0; i < PIXELS; i++) label[i] = LABEL_IGNORE;
    assert_int_equal(choose_evenly(&r, &whole, 5, chosen, &count), STATUS_OK);
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
        assert_int_equal(choose_evenly(&r, &part, 3, chosen, &count), STATUS_OK);
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
    const label_grid uniformly = {SIDE, SIDE, NULL, -1};
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
    const label_grid evenly = {SIDE, SIDE, label, -1};
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

/* Label 0 inside of a square of label 1, which lies in ignored pixels: label 0 has 28 pixels at its
 * boundary and 36 others, label 1 has 32 and 4 corners, none of which touches label 0. */
static bool draw_square(int i) {
    int row_of = i / SIDE, column = i % SIDE, top = 3;
    bool inner = row_of > top && row_of < top + 9 && column > top && column < top + 9;
    bool outer = row_of >= top && row_of <= top + 9 && column >= top && column <= top + 9;
    label[i] = inner ? 0 : outer ? 1 : LABEL_IGNORE;
    bool corner = (row_of == top || row_of == top + 9) && (column == top || column == top + 9);
    int from = row_of - top, to = column - top;
    return inner ? from == 1 || from == 8 || to == 1 || to == 8 : outer && !corner;
}

static int at_boundary(const bool *border, int count, uint16_t of) {
    int n = 0;
    for (int i = 0; i < count; i++) n += label[chosen[i]] == of && border[chosen[i]];
    return n;
}

static void boundary_has_its_share(void **state) {
    (void)state;
    bool border[SIDE * SIDE];
    for (int i = 0; i < SIDE * SIDE; i++) border[i] = draw_square(i);
    label_grid g = {SIDE, SIDE, label, 0};
    static const struct {
        double share;
        int wanted, least[2], most[2]; /* of label 0 and 1 */
    } cases[] = {{0.25, 40, {5, 16}, {5, 16}}, {1, 40, {20, 20}, {20, 20}}, {0, 8, {0, 0}, {0, 0}},
        {0.3, 8, {1, 1}, {2, 2}}, {0.5, 100, {28, 32}, {28, 32}}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        int count, all = 0;
        g.boundary = cases[k].share;
        for (uint64_t t = 0; t < 60; t++) {
            random_stream r = stream(t);
            assert_int_equal(choose_evenly(&r, &g, cases[k].wanted, chosen, &count), STATUS_OK);
            assert_int_equal(count, cases[k].wanted);
            for (uint16_t l = 0; l < 2; l++)
                assert_in_range(at_boundary(border, count, l), cases[k].least[l], cases[k].most[l]);
            all += at_boundary(border, count, 0) + at_boundary(border, count, 1);
        }
        /* On average the share, however few pixels are taken. */
        if (cases[k].wanted == 8) assert_true(fabs(all - cases[k].share * 480) <= 25);
    }
}

/* The other view does not show what lies above the square: it has a boundary there all the same. */
static void boundary_of_pairs(void **state) {
    (void)state;
    const view views[2] = {crop(0, 0, 64, false), crop(16, 0, 64, false)};
    bool border[SIDE * SIDE];
    for (int i = 0; i < SIDE * SIDE; i++) border[i] = draw_square(i);
    const label_grid g = {SIDE, SIDE, label, 1};
    pixel_pairs found = {chosen, second, 0};
    random_stream r = stream(5);
    assert_int_equal(choose_pairs(&r, views, &g, 52, &found), STATUS_OK);
    assert_int_equal(found.count, 52);
    assert_int_equal(at_boundary(border, found.count, 0), 26);
    /* Without labels there is none, whatever the share. */
    const label_grid uniformly = {SIDE, SIDE, NULL, 1};
    assert_int_equal(choose_pairs(&r, views, &uniformly, 40, &found), STATUS_OK);
    assert_int_equal(found.count, 40);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_sampled_evenly),
        cmocka_unit_test(all_pixels_when_more_are_wanted),
        cmocka_unit_test(every_label_has_its_chance),
        cmocka_unit_test(pairs_show_the_same_place),
        cmocka_unit_test(pairs_respect_labels),
        cmocka_unit_test(boundary_has_its_share),
        cmocka_unit_test(boundary_of_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
