/* What the input of a training takes of a core: images of a packed data set are decoded, and views
 * cut from them as both trainings cut them. Steps have as many more, by threads of the same cores;
 * that an image stays decoded for the next epoch is not counted on. */
#include "io/dataset/dataset.h"
#include "src/app/forecast/forecast_plan.h"
#include "src/app/stage/setup.h"
#include "src/app/tools/bench_profile.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/segment/cross_entropy.h"

/* Images that are decoded, evenly from those of the training; views of each. */
enum { MOST = 64, VIEWS = 2 };

/* Labels of a view are on a grid of `side` x `side`. */
typedef struct cutting {
    augment_options views;
    int side;
    double seconds;
} cutting;

/* A decoded image: of height x width, as rgb covers it. */
typedef struct picture {
    int height, width;
    image rgb;
    labelmap label; /* empty where the image has none */
} picture;

typedef struct input {
    dataset *d;
    double scale;
    float *view;     /* [crop, crop, 3] */
    uint16_t *label; /* [crop, crop] */
    double decoding;
    cutting pretrain, finetune;
} input;

static status cut(input *x, cutting *c, int i, const picture *m) {
    double now = bench_processor_time();
    status st = STATUS_OK;
    for (int k = 0; k < VIEWS && st == STATUS_OK; k++) {
        random_stream r = random_begin(1, RANDOM_AUGMENT, (uint64_t)i, (uint64_t)k);
        view drawn = view_draw(&r, &c->views, m->height, m->width);
        if (m->label.data)
            view_labels(&drawn, m->height, m->width, &m->label, c->side, c->side, x->label);
        st = view_image(&drawn, m->height, m->width, &m->rgb, x->view);
        cross_entropy_pixels(x->label, (size_t)c->side * (size_t)c->side);
    }
    c->seconds += bench_processor_time() - now;
    return st;
}

static status take(input *x, int i) {
    picture m = {0};
    dataset_shape(x->d, i, x->scale, &m.height, &m.width);
    double now = bench_processor_time();
    double reduction = view_reduction(&x->finetune.views, m.height, m.width);
    status st = dataset_load_reduced(x->d, i, x->scale, reduction, &m.rgb, &m.label);
    x->decoding += bench_processor_time() - now;
    if (st == STATUS_OK) st = cut(x, &x->pretrain, i, &m);
    if (st == STATUS_OK) st = cut(x, &x->finetune, i, &m);
    image_destroy(&m.rgb);
    labelmap_destroy(&m.label);
    return st;
}

/* The first image is decoded twice: what the first use of a library takes is none of a step's. */
static status take_all(input *x, const char *data, const char *path) {
    int all = setup_training(x->d), n = all < MOST ? all : MOST;
    if (all == 0) {
        log_error("%s: no training images", data);
        return STATUS_USAGE;
    }
    status st = take(x, 0);
    x->decoding = x->pretrain.seconds = x->finetune.seconds = 0;
    for (int i = 0; i < n && st == STATUS_OK; i++) st = take(x, (int)((int64_t)i * all / n));
    if (st == STATUS_OK) st = bench_profile_add(path, "decode", x->decoding / n);
    if (st == STATUS_OK)
        st = bench_profile_add(path, "pretrain_view", x->pretrain.seconds / n / VIEWS);
    if (st == STATUS_OK)
        st = bench_profile_add(path, "finetune_view", x->finetune.seconds / n / VIEWS);
    return st;
}

status forecast_input(const forecast_plan *p, const char *path) {
    const settings *s = p->s;
    int crop = s->finetune.crop;
    size_t pixels = (size_t)crop * (size_t)crop;
    input x = {.scale = s->dataset.scale,
        .view = memory_alloc(3 * pixels, sizeof *x.view, "view"),
        .label = memory_alloc(pixels, sizeof *x.label, "labels of a view"),
        .pretrain = {setup_views(&s->pretrain.view, crop), crop / s->model.output_stride, 0},
        .finetune = {setup_views(&s->finetune.view, crop), crop, 0}};
    status st = x.view && x.label ? dataset_open(NULL, p->data, &x.d) : STATUS_FAILED;
    if (st == STATUS_OK) st = take_all(&x, p->data, path);
    dataset_close(x.d);
    memory_free(x.view);
    memory_free(x.label);
    return st;
}
