/* Random numbers: Random123's published Philox4x32-10 values, independence of streams, ranges. */
#include "src/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

enum { DRAWS = 100000 };

static void test_known_answers(void **state) {
    static const struct {
        uint32_t counter[4], key[2], expected[4];
    } cases[] = {
        {{0}, {0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff},
            {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0},
            {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        random_stream r = {.used = 4};
        memcpy(r.counter, cases[i].counter, sizeof r.counter);
        memcpy(r.key, cases[i].key, sizeof r.key);
        for (int j = 0; j < 4; j++) assert_int_equal(random_u32(&r), cases[i].expected[j]);
    }
}

/* Many blocks at once are the stream's own words. */
static void test_words(void **state) {
    random_stream one = random_begin(1, RANDOM_DROPOUT, 2, 3), all = one;
    uint32_t words[RANDOM_WORDS];
    (void)state;
    for (int turn = 0; turn < 3; turn++) {
        random_words(&all, words);
        for (int i = 0; i < RANDOM_WORDS; i++)
            assert_int_equal(words[i % 4 * RANDOM_LANES + i / 4], random_u32(&one));
    }
    assert_int_equal(random_u32(&all), random_u32(&one));
}

/* Every part of the key gives another stream; the same key gives the same one. */
static void test_streams(void **state) {
    (void)state;
    random_stream r[] = {random_begin(1, RANDOM_AUGMENT, 2, 3),
        random_begin(2, RANDOM_AUGMENT, 2, 3), random_begin(1ull << 40, RANDOM_AUGMENT, 2, 3),
        random_begin(1, RANDOM_PIXELS, 2, 3), random_begin(1, RANDOM_AUGMENT, 3, 3),
        random_begin(1, RANDOM_AUGMENT, 2, 4), random_begin(1, RANDOM_AUGMENT, 3, 2),
        random_begin(1, RANDOM_AUGMENT, 2, 3ull << 32)};
    uint64_t first[sizeof r / sizeof *r];
    for (size_t i = 0; i < sizeof r / sizeof *r; i++) {
        first[i] = random_u64(&r[i]);
        for (size_t j = 0; j < i; j++) assert_true(first[i] != first[j]);
    }
    random_stream again = random_begin(1, RANDOM_AUGMENT, 2, 3);
    assert_true(random_u64(&again) == first[0]);
}

static void test_ranges(void **state) {
    random_stream r = random_begin(5, RANDOM_SYNTH, 0, 0);
    int count[7] = {0};
    double sum = 0, normal = 0, square = 0;
    (void)state;
    for (int i = 0; i < DRAWS; i++) {
        double u = random_between(&r, -2, 3), g = random_normal(&r);
        assert_true(u >= -2 && u < 3);
        sum += u;
        normal += g;
        square += g * g;
        count[random_below(&r, 7)]++;
    }
    /* Five standard errors. */
    assert_true(fabs(sum / DRAWS - 0.5) < 5 * 5 / sqrt(12.0 * DRAWS));
    assert_true(fabs(normal / DRAWS) < 5 / sqrt(DRAWS));
    assert_true(fabs(square / DRAWS - 1) < 5 * sqrt(2.0 / DRAWS));
    for (int i = 0; i < 7; i++) assert_true(fabs(count[i] - DRAWS / 7.0) < 5 * sqrt(DRAWS / 7.0));
    assert_int_equal(random_below(&r, 1), 0);
}

static void test_permutation(void **state) {
    enum { N = 100 };
    uint32_t order[N], moved = 0;
    int seen[N] = {0};
    random_stream r = random_begin(5, RANDOM_ORDER, 1, 0);
    (void)state;
    random_permutation(&r, order, N);
    for (uint32_t i = 0; i < N; i++) {
        assert_true(order[i] < N);
        seen[order[i]]++;
        moved += order[i] != i;
    }
    for (int i = 0; i < N; i++) assert_int_equal(seen[i], 1);
    assert_true(moved > N / 2);
    random_permutation(&r, order, 0);
    random_permutation(&r, order, 1);
    assert_int_equal(order[0], 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_permutation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
