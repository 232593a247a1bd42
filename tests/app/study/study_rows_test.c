/* Rows of a study from measurements that are given here, as two machines may have made them. */
#include "src/app/study/study_rows.h"

#include "src/app/stage/child_process.h"
#include "src/base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Measurements of points 1, 2, ... of one stage; a machine of one core collects them. */
static study_measurement measured[STUDY_POINTS];
static const char *later = "A"; /* processor of the second repetition, and those after it */

bool study_measure_find(
    const study_plan *p, study_point at, stage_id stage, int64_t repeat, study_measurement *out) {
    (void)p, (void)stage;
    *out = measured[at.ranks - 1];
    if (repeat > 0) snprintf(out->processor, sizeof out->processor, "%s", later);
    return true;
}

bool study_measure_find_roof(const study_plan *p, study_point at, int64_t repeat, study_roof *out) {
    (void)p, (void)repeat;
    *out = (study_roof){at.ranks, at.ranks, at.ranks};
    return true;
}

int child_process_processors(void) {
    return 1;
}

/* Points of 1 and 2 ranks, twice as fast. */
static study_plan plan_of(settings *s) {
    study_plan p = {.s = s, .points = 2, .stages = 1, .repeats = 1};
    p.stage[0] = STAGE_EXTRACT;
    for (int i = 0; i < p.points; i++) {
        p.point[i] = (study_point){i + 1, 1};
        measured[i] = (study_measurement){
            .median = 2.0 / (i + 1), .work = 8, .processors = 4, .processor = "A"};
    }
    return p;
}

static void test_cores_are_those_that_measured(void **state) {
    (void)state;
    settings s = {0};
    study_row *rows;
    study_plan p = plan_of(&s);
    assert_int_equal(study_rows_collect(&p, &rows), STATUS_OK);
    assert_false(rows[1].oversubscribed);
    assert_int_equal(rows[1].cores, 2);
    assert_float_equal(rows[1].efficiency, 1, 1e-9);
    assert_float_equal(rows[1].roof_efficiency, 1, 1e-9);
    memory_free(rows);
}

static void check_crowded(int processors) {
    settings s = {0};
    study_row *rows;
    study_plan p = plan_of(&s);
    measured[1].processors = processors;
    assert_int_equal(study_rows_collect(&p, &rows), STATUS_OK);
    assert_true(rows[1].oversubscribed);
    assert_int_equal(rows[1].cores, 1);
    memory_free(rows);
}

static void test_more_than_these_are_too_many(void **state) {
    (void)state;
    check_crowded(1);
}

/* Measurements that do not say where: the present machine is what there is to go by. */
static void test_cores_that_are_not_known(void **state) {
    (void)state;
    check_crowded(0);
}

/* text [size]: what is said while rows are collected. */
static void collect(const study_plan *p, char *text, size_t size) {
    study_row *rows;
    FILE *f = tmpfile();
    int kept = dup(STDERR_FILENO);
    assert_non_null(f);
    dup2(fileno(f), STDERR_FILENO);
    assert_int_equal(study_rows_collect(p, &rows), STATUS_OK);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(f);
    text[fread(text, 1, size - 1, f)] = '\0';
    fclose(f);
    memory_free(rows);
}

static void test_two_kinds_of_machine_are_told(void **state) {
    (void)state;
    settings s = {0};
    char text[1024];
    study_plan p = plan_of(&s);
    collect(&p, text, sizeof text);
    assert_string_equal(text, "");
    snprintf(measured[1].processor, sizeof measured[1].processor, "B");
    collect(&p, text, sizeof text);
    assert_non_null(strstr(text, "1 rank x 1 thread was measured on A, 2 ranks x 1 thread on B: "));
    measured[1].processor[0] = '\0'; /* it is not known */
    collect(&p, text, sizeof text);
    assert_string_equal(text, "");
}

static void test_also_of_repetitions(void **state) {
    (void)state;
    settings s = {0};
    char text[1024];
    study_plan p = plan_of(&s);
    p.points = 1;
    p.repeats = 3;
    collect(&p, text, sizeof text);
    assert_string_equal(text, "");
    later = "B";
    collect(&p, text, sizeof text);
    later = "A";
    const char *told =
        strstr(text, "1 rank x 1 thread was measured on A, 1 rank x 1 thread on B: ");
    assert_non_null(told);
    assert_null(strstr(told + 1, "1 rank x 1 thread was measured"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cores_are_those_that_measured),
        cmocka_unit_test(test_more_than_these_are_too_many),
        cmocka_unit_test(test_cores_that_are_not_known),
        cmocka_unit_test(test_two_kinds_of_machine_are_told),
        cmocka_unit_test(test_also_of_repetitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
