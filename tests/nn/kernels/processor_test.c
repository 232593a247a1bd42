/* What the table says of processors, and what it finds of the one that the test runs on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/nn/kernels/processor.h"

#include <stdio.h>
#include <string.h>

static void known_processors(void **state) {
    (void)state;
    static const struct {
        processor p;
        bool fast;
    } expected[] = {
        {{"GenuineIntel", 6, 207, true, true}, true},   /* Emerald Rapids */
        {{"GenuineIntel", 6, 207, true, false}, false}, /* the same, AMX not permitted */
        {{"GenuineIntel", 6, 85, true, false}, false},  /* Cooper Lake */
        {{"GenuineIntel", 6, 85, false, false}, false}, /* Cascade Lake */
        {{"GenuineIntel", 19, 1, true, true}, true},    /* a later family, with AMX */
        {{"GenuineIntel", 19, 1, true, false}, false},  /* and without: not known */
        {{"AuthenticAMD", 25, 17, true, false}, true},  /* Zen 4 */
        {{"AuthenticAMD", 25, 1, false, false}, false}, /* Zen 3 */
        {{"AuthenticAMD", 26, 2, true, false}, true},   /* Zen 5 */
        {{"AuthenticAMD", 99, 0, true, false}, false},  /* not known */
        {{"", 0, 0, false, false}, false},              /* not an x86 */
        {{"SomebodyElse", 25, 17, true, false}, false},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const char *why = NULL;
        char text[128];
        processor_describe(&expected[i].p, text, sizeof text);
        if (processor_fast_bf16(&expected[i].p, &why) != expected[i].fast)
            fail_msg("%s: %s", text, why);
        assert_true(why && why[0]);
    }
}

/* As /proc/cpuinfo numbers it. */
static void this_processor(void **state) {
    (void)state;
    processor p = processor_here(), again = processor_here();
    assert_int_equal(memcmp(&p, &again, sizeof p), 0);
    FILE *f = fopen("/proc/cpuinfo", "r");
    char line[512], vendor[64] = "";
    int family = -1, model = -1;
    if (!f) skip();
    while (fgets(line, sizeof line, f) && strcmp(line, "\n") != 0) {
        sscanf(line, "vendor_id : %63s", vendor);
        sscanf(line, "cpu family : %d", &family);
        sscanf(line, "model : %d", &model);
    }
    fclose(f);
    if (!vendor[0]) skip();
    assert_string_equal(p.vendor, vendor);
    assert_int_equal(p.family, family);
    assert_int_equal(p.model, model);
}

static void described(void **state) {
    (void)state;
    char text[64];
    processor p = {"GenuineIntel", 6, 207, true, true};
    processor_describe(&p, text, sizeof text);
    assert_string_equal(text, "GenuineIntel, family 6, model 207, AMX");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_processors),
        cmocka_unit_test(this_processor),
        cmocka_unit_test(described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
