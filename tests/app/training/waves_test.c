/* Into which waves a rank's images are parted, and what is said of it. */
#include "src/app/training/waves.h"
#include "src/base/log.h"
#include "tests/base/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static capture out;

static waves chosen(const waves_options *o, const char *said, bool warned) {
    static capture err;
    capture_begin(&out, STDOUT_FILENO);
    capture_begin(&err, STDERR_FILENO);
    log_set_verbose(true);
    waves w = waves_choose(o);
    log_set_verbose(false);
    capture_end(&err);
    capture_end(&out);
    assert_non_null(strstr(out.text, said));
    assert_int_equal(capture_lines(&err), warned);
    return w;
}

/* Every image stands in one wave, no wave is empty or parts a unit, all are of the same size but
 * the last, and fewer waves would break the limit. */
static void check(int images, int unit, int asked, waves w) {
    int units = asked >= images ? (images + unit - 1) / unit : asked / unit;
    int most = units > 1 ? units * unit : unit;
    assert_true(w.count >= 1 && w.images >= 1);
    assert_true(w.images * w.count >= images);
    assert_true(w.count == 1 || w.images * (w.count - 1) < images);
    assert_true(w.count == 1 || w.images % unit == 0);
    assert_true(w.images <= most);
    assert_true(w.count == 1 || most * (w.count - 1) < images);
}

static void test_asked(void **state) {
    (void)state;
    waves_options o = {.stage = "test", .each = 1 << 20, .budget = SIZE_MAX};
    for (o.images = 0; o.images <= 24; o.images++)
        for (o.unit = 1; o.unit <= 8; o.unit *= 2)
            for (o.asked = 1; o.asked <= 30; o.asked++)
                check(o.images, o.unit, o.asked, chosen(&o, "pass", false));
}

static void test_what_fits(void **state) {
    (void)state;
    enum { MIB = 1 << 20 };
    waves_options o = {.stage = "test", .images = 16, .unit = 2, .each = 10 * MIB};
    for (size_t budget = 20; budget < 160; budget += 10) {
        o.budget = budget * MIB;
        waves w = chosen(&o, "all would take 160", false);
        assert_true(w.count > 1 && (size_t)w.images * 10 <= budget);
        check(16, 2, (int)budget / 10, w);
    }
    o.budget = 160 * MIB;
    assert_int_equal(chosen(&o, "at once: 160 MiB", false).count, 1);
    /* A unit that does not fit passes none the less; so do all where norms need them. */
    o.budget = 5 * MIB;
    assert_int_equal(chosen(&o, "8 waves of 2: 20 MiB", true).count, 8);
    o.whole = true;
    assert_int_equal(chosen(&o, "at once", true).count, 1);
    o.images = 0;
    assert_int_equal(chosen(&o, "at once", false).count, 1);
    /* The last unit lacks an image. */
    o = (waves_options){.stage = "test", .images = 7, .unit = 4, .each = MIB, .budget = 7 * MIB};
    assert_int_equal(chosen(&o, "at once: 7 MiB", false).count, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asked),
        cmocka_unit_test(test_what_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
