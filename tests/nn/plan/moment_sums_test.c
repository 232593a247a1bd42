/* The step of running statistics: what the formula over units in order gives in long double, the
 * same bits however units are dealt, over magnitudes that variances have, and with what is not
 * finite. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/base/random.h"
#include "src/nn/plan/moment_sums.h"

#include <math.h>
#include <string.h>

enum { UNITS = 3000, WIDTH = 12 };

static double moment[UNITS * WIDTH];
static float before[WIDTH];
static int64_t sum[WIDTH]; /* of the last move: float32 hides what differs in its last bits */

/* Each figure has a magnitude of its own, from 2^-60 to 2^50; some average to nearly nothing. */
static void draw(void) {
    random_stream r = random_begin(7, RANDOM_INIT, 0, 0);
    for (int j = 0; j < WIDTH; j++) {
        double size = ldexp(1, 10 * j - 60);
        before[j] = (float)(size * random_normal(&r));
        for (int u = 0; u < UNITS; u++)
            moment[u * WIDTH + j] = size * (j % 3 ? 1 + random_normal(&r) : u % 2 ? 1 : -1);
    }
}

/* Over `parts` dealers; the last ones may have nothing. */
static void move(int units, int parts, float *running) {
    moment_sums all, part;
    assert_int_equal(moment_sums_create(&all, WIDTH), STATUS_OK);
    assert_int_equal(moment_sums_create(&part, WIDTH), STATUS_OK);
    moment_sums_begin(&all, moment, 0);
    int each = units / parts + 1;
    for (int pass = 0; pass < 2; pass++)
        for (int k = 0, first = 0; k < parts; k++) {
            int n = units - first < each ? units - first : each;
            const double *own = moment + first * WIDTH;
            moment_sums_begin(&part, own, n);
            first += n;
            for (int j = 0; j < WIDTH && pass == 0; j++)
                if (part.exponent[j] > all.exponent[j]) all.exponent[j] = part.exponent[j];
            if (pass == 0) continue;
            memcpy(part.exponent, all.exponent, WIDTH * sizeof *all.exponent);
            moment_sums_add(&part, own, n, units - first);
            for (int j = 0; j < WIDTH; j++) all.sum[j] += part.sum[j];
        }
    memcpy(sum, all.sum, sizeof sum);
    memcpy(running, before, sizeof before);
    moment_sums_move(&all, 0, WIDTH, units, running);
    moment_sums_destroy(&all);
    moment_sums_destroy(&part);
}

/* One rounding to float32, half of an ulp, and far less than that beside it: 2^-40 of the largest
 * moment. */
static void like_the_formula(void **state) {
    (void)state;
    static const int units[] = {1, 2, 3, 7, 64, 511, UNITS};
    draw();
    for (size_t k = 0; k < sizeof units / sizeof *units; k++) {
        float running[WIDTH];
        move(units[k], 1, running);
        for (int j = 0; j < WIDTH; j++) {
            long double r = before[j], largest = fabsl(r);
            for (int u = 0; u < units[k]; u++) {
                r += 0.1L * (moment[u * WIDTH + j] - r);
                largest = fmaxl(largest, fabsl((long double)moment[u * WIDTH + j]));
            }
            assert_true(fabsl(running[j] - r) <= ldexpl(fabsl(r), -24) + ldexpl(largest, -40));
        }
    }
}

static void same_bits_for_any_dealing(void **state) {
    (void)state;
    static const int parts[] = {2, 3, 8, 700};
    draw();
    for (int units = 1; units <= UNITS; units = 2 * units + 1) {
        float one[WIDTH], many[WIDTH];
        int64_t exact[WIDTH];
        move(units, 1, one);
        memcpy(exact, sum, sizeof sum);
        for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
            move(units, parts[k], many);
            assert_memory_equal(one, many, sizeof one);
            assert_memory_equal(exact, sum, sizeof sum);
        }
    }
}

/* Zeros only, the smallest and the largest numbers, and what is none: of its own figure alone. */
static void extremes(void **state) {
    (void)state;
    static const double x[] = {0, 0x1p-1074, 0x1.fffffffffffffp+1023, INFINITY, NAN, 1};
    float running[WIDTH];
    draw();
    for (int j = 0; j < WIDTH; j++) {
        moment[j] = 1;
        moment[WIDTH + j] = j < 6 ? x[j] : 1;
        before[j] = 1;
    }
    moment[0] = before[0] = 0;
    move(2, 2, running);
    assert_true(running[0] == 0);
    assert_true(running[1] == (float)(0.9 * 0.9 + 0.1 * 0.9));
    assert_true(isinf(running[2])); /* beyond float32, as it was in the average's own arithmetic */
    assert_true(isnan(running[3]) && isnan(running[4]));
    for (int j = 5; j < WIDTH; j++) assert_true(running[j] == 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(like_the_formula),
        cmocka_unit_test(same_bits_for_any_dealing),
        cmocka_unit_test(extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
