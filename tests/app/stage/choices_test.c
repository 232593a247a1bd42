/* Every word of the settings is the engines' choice of the same name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/app/stage/choices.h"

static void words_are_the_engines_choices(void **state) {
    (void)state;
    for (int i = 0; update_optimizer_words[i]; i++)
        assert_string_equal(
            optimizer_name(choices_optimizer((update_optimizer)i)), update_optimizer_words[i]);
    assert_int_equal(choices_norm(MODEL_NORM_GROUP), NORM_GROUP);
    assert_int_equal(choices_norm(MODEL_NORM_SYNC), NORM_SYNC);
    assert_int_equal(choices_norm(MODEL_NORM_FROZEN), NORM_FROZEN);
    assert_int_equal(choices_recompute(MODEL_RECOMPUTE_NONE), RECOMPUTE_NONE);
    assert_int_equal(choices_recompute(MODEL_RECOMPUTE_BLOCKS), RECOMPUTE_BLOCKS);
    assert_int_equal(choices_schedule(TRAINING_SCHEDULE_CONSTANT), SCHEDULE_CONSTANT);
    assert_int_equal(choices_schedule(TRAINING_SCHEDULE_POLYNOMIAL), SCHEDULE_POLYNOMIAL);
    assert_int_equal(choices_schedule(TRAINING_SCHEDULE_COSINE), SCHEDULE_COSINE);
    assert_int_equal(choices_crop(VIEW_CROP_BY_SCALE), CROP_SCALE);
    assert_int_equal(choices_crop(VIEW_CROP_BY_AREA), CROP_AREA);
    assert_int_equal(choices_colours(VIEW_COLOURS_MEAN), COLOUR_MEAN);
    assert_int_equal(choices_colours(VIEW_COLOURS_LUMINANCE), COLOUR_LUMINANCE);
    assert_int_equal(choices_positives(PRETRAIN_POSITIVES_AUXILIARY), POSITIVES_AUXILIARY);
    assert_int_equal(choices_positives(PRETRAIN_POSITIVES_AUGMENTATION), POSITIVES_AUGMENTATION);
    assert_int_equal(choices_positives(PRETRAIN_POSITIVES_BOTH), POSITIVES_BOTH);
    assert_int_equal(choices_scope(PRETRAIN_SCOPE_GLOBAL), SCOPE_GLOBAL);
    assert_int_equal(choices_scope(PRETRAIN_SCOPE_IMAGE), SCOPE_IMAGE);
    assert_int_equal(choices_screen(CLUSTER_SCREEN_AUTO), KMEANS_SCREEN_AUTO);
    assert_int_equal(choices_screen(CLUSTER_SCREEN_DENSE), KMEANS_SCREEN_DENSE);
    assert_int_equal(choices_screen(CLUSTER_SCREEN_PRUNED), KMEANS_SCREEN_PRUNED);
    assert_int_equal(choices_arithmetic(CLUSTER_ARITHMETIC_AUTO), KMEANS_FASTEST);
    assert_int_equal(choices_arithmetic(CLUSTER_ARITHMETIC_F32), KMEANS_F32);
    assert_int_equal(choices_arithmetic(CLUSTER_ARITHMETIC_BF16), KMEANS_BF16);
    assert_int_equal(choices_arithmetic(CLUSTER_ARITHMETIC_INT8), KMEANS_INT8);
    assert_int_equal(choices_init(CLUSTER_INIT_PLUSPLUS), KMEANS_PLUSPLUS);
    assert_int_equal(choices_init(CLUSTER_INIT_RANDOM), KMEANS_RANDOM);
    assert_int_equal(choices_init(CLUSTER_INIT_PARALLEL), KMEANS_PARALLEL);
    assert_int_equal(choices_init(CLUSTER_INIT_HIERARCHICAL), KMEANS_HIERARCHICAL);
    assert_true(choices_cosine(CLUSTER_METRIC_COSINE));
    assert_false(choices_cosine(CLUSTER_METRIC_EUCLIDEAN));
    assert_int_equal(choices_outliers(CLUSTER_OUTLIER_SCOPE_GLOBAL), OUTLIERS_GLOBAL);
    assert_int_equal(choices_outliers(CLUSTER_OUTLIER_SCOPE_CLUSTER), OUTLIERS_CLUSTER);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(words_are_the_engines_choices)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
