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

/* A training's input: labelled: with the image's label map. Seconds: of all images, views. */
typedef struct cutting {
    augment_options views;
    bool labelled;
    double decoding, cutting;
} cutting;

/* A decoded image: of height x width, as rgb covers it. */
typedef struct picture {
    int height, width;
    image rgb;
    labelmap label; /* empty where there is none */
} picture;

typedef struct input {
    dataset *d;
    double scale;
    float *view;     /* [crop, crop, 3] */
    uint16_t *label; /* [crop, crop] */
    int crop;
    double extract; /* seconds of decoding for it */
    cutting pretrain, finetune;
} input;

static status cut(input *x, cutting *c, int i, const picture *m) {
    double now = bench_processor_time();
    status st = STATUS_OK;
    for (int k = 0; k < VIEWS && st == STATUS_OK; k++) {
        random_stream r = random_begin(1, RANDOM_AUGMENT, (uint64_t)i, (uint64_t)k);
        view drawn = view_draw(&r, &c->views, m->height, m->width);
        st = view_image(&drawn, m->height, m->width, &m->rgb, x->view);
        if (!m->label.data) continue;
        view_labels(&drawn, m->height, m->width, &m->label, x->crop, x->crop, x->label);
        cross_entropy_pixels(x->label, (size_t)x->crop * (size_t)x->crop);
    }
    c->cutting += bench_processor_time() - now;
    return st;
}

/* As a training does: decoded no larger than its views need. */
static status train(input *x, cutting *c, int i) {
    picture m = {0};
    dataset_shape(x->d, i, x->scale, &m.height, &m.width);
    double now = bench_processor_time();
    double reduction = view_reduction(&c->views, m.height, m.width);
    status st =
        dataset_load_reduced(x->d, i, x->scale, reduction, &m.rgb, c->labelled ? &m.label : NULL);
    c->decoding += bench_processor_time() - now;
    if (st == STATUS_OK) st = cut(x, c, i, &m);
    image_destroy(&m.rgb);
    labelmap_destroy(&m.label);
    return st;
}

static status take(input *x, int i) {
    image whole = {0};
    double now = bench_processor_time();
    status st = dataset_load(x->d, i, x->scale, &whole, NULL);
    x->extract += bench_processor_time() - now;
    image_destroy(&whole);
    if (st == STATUS_OK) st = train(x, &x->pretrain, i);
    return st == STATUS_OK ? train(x, &x->finetune, i) : st;
}

/* The first image is decoded twice: what the first use of a library takes is none of a step's. */
static status take_all(input *x, const char *path) {
    int all = setup_training(x->d), n = all < MOST ? all : MOST;
    status st = take(x, 0);
    x->extract = x->pretrain.decoding = x->finetune.decoding = 0;
    x->pretrain.cutting = x->finetune.cutting = 0;
    for (int i = 0; i < n && st == STATUS_OK; i++) st = take(x, (int)((int64_t)i * all / n));
    const struct {
        const char *name;
        double seconds;
    } line[] = {{"extract_decode", x->extract}, {"pretrain_decode", x->pretrain.decoding},
        {"finetune_decode", x->finetune.decoding}, {"pretrain_view", x->pretrain.cutting / VIEWS},
        {"finetune_view", x->finetune.cutting / VIEWS}};
    for (size_t i = 0; i < sizeof line / sizeof *line && st == STATUS_OK; i++)
        st = bench_profile_add(path, line[i].name, line[i].seconds / n);
    return st;
}

status forecast_input(const forecast_plan *p, const char *path) {
    const settings *s = p->s;
    int crop = s->finetune.crop;
    size_t pixels = (size_t)crop * (size_t)crop;
    input x = {.scale = s->dataset.scale,
        .view = memory_alloc(3 * pixels, sizeof *x.view, "view"),
        .label = memory_alloc(pixels, sizeof *x.label, "labels of a view"),
        .crop = crop,
        .pretrain = {.views = setup_views(&s->pretrain.view, crop)},
        .finetune = {.views = setup_views(&s->finetune.view, crop), .labelled = true}};
    status st = x.view && x.label ? dataset_open(NULL, p->data, &x.d) : STATUS_FAILED;
    if (st == STATUS_OK) st = take_all(&x, path);
    dataset_close(x.d);
    memory_free(x.view);
    memory_free(x.label);
    return st;
}
