/* bfloat16 against its definition. */
#include "src/base/bf16.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

static void test_round_trip(void **state) {
    (void)state;
    for (uint32_t b = 0; b <= UINT16_MAX; b++) {
        float f = bf16_to_float((uint16_t)b);
        if (isnan(f))
            assert_true(isnan(bf16_to_float(bf16_from_float(f))));
        else
            assert_int_equal(bf16_from_float(f), b);
    }
}

static float from_bits(uint32_t u) {
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

static void test_rounding(void **state) {
    static const struct {
        uint32_t in;
        uint16_t out;
    } cases[] = {
        {0x3F808000, 0x3F80}, /* a tie goes to even, down */
        {0x3F818000, 0x3F82}, /* and up */
        {0x3F808001, 0x3F81}, /* above the tie */
        {0x3F807FFF, 0x3F80}, /* below it */
        {0xBF808001, 0xBF81}, /* sign kept */
        {0x7F7FFFFF, 0x7F80}, /* the largest float becomes infinite */
        {0x7F800000, 0x7F80}, /* infinity */
        {0x00000001, 0x0000}, /* the smallest denormal */
        {0x80000000, 0x8000}, /* minus zero */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(bf16_from_float(from_bits(cases[i].in)), cases[i].out);
    /* A NaN whose payload is below the kept bits, or would carry into the exponent. */
    assert_true(isnan(bf16_to_float(bf16_from_float(from_bits(0x7F800001)))));
    assert_true(isnan(bf16_to_float(bf16_from_float(from_bits(0xFFFFFFFF)))));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_rounding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
