/* Images that runs show, and the lengths of fine-tuning that make them as many. */
#include "src/app/compare/equal_images.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* 10 x 4 contrastive images, 20 x 8 of fine-tuning, features of a file. */
static settings with(const char *one, const char *two) {
    settings s;
    const char *set[] = {"pretrain.steps=10", "pretrain.batch=4", "finetune.steps=20",
        "finetune.batch=8", "model.weights=file", one, two};
    assert_int_equal(settings_read(&s, NULL, set, two ? 7 : one ? 6 : 5), STATUS_OK);
    return s;
}

static void all_trainings_of_a_result_count(void **state) {
    (void)state;
    settings s = with(NULL, NULL);
    assert_int_equal(equal_images_of(&s), 200);
    s = with("run.until=baseline", NULL);
    assert_int_equal(equal_images_of(&s), 160);
    s = with("run.until=baseline", "finetune.method=mean-teacher");
    assert_int_equal(equal_images_of(&s), 160);
    s = with("run.until=baseline", "finetune.method=pixel-contrast");
    assert_int_equal(equal_images_of(&s), 200);
    s = with("run.until=baseline", "finetune.method=pseudo-labels");
    assert_int_equal(equal_images_of(&s), 320); /* its teacher's */
    strcpy(s.finetune.teacher, "file");
    assert_int_equal(equal_images_of(&s), 160);
    s = with("extract.source=finetuned", NULL);
    assert_int_equal(equal_images_of(&s), 360); /* the extractor's */
    s = with("extract.source=finetuned", "pretrain.method=instance");
    assert_int_equal(equal_images_of(&s), 200); /* which needs none */
    s = with("extract.source=finetuned", "pretrain.positives=augmentation");
    assert_int_equal(equal_images_of(&s), 200); /* nor do views alone */
    s.finetune.contrast_weight = 0.5;
    assert_int_equal(equal_images_of(&s), 360); /* but a contrast that is kept */
    s = with("run.rounds=3", NULL);
    assert_int_equal(equal_images_of(&s), 600);
}

/* The nearest number of steps; none, where there is nothing left for them. */
static void steps_make_them_equal(void **state) {
    (void)state;
    static const char *const method[] = {
        "supervised", "pixel-contrast", "pseudo-labels", "mean-teacher", "cross-pseudo"};
    char text[64] = "finetune.method=";
    for (size_t i = 0; i < sizeof method / sizeof *method; i++) {
        strcpy(strchr(text, '=') + 1, method[i]);
        settings s = with(text, "run.until=baseline");
        int64_t steps = equal_images_steps(&s, 2000);
        s.finetune.steps = (int)steps;
        int64_t off = equal_images_of(&s) - 2000;
        assert_true(off >= -8 && off <= 8);
    }
    settings s = with("run.until=baseline", NULL);
    assert_int_equal(equal_images_steps(&s, 200), 25);
    assert_int_equal(equal_images_steps(&s, 203), 25);
    assert_int_equal(equal_images_steps(&s, 204), 26);
    s = with(NULL, NULL);
    assert_int_equal(equal_images_steps(&s, 200), 20);
    assert_int_equal(equal_images_steps(&s, 40), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_trainings_of_a_result_count),
        cmocka_unit_test(steps_make_them_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
