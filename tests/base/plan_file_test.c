/* Plans as texts: what is read, seeds of the command line, every mistake with its line. */
#include "src/base/plan_file.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <string.h>

static const char good[] = "about = \"two cells\";\n"
                           "reference = \"a\"; images = \"b\";\n"
                           "seeds = (3, 1, 4294967296L);\n"
                           "settings = [\"pretrain.steps=5\"];\n"
                           "cells = (\n"
                           "  { name = \"a\"; },\n"
                           "  { name = \"b\"; about = \"more\";\n"
                           "    settings = [\"cluster.k=7\",\n"
                           "      \"extract.weights=@a/pretrained.safetensors\"]; },\n"
                           "  { name = \"c\"; reference = \"b\"; group = \"g\"; settings = []; }\n"
                           ");\n";

static void reads(void **state) {
    (void)state;
    plan_file p;
    assert_int_equal(plan_file_read(&p, "folder/two.cfg", good), STATUS_OK);
    assert_string_equal(p.name, "two");
    assert_string_equal(p.about, "two cells");
    assert_int_equal(p.sets, 1);
    assert_int_equal(p.cells, 3);
    assert_int_equal(p.seeds, 3);
    assert_int_equal(p.seed[0], 3);
    assert_true(p.seed[2] == 4294967296);
    assert_int_equal(p.cell[0].reference, -1);
    assert_int_equal(p.cell[1].reference, 0);
    assert_int_equal(p.cell[2].reference, 1);
    assert_int_equal(p.images, 1);
    assert_string_equal(p.cell[1].group, "");
    assert_string_equal(p.cell[2].group, "g");
    assert_string_equal(p.cell[1].about, "more");
    assert_string_equal(p.cell[1].set[0].text, "cluster.k=7");
    assert_int_equal(p.cell[1].set[1].line, 9);
    plan_file_destroy(&p);
    plan_file_destroy(&p);
}

static void seeds_of_the_command_line(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "", "a", "1-", "3-1", "1,,2", "1,1", "2-4,3", "1 2", "1-2000", "99999999999999999999"};
    plan_file p;
    assert_int_equal(plan_file_read(&p, "two.cfg", good), STATUS_OK);
    assert_int_equal(plan_file_seeds(&p, "11-13,2"), STATUS_OK);
    assert_int_equal(p.seeds, 4);
    assert_int_equal(p.seed[2], 13);
    assert_int_equal(p.seed[3], 2);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(plan_file_seeds(&p, wrong[i]), STATUS_USAGE);
    assert_int_equal(p.seeds, 4);
    plan_file_destroy(&p);
}

/* Each text has one mistake. */
static void refuses(void **state) {
    (void)state;
    static const char *const wrong[] = {"", "seeds = [1];", "cells = ();\nseeds = [1];",
        "seeds = [];\ncells = ({ name = \"a\"; });",
        "seeds = [1, 1];\ncells = ({ name = \"a\"; });",
        "seeds = [-1];\ncells = ({ name = \"a\"; });", "seeds = 1;\ncells = ({ name = \"a\"; });",
        "seeds = [1];\ncells = ({ name = \"../a\"; });", "seeds = [1];\ncells = ({ });",
        "seeds = [1];\ncells = (3);",
        "seeds = [1];\ncells = ({ name = \"a\"; }, { name = \"a\"; });",
        "seeds = [1];\ncells = ({ name = \"a\"; settings = [\"run.seed=2\"]; });",
        "seeds = [1];\ncells = ({ name = \"a\"; settings = [\"cluster.kk=2\"]; });",
        "seeds = [1];\ncells = ({ name = \"a\"; settings = [\"cluster.k\"]; });",
        "seeds = [1];\ncells = ({ name = \"a\"; settings = [2]; });",
        "seeds = [1];\ncells = ({ name = \"a\"; other = 2; });",
        "seeds = [1];\nother = 1;\ncells = ({ name = \"a\"; });",
        "seeds = [1];\nreference = \"b\";\ncells = ({ name = \"a\"; });", "seeds = [1"};
    plan_file p;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(plan_file_read(&p, "wrong.cfg", wrong[i]), STATUS_USAGE);
        plan_file_destroy(&p);
    }
    assert_int_equal(plan_file_read(&p, "no such file.cfg", NULL), STATUS_USAGE);
    plan_file_destroy(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads),
        cmocka_unit_test(seeds_of_the_command_line), cmocka_unit_test(refuses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
