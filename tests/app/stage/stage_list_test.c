/* The table of stages: whole, in agreement with the settings, and what settings leave out. */
#include "src/app/stage/stage_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_every_stage_is_described(void **state) {
    (void)state;
    for (int id = STAGE_FIRST; id < STAGE_COUNT; id++) {
        const stage_info *about = stage_about(id);
        assert_non_null(about->summary);
        assert_non_null(about->reads);
        assert_non_null(about->writes);
        assert_non_null(about->groups);
        assert_int_equal(about->wanted != NULL, about->condition != NULL);
    }
}

/* A group that is misspelt would silently be left out of the key. */
static void test_groups_are_those_of_settings(void **state) {
    char group[64];
    settings s;
    (void)state;
    assert_int_equal(settings_read(&s, NULL, NULL, 0), STATUS_OK);
    for (int id = STAGE_FIRST; id < STAGE_COUNT; id++) {
        const char *at = stage_about(id)->groups;
        while (*at) {
            size_t length = strcspn(at, ",");
            snprintf(group, sizeof group, "%.*s", (int)length, at);
            assert_true(settings_hash(&s, group) != 0);
            at += length + (at[length] == ',');
        }
    }
}

/* The key of what is trained or clustered at random holds the seed, and each its own settings. */
static void test_keys_follow_the_settings(void **state) {
    static const struct {
        const char *set;
        stage_id changed[4]; /* up to STAGE_NONE */
    } rows[] = {
        {"run.seed=2", {STAGE_BASELINE, STAGE_CLUSTER, STAGE_PRETRAIN, STAGE_FINETUNE}},
        {"extract.pca=8", {STAGE_EXTRACT, STAGE_CLUSTER}},
        {"cluster.k=7", {STAGE_CLUSTER}},
        {"pretrain.steps=7", {STAGE_PRETRAIN}},
        {"finetune.steps=7", {STAGE_BASELINE, STAGE_FINETUNE}},
        {"evaluate.flip=true", {STAGE_EVALUATE}},
        {"report.overlays=1", {STAGE_NONE}},
    };
    settings plain, other;
    (void)state;
    assert_int_equal(settings_read(&plain, NULL, NULL, 0), STATUS_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(settings_read(&other, NULL, &rows[i].set, 1), STATUS_OK);
        for (int id = STAGE_FIRST; id < STAGE_COUNT; id++) {
            const char *groups = stage_about(id)->groups;
            bool expected = false;
            for (int k = 0; k < 4 && rows[i].changed[k] != STAGE_NONE; k++)
                expected = expected || (int)rows[i].changed[k] == id;
            if ((settings_hash(&plain, groups) != settings_hash(&other, groups)) != expected)
                fail_msg("%s, %s", rows[i].set, stage_id_words[id]);
        }
    }
}

static void test_what_settings_leave_out(void **state) {
    static const struct {
        bool compare, keep;
        extract_source source;
        int round;
        bool baseline, extract;
    } rows[] = {
        {true, true, EXTRACT_SOURCE_WEIGHTS, 1, true, true},
        {true, false, EXTRACT_SOURCE_WEIGHTS, 1, true, false},
        {false, true, EXTRACT_SOURCE_WEIGHTS, 1, false, true},
        {false, false, EXTRACT_SOURCE_FINETUNED, 1, true, false},
        {false, false, EXTRACT_SOURCE_AUTO, 1, true, false}, /* there are no weights */
        {true, true, EXTRACT_SOURCE_FINETUNED, 2, false, false},
    };
    settings s;
    (void)state;
    assert_int_equal(settings_read(&s, NULL, NULL, 0), STATUS_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        s.run.compare = rows[i].compare;
        s.extract.keep = rows[i].keep;
        s.extract.source = rows[i].source;
        for (int id = STAGE_FIRST; id < STAGE_COUNT; id++) {
            bool expected = id == STAGE_BASELINE  ? rows[i].baseline
                            : id == STAGE_EXTRACT ? rows[i].extract
                                                  : true;
            if (stage_wanted(id, &s, rows[i].round) != expected)
                fail_msg("row %d, %s", (int)i, stage_id_words[id]);
        }
    }
}

/* A folder of images has no labels: the stages that need them are left out, and asking for them is
 * a mistake. */
static void test_without_labels(void **state) {
    settings s;
    (void)state;
    assert_int_equal(settings_read(&s, NULL, NULL, 0), STATUS_OK);
    assert_int_equal(stage_check_unlabelled(&s), 0);
    s.dataset.layout = DATASET_LAYOUT_FOLDER;
    strcpy(s.model.weights, "weights.safetensors");
    for (int id = STAGE_FIRST; id < STAGE_COUNT; id++)
        assert_int_equal(stage_wanted(id, &s, 1),
            id == STAGE_PACK || id == STAGE_CLUSTER || id == STAGE_PRETRAIN || id == STAGE_REPORT);
    assert_int_equal(stage_check_unlabelled(&s), 0);
    s.run.until = STAGE_PRETRAIN;
    assert_int_equal(stage_check_unlabelled(&s), 0);
    s.run.until = STAGE_EVALUATE;
    s.run.rounds = 2; /* a run that is to end early has one round */
    assert_int_equal(stage_check_unlabelled(&s), 1);
    s.run.until = STAGE_NONE;
    s.extract.source = EXTRACT_SOURCE_FINETUNED;
    assert_int_equal(stage_check_unlabelled(&s), 2);
}

/* A run that is to end after a stage does those before it, of its first round. */
static void test_where_a_run_ends(void **state) {
    settings s;
    (void)state;
    assert_int_equal(settings_read(&s, NULL, NULL, 0), STATUS_OK);
    s.run.until = STAGE_SCORE;
    for (int id = STAGE_FIRST; id < STAGE_COUNT; id++) {
        assert_int_equal(stage_wanted(id, &s, 1), id <= STAGE_SCORE && id != STAGE_EXTRACT);
        assert_false(stage_wanted(id, &s, 2));
    }
    s.run.until = STAGE_REPORT;
    assert_true(stage_wanted(STAGE_CLUSTER, &s, 2));
    assert_true(stage_wanted(STAGE_REPORT, &s, 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_stage_is_described),
        cmocka_unit_test(test_groups_are_those_of_settings),
        cmocka_unit_test(test_keys_follow_the_settings),
        cmocka_unit_test(test_what_settings_leave_out),
        cmocka_unit_test(test_without_labels),
        cmocka_unit_test(test_where_a_run_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
