/* The arithmetic of a run: chosen for the processors of all ranks, kept in run.json, and gone on
 * with on other processors. */
#include "src/app/stage/arithmetic.h"

#include "io/files/file.h"
#include "src/contrast/product.h"
#include "src/nn/plan/plan.h"
#include "tests/base/capture.h"
#include "tests/io/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* In place of what the processors are (linked with --wrap): those of the last rank and of others.
 */
typedef struct kind {
    bool bf16, fast, pairs, fast_pairs, tiles;
} kind;
static kind last, others;

static const kind amd = {true, true, true, true, false}, intel = {true, false, true, false, false},
                  amx = {true, true, true, false, true}, old = {false};

static const kind *mine(void) {
    return comm_rank(world) == comm_size(world) - 1 ? &last : &others;
}

bool __wrap_plan_fast_bf16(void);
bool __wrap_plan_bf16_tiles(void);
bool __wrap_plan_supports(dtype t);
bool __wrap_product_has_pairs(void);
bool __wrap_product_prefers_pairs(void);

bool __wrap_plan_fast_bf16(void) {
    return mine()->fast;
}

bool __wrap_plan_bf16_tiles(void) {
    return mine()->tiles;
}

bool __wrap_plan_supports(dtype t) {
    return t == DTYPE_F32 || mine()->bf16;
}

bool __wrap_product_has_pairs(void) {
    return mine()->pairs;
}

bool __wrap_product_prefers_pairs(void) {
    return mine()->fast_pairs;
}

static settings defaults(model_dtype type) {
    settings s;
    assert_int_equal(settings_read(&s, NULL, NULL, 0), STATUS_OK);
    s.model.dtype = type;
    return s;
}

/* A new start on these processors, with the record of earlier ones, which it continues. */
static arithmetic start(const settings *s, kind of_last, kind of_others) {
    run_record *r = NULL;
    arithmetic a;
    last = of_last;
    others = of_others;
    if (comm_root(world))
        assert_int_equal(run_record_open(&r, scratch_path(&folder, "run.json")), STATUS_OK);
    arithmetic_find(&a, world, s, r);
    assert_int_equal(arithmetic_keep(&a, s, r), STATUS_OK);
    run_record_close(r);
    comm_barrier(world);
    return a;
}

static void forget(void) {
    if (comm_root(world)) remove(scratch_path(&folder, "run.json"));
    comm_barrier(world);
}

static void check(const arithmetic *a, dtype type, dtype products, bool pairs) {
    assert_int_equal(a->type, type);
    assert_int_equal(a->products, products);
    assert_int_equal(a->pairs, pairs);
}

static void slowest_rank_decides(void **state) {
    (void)state;
    settings s = defaults(MODEL_DTYPE_AUTO), bf16 = defaults(MODEL_DTYPE_BF16),
             f32 = defaults(MODEL_DTYPE_F32);
    bool one = comm_size(world) == 1;
    forget();
    arithmetic a = start(&s, amd, amd);
    check(&a, DTYPE_BF16, DTYPE_BF16, true);
    forget();
    a = start(&s, intel, amd);
    check(&a, DTYPE_F32, DTYPE_F32, false);
    forget();
    a = start(&s, amd, intel);
    check(&a, one ? DTYPE_BF16 : DTYPE_F32, one ? DTYPE_BF16 : DTYPE_F32, one);
    forget();
    a = start(&bf16, intel, amd);
    check(&a, DTYPE_BF16, DTYPE_F32, false);
    forget();
    a = start(&f32, amd, amd);
    check(&a, DTYPE_F32, DTYPE_F32, true);
}

/* Continued on processors that would have chosen otherwise. */
static void kept_by_a_run(void **state) {
    (void)state;
    settings s = defaults(MODEL_DTYPE_AUTO);
    forget();
    arithmetic first = start(&s, amd, amd), then = start(&s, intel, intel);
    check(&then, DTYPE_BF16, DTYPE_BF16, true);
    assert_true(arithmetic_hash(1, &first) == arithmetic_hash(1, &then));
    assert_int_equal(arithmetic_require(&then, world, true), STATUS_OK);
    forget();
    start(&s, intel, intel);
    then = start(&s, amd, amd);
    check(&then, DTYPE_F32, DTYPE_F32, false);
    /* Other settings, or a run that is to begin anew, choose anew. */
    settings other = defaults(MODEL_DTYPE_BF16);
    then = start(&other, amd, amd);
    check(&then, DTYPE_BF16, DTYPE_BF16, true);
    then = start(&other, intel, intel);
    check(&then, DTYPE_BF16, DTYPE_BF16, true);
    other.run.resume = RUN_RESUME_NEVER;
    then = start(&other, intel, intel);
    check(&then, DTYPE_BF16, DTYPE_F32, false);
}

/* Where all ranks have AMX, and kept where they then have none; of a record from before tiles were
 * asked for, bf16 goes on without. */
static void tiles_are_of_all_ranks(void **state) {
    (void)state;
    settings s = defaults(MODEL_DTYPE_AUTO), f32 = defaults(MODEL_DTYPE_F32);
    forget();
    arithmetic a = start(&s, amx, amd);
    assert_int_equal(a.tiles, comm_size(world) == 1);
    forget();
    arithmetic first = start(&s, amx, amx), then = start(&s, amd, amd);
    check(&then, DTYPE_BF16, DTYPE_BF16, false);
    assert_true(first.tiles && then.tiles);
    assert_true(arithmetic_hash(1, &first) == arithmetic_hash(1, &then));
    forget();
    first = start(&s, amd, amd), then = start(&s, amx, amx);
    assert_true(!first.tiles && !then.tiles);
    forget();
    a = start(&f32, amx, amx);
    check(&a, DTYPE_F32, DTYPE_F32, false);
    assert_false(a.tiles);
}

static void refused_where_it_cannot_be(void **state) {
    (void)state;
    capture c;
    settings s = defaults(MODEL_DTYPE_AUTO);
    forget();
    start(&s, amd, amd);
    arithmetic a = start(&s, old, amd);
    check(&a, DTYPE_BF16, DTYPE_BF16, true);
    capture_begin(&c, 2);
    status st = arithmetic_require(&a, world, false);
    capture_end(&c);
    assert_int_equal(st, STATUS_USAGE);
    assert_true(!comm_root(world) || strstr(c.text, "model.dtype = \"f32\""));
    /* Only the loss in bf16 needs pairs. */
    forget();
    settings f32 = defaults(MODEL_DTYPE_F32);
    start(&f32, amd, amd);
    a = start(&f32, old, old);
    assert_int_equal(arithmetic_require(&a, world, false), STATUS_OK);
    capture_begin(&c, 2);
    st = arithmetic_require(&a, world, true);
    capture_end(&c);
    assert_int_equal(st, STATUS_USAGE);
    assert_true(!comm_root(world) || strstr(c.text, "pretrain.loss_dtype = \"f32\""));
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slowest_rank_decides),
        cmocka_unit_test(kept_by_a_run),
        cmocka_unit_test(tiles_are_of_all_ranks),
        cmocka_unit_test(refused_where_it_cannot_be),
    };
    int failed;
    WORLD_RUN(tests, failed);
    return failed;
}
