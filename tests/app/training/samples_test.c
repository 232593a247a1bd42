#include "src/app/training/samples.h"

#include "tests/io/small_dataset.h"

#include <omp.h>
#include <string.h>

static samples_options usual(size_t budget) {
    return (samples_options){
        .scale = 1, .budget = budget, .labelled = true, .views = {.crop = 8, .scale_max = 1}};
}

static dataset *open_small(void) {
    dataset *d;
    settings s = describe("train", "val");
    pack(NULL, &s, "samples.h5", &d);
    return d;
}

static size_t bytes_of(int i) {
    return (size_t)(height[i] * width[i]) * (i < LABELLED ? 5 : 3);
}

static void check_sample(const sample *m, int i, bool labelled) {
    image wanted = make_image(i);
    assert_true(m->height == height[i] && m->width == width[i]);
    assert_true(m->rgb.height == height[i] && m->rgb.width == width[i]);
    assert_memory_equal(m->rgb.data, wanted.data, (size_t)(3 * height[i] * width[i]));
    assert_int_equal(m->label.data != NULL, labelled && i < LABELLED);
    image_destroy(&wanted);
}

/* Those that fit are decoded once, whichever come first. */
static void images_are_kept_up_to_the_budget(void **state) {
    (void)state;
    dataset *d = open_small();
    for (int kept = 0; kept <= IMAGES; kept++) {
        samples *s;
        samples_options o = usual(0);
        for (int i = 0; i < kept; i++) o.budget += bytes_of(i);
        assert_int_equal(samples_create(&s, d, &o), STATUS_OK);
        for (int i = 0; i < IMAGES; i++) {
            sample first, again;
            assert_int_equal(samples_get(s, i, &first), STATUS_OK);
            assert_int_equal(samples_get(s, i, &again), STATUS_OK);
            check_sample(&first, i, true);
            check_sample(&again, i, true);
            assert_int_equal(first.rgb.data == again.rgb.data, first.cached);
            assert_true(first.cached || i >= kept);
            samples_release(&first);
            samples_release(&again);
        }
        samples_destroy(s);
    }
    samples_destroy(NULL);
    dataset_close(d);
}

static void labels_are_decoded_where_wanted(void **state) {
    (void)state;
    dataset *d = open_small();
    samples *s;
    sample m;
    samples_options o = usual(0);
    o.labelled = false;
    assert_int_equal(samples_create(&s, d, &o), STATUS_OK);
    assert_int_equal(samples_get(s, 0, &m), STATUS_OK);
    check_sample(&m, 0, false);
    samples_release(&m);
    samples_destroy(s);
    dataset_close(d);
}

static void threads_may_ask_at_once(void **state) {
    (void)state;
    enum { ROUNDS = 40 };
    dataset *d = open_small();
    samples *s;
    samples_options o = usual(bytes_of(1) + bytes_of(3));
    int wrong = 0;
    assert_int_equal(samples_create(&s, d, &o), STATUS_OK);
#pragma omp parallel for num_threads(4) reduction(+ : wrong)
    for (int k = 0; k < ROUNDS * IMAGES; k++) {
        int i = k % IMAGES;
        sample m;
        if (samples_get(s, i, &m) != STATUS_OK) {
            wrong++;
            continue;
        }
        wrong += m.rgb.height != height[i] || m.rgb.width != width[i];
        samples_release(&m);
    }
    assert_int_equal(wrong, 0);
    samples_destroy(s);
    dataset_close(d);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_are_kept_up_to_the_budget),
        cmocka_unit_test(labels_are_decoded_where_wanted),
        cmocka_unit_test(threads_may_ask_at_once),
    };
    int failed;
    MPI_Init(&argc, &argv);
    if (comm_create(&world, MPI_COMM_WORLD) != STATUS_OK) return 1;
    failed = cmocka_run_group_tests(tests, setup, world_teardown);
    comm_destroy(world);
    MPI_Finalize();
    return failed;
}
