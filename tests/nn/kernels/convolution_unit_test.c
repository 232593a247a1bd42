/* Weight gradients of several images at once against plain loops in float64: the sum over a unit,
 * in pieces of any number and order. */
#include "tests/nn/kernels/conv_fixture.h"

#include "src/base/memory.h"

#include <omp.h>
#include <string.h>

enum { UNIT = 3 };

typedef struct unit_case {
    conv_images images;
    void *x[UNIT], *dy[UNIT];
    double *wanted;
} unit_case;

/* f's maps become another image's, and at last the last one's. */
static void fill_unit(fixture *f, unit_case *u) {
    u->wanted = fixture_allocate(f->weights, sizeof *u->wanted);
    for (uint32_t i = 0; i < UNIT; i++) {
        fixture_fill(f->x, f->inputs, 10 + i, 0.25f, f->c.type);
        fixture_fill(f->y, f->outputs, 20 + i, -0.125f, f->c.type);
        u->x[i] = fixture_stored(f->x, f->inputs, f->c.type);
        u->dy[i] = fixture_stored(f->y, f->outputs, f->c.type);
        fixture_for_all(f, fixture_meet_weights, u->wanted);
    }
    u->images = (conv_images){UNIT, (const void *const *)u->x, (const void *const *)u->dy};
}

static void destroy_unit(unit_case *u) {
    for (int i = 0; i < UNIT; i++) {
        memory_free(u->x[i]);
        memory_free(u->dy[i]);
    }
    memory_free(u->wanted);
}

/* Pieces from the last to the first, over numbers that are not zero. [weights], in PyTorch's
 * layout; the caller frees it. */
static float *run_unit(const fixture *f, const unit_case *u, conv_choice choice, int *pieces) {
    convolution *k;
    assert_true(convolution_takes_units(&f->c, choice));
    assert_int_equal(convolution_create(&k, f->o, &f->c, CONV_BACKWARD_WEIGHTS,
                         (conv_fusion){.bias = false}, choice),
        STATUS_OK);
    float *packed = fixture_allocate(convolution_gradient_count(k), sizeof *packed);
    float *dw = fixture_allocate(f->weights, sizeof *dw);
    void *scratch = fixture_allocate(convolution_scratch(k), 1);
    team alone = team_alone(0, scratch);
    memset(packed, 0x3F, convolution_gradient_count(k) * sizeof *packed);
    omp_set_num_threads(1);
    *pieces = convolution_unit_pieces(k);
    for (int i = *pieces - 1; i >= 0; i--)
        assert_int_equal(convolution_run_unit(k, &alone, i, &u->images, packed), STATUS_OK);
    assert_int_equal(convolution_unpack(k, 0, 1, packed, dw), STATUS_OK);
    memory_free(packed);
    memory_free(scratch);
    convolution_destroy(k);
    return dw;
}

/* Of taps with several blocks of pixels, of some that see padding alone, of one product; in parts
 * or whole to the same bits. */
static void test_units(void **state) {
    (void)state;
    static const int shape_of[][6] = {{9, 11, 256, 128, 1, 1}, {40, 30, 128, 144, 1, 1},
        {12, 14, 192, 128, 3, 6}, {7, 7, 128, 160, 3, 9}, {16, 16, 128, 128, 3, 1}};
    for (int i = 0; i < 3 * 5; i++) {
        const int *s = shape_of[i / 3];
        dtype t = i % 3 == 1 ? DTYPE_BF16 : DTYPE_F32;
        if (!onednn_supports(t) || (t == DTYPE_F32 && s[4] == 3 && s[5] == 1)) continue;
        conv_choice choice = {.products = t,
            .tiles = t == DTYPE_BF16,
            .narrow = i % 3 == 2,
            .team = 1,
            .unit = UNIT,
            .threads = 1};
        fixture f = fixture_create(s[0], s[1], s[2], s[3], s[4], s[5], t);
        unit_case u;
        int pieces, more;
        fill_unit(&f, &u);
        float *whole = run_unit(&f, &u, choice, &pieces);
        assert_int_equal(pieces, s[4] * s[4]);
        fixture_check(
            "weights of a unit", &f, fixture_error(whole, u.wanted, f.weights, DTYPE_F32), 2e-6);
        choice.threads = THREADS;
        float *cut = run_unit(&f, &u, choice, &more);
        assert_true(more >= pieces);
        assert_memory_equal(whole, cut, f.weights * sizeof *cut);
        memory_free(whole);
        memory_free(cut);
        destroy_unit(&u);
        fixture_destroy(&f);
    }
}

/* Not of single images, nor where other algorithms pay, nor of small gradients. */
static void test_who_takes_units(void **state) {
    (void)state;
    conv_choice choice = {.products = DTYPE_F32, .unit = 2, .threads = 2};
    fixture f = fixture_create(16, 16, 128, 128, 1, 1, DTYPE_F32),
            w = fixture_create(16, 16, 128, 128, 3, 1, DTYPE_F32),
            s = fixture_create(16, 16, 64, 256, 1, 1, DTYPE_F32);
    assert_true(convolution_takes_units(&f.c, choice));
    assert_false(convolution_takes_units(&w.c, choice));
    assert_false(convolution_takes_units(&s.c, choice));
    choice.unit = 1;
    assert_false(convolution_takes_units(&f.c, choice));
    fixture_destroy(&f);
    fixture_destroy(&w);
    fixture_destroy(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_who_takes_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
