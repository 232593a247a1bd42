#include "src/app/stage/stage.h"

#include "src/nn/plan/plan.h"
#include "tests/io/small_dataset.h"

#include <string.h>

/* In place of what processors are (linked with --wrap): the last rank's processor alone differs. */
static bool fast_last, fast_others;
bool __wrap_plan_fast_bf16(void);
bool __wrap_plan_supports(dtype t);

bool __wrap_plan_fast_bf16(void) {
    return comm_rank(world) == comm_size(world) - 1 ? fast_last : fast_others;
}

bool __wrap_plan_supports(dtype t) {
    (void)t;
    return true;
}

static uint64_t key_of(const dataset *d, model_dtype type, stage_id id, bool fast) {
    settings s = describe("train", "val");
    s.model.dtype = type;
    stage t = {.c = world, .s = &s, .id = id, .d = (dataset *)d};
    fast_last = fast;
    arithmetic_find(&t.how, world, &s, NULL);
    assert_int_equal(stage_key(&t, NULL, 0), STATUS_OK);
    return t.key;
}

static void keys_hold_the_arithmetic_that_was_chosen(void **state) {
    (void)state;
    dataset *d;
    settings s = describe("train", "val");
    pack(world, &s, "stage.h5", &d);
    fast_others = true;
    uint64_t slow = key_of(d, MODEL_DTYPE_AUTO, STAGE_EXTRACT, false);
    assert_true(slow == key_of(d, MODEL_DTYPE_AUTO, STAGE_EXTRACT, false));
    assert_true(slow != key_of(d, MODEL_DTYPE_AUTO, STAGE_EXTRACT, true));
    assert_true(key_of(d, MODEL_DTYPE_F32, STAGE_EVALUATE, false) ==
                key_of(d, MODEL_DTYPE_F32, STAGE_EVALUATE, true));
    /* The type is the user's, but the kernels that multiply it are not. */
    assert_true(key_of(d, MODEL_DTYPE_BF16, STAGE_EVALUATE, false) !=
                key_of(d, MODEL_DTYPE_BF16, STAGE_EVALUATE, true));
    assert_true(key_of(d, MODEL_DTYPE_AUTO, STAGE_SCORE, false) ==
                key_of(d, MODEL_DTYPE_AUTO, STAGE_SCORE, true));
    dataset_close(d);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_hold_the_arithmetic_that_was_chosen),
    };
    MPI_Init(&argc, &argv);
    if (comm_create(&world, MPI_COMM_WORLD) != STATUS_OK) return 1;
    int failed = cmocka_run_group_tests(tests, setup, world_teardown);
    comm_destroy(world);
    MPI_Finalize();
    return failed;
}
