/* Views of images without labels. Which place is which, and the streams of numbers, are stand-ins
 * for those of batches.c, which needs a whole trainer. */
#include "src/app/training/unlabelled.h"

#include "tests/io/small_dataset.h"

enum { SIDE = 16, FLOATS = 3 * SIDE * SIDE, FIRST = 1, SECOND = 3 };

int batches_unlabelled(const trainer *t, int i) {
    (void)t;
    return i % 2 ? i / 2 : -1;
}

random_stream batch_stream(const batch *b, int i, int number) {
    return random_begin(1, RANDOM_AUGMENT, (uint64_t)b->step, (uint64_t)(2 * i + number));
}

/* Place 3 of a batch, the second without labels: image 1, and image 3 where it is mixed. */
typedef struct made {
    float input[4][FLOATS], plain[2][2][FLOATS];
    uint16_t label[4][SIDE * SIDE];
    mix_box box[2];
    int labelled[4];
} made;

static made result;

static void make(samples *images, double strong, double cutmix) {
    static settings s;
    int source[4] = {0, 0, 0, FIRST}, other[2] = {0, SECOND};
    s.run.seed = 5;
    const trainer t = {.s = &s, .o.crop = SIDE, .model.input = image_input_imagenet};
    const unlabelled u = {.t = &t,
        .images = images,
        .views = {.crop = SIDE, .scale_min = 0.5, .scale_max = 1.5, .flip = 0.5},
        .how = {.strong = strong, .cutmix = cutmix}};
    memset(&result, 0, sizeof result);
    batch b = {.step = 2,
        .source = source,
        .other = other,
        .box = result.box,
        .plain = result.plain[0][0],
        .input = result.input[0],
        .label = result.label[0],
        .labelled = result.labelled};
    result.labelled[3] = 9;
    assert_int_equal(unlabelled_views(&u, &b, 3), STATUS_OK);
    assert_int_equal(result.labelled[3], 0);
    for (int i = 0; i < SIDE * SIDE; i++) {
        assert_int_equal(result.label[3][i], LABEL_IGNORE);
        assert_int_equal(result.label[2][i], 0);
    }
}

static bool inside(int pixel) {
    const mix_box *b = &result.box[1];
    int y = pixel / SIDE, x = pixel % SIDE;
    return y >= b->top && y < b->bottom && x >= b->left && x < b->right;
}

/* How many of the values that are learned from are those of the plain views, mixed by the box. */
static int plain_values(void) {
    int same = 0;
    for (int i = 0; i < FLOATS; i++)
        if (result.input[3][i] == result.plain[1][inside(i / 3)][i]) same++;
    return same;
}

static samples *open_images(dataset **d) {
    samples *images;
    settings s = describe("train", "val");
    samples_options o = {.scale = 1, .views = {.crop = SIDE, .scale_max = 1.5}};
    pack(NULL, &s, "unlabelled.h5", d);
    assert_int_equal(samples_create(&images, *d, &o), STATUS_OK);
    return images;
}

static void both_see_the_same_places(void **state) {
    (void)state;
    dataset *d;
    samples *images = open_images(&d);
    make(images, 0, 0);
    assert_int_equal(result.box[1].bottom, 0);
    assert_int_equal(plain_values(), FLOATS);
    static made alone;
    alone = result;
    make(images, 0, 0.5);
    assert_true(result.box[1].bottom > result.box[1].top);
    assert_int_equal(plain_values(), FLOATS);
    assert_memory_not_equal(result.plain[1][0], result.plain[1][1], sizeof result.plain[1][1]);
    /* Neither the mixture nor strong colours change what labels the first image. */
    assert_memory_equal(result.plain[1][0], alone.plain[1][0], sizeof alone.plain[1][0]);
    make(images, 0.5, 0.5);
    assert_memory_equal(result.plain[1][0], alone.plain[1][0], sizeof alone.plain[1][0]);
    assert_true(plain_values() < FLOATS / 2);
    samples_destroy(images);
    dataset_close(d);
}

/* Those of no list of labelled ones; all, where none is left. */
static void what_is_left_is_without_labels(void **state) {
    (void)state;
    dataset *d;
    samples *images = open_images(&d);
    image_list train, out;
    assert_int_equal(images_of_split(&train, d, SPLIT_TRAIN, false), STATUS_OK);
    assert_true(train.count >= 3);
    int some[2] = {train.member[0], train.member[2]};
    assert_int_equal(unlabelled_list(&out, d, &(image_list){some, 2}), STATUS_OK);
    assert_int_equal(out.count, train.count - 2);
    assert_int_equal(out.member[0], train.member[1]);
    for (int i = 1; i < out.count; i++) assert_int_equal(out.member[i], train.member[i + 2]);
    memory_free(out.member);
    assert_int_equal(unlabelled_list(&out, d, &train), STATUS_OK);
    assert_int_equal(out.count, train.count);
    memory_free(out.member);
    memory_free(train.member);
    samples_destroy(images);
    dataset_close(d);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_see_the_same_places),
        cmocka_unit_test(what_is_left_is_without_labels),
    };
    int failed;
    MPI_Init(&argc, &argv);
    if (comm_create(&world, MPI_COMM_WORLD) != STATUS_OK) return 1;
    failed = cmocka_run_group_tests(tests, setup, world_teardown);
    comm_destroy(world);
    MPI_Finalize();
    return failed;
}
