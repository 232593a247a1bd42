/* A network with fixed weights: norms are folded, nothing is kept for a backward pass. A plan
 * belongs to one image shape and takes time and memory to make; data sets have few shapes or very
 * many, so the plans asked for last are kept. The order of plans that are dropped and made anew
 * never changes a result: a plan's output depends on the image, the weights and the arithmetic
 * alone. */
#include "src/app/stage/inference.h"

#include "io/weights/weights.h"
#include "src/app/stage/extractor.h"
#include "src/app/stage/model_setup.h"
#include "src/app/stage/scales.h"
#include "src/app/stage/setup.h"
#include "src/base/hook.h"
#include "src/base/log.h"
#include "src/base/memory.h"

/* See images_at_once for the second. */
enum { PLANS = INFERENCE_PLANS, CHUNK_PER_THREAD = 4 };
/* Pixels from which on a thread gets no more than one image: each waits in memory, and so large a
 * one takes seconds, beside which what is waited for is little. */
enum { LARGE_IMAGE = 6000000 };

/* A plan for one shape, and when it was last asked for. */
typedef struct shaped_plan {
    int height, width;
    int64_t used;
    plan *p;
} shaped_plan;

/* One network, its weights packed anew for each shape's plan. */
struct inference {
    graph *g;
    parameters *p;
    image_input input;
    plan_options o; /* but for the shape */
    bool borrowed;  /* the first two are another's */
    int threads;
    int64_t clock;
    shaped_plan kept[PLANS];
};

/* The graph and the weights are made on every rank from the same options; the file is read once and
 * shared, c permitting. With c NULL one process does it all alone. */
status inference_create(inference **out, const comm *c, const settings *s, const dataset *d,
    const inference_options *o) {
    inference *n = memory_alloc(1, sizeof *n, "inference");
    status st = comm_agree(c, n ? STATUS_OK : STATUS_FAILED);
    if (st != STATUS_OK) goto done;
    n->threads = setup_threads(s);
    model_setup model;
    st = model_setup_read(c, s, o->weights, dataset_classes(d), &model);
    if (st != STATUS_OK) goto done;
    n->input = model.input;
    if (o->end == NETWORK_FEATURES && !o->own)
        st = extractor_network(&model.network, c, s, o->weights);
    if (st != STATUS_OK) goto done;
    st = network_create(&n->g, &model.network, o->end, o->layers);
    if (st == STATUS_OK && !(n->p = parameters_create(n->g))) st = STATUS_FAILED;
    st = comm_agree(c, st);
    if (st == STATUS_OK) st = arithmetic_require(&o->how, c, false);
    if (st != STATUS_OK) goto done;
    arithmetic_set(&o->how, &n->o);
    parameters_initialize(n->p, (uint64_t)s->run.seed);
    weights_match match;
    st = weights_load(c, o->weights, NULL, n->p, &match);
    /* In training what a file lacks is initialised; predictions of random weights help nobody. */
    if (st == STATUS_OK && match.missing > 0) {
        if (comm_root(c))
            log_error("%s lacks %d of the network's tensors", o->weights, match.missing);
        st = STATUS_DATA;
    }
done:
    if (st != STATUS_OK) {
        inference_destroy(n);
        return st;
    }
    *out = n;
    return STATUS_OK;
}

status inference_create_over(inference **out, const settings *s, const inference_network *o) {
    inference *n = memory_alloc(1, sizeof *n, "inference");
    if (!n) return STATUS_FAILED;
    n->g = o->g;
    n->p = o->p;
    n->input = *o->input;
    n->borrowed = true;
    n->threads = setup_threads(s);
    arithmetic_set(o->how, &n->o);
    *out = n;
    return STATUS_OK;
}

status inference_pack(inference *n) {
    status st = STATUS_OK;
    for (int i = 0; i < PLANS && st == STATUS_OK; i++)
        if (n->kept[i].p) st = plan_pack(n->kept[i].p);
    return st;
}

void inference_destroy(inference *n) {
    if (!n) return;
    for (int i = 0; i < PLANS; i++) plan_destroy(n->kept[i].p);
    if (!n->borrowed) {
        parameters_destroy(n->p);
        graph_destroy(n->g);
    }
    memory_free(n);
}

/* A few images a thread, so that threads that get slow ones are waited for less. */
static int images_at_once(const inference *n) {
    return n->threads * CHUNK_PER_THREAD;
}

/* A test's: how many pixels a large image has. */
static hook large_image = {.name = "LARGE_IMAGE"};

static bool is_large(int height, int width) {
    long pixels = hook_number(&large_image);
    return (int64_t)height * width >= (pixels ? pixels : LARGE_IMAGE);
}

int inference_images(const inference *n, int height, int width) {
    return is_large(height, width) ? n->threads : images_at_once(n);
}

int inference_threads(const inference *n) {
    return n->threads;
}

/* The slot that was not asked for longest gives way. An empty slot has never been used and so gives
 * way first. A failure leaves the slot empty but for its shape, and NULL in *out. */
status inference_plan(inference *n, int height, int width, plan **out) {
    shaped_plan *slot = &n->kept[0];
    n->clock++;
    for (int i = 0; i < PLANS; i++) {
        shaped_plan *k = &n->kept[i];
        if (k->p && k->height == height && k->width == width) {
            k->used = n->clock;
            *out = k->p;
            return STATUS_OK;
        }
        if (k->used < slot->used) slot = k;
    }
    plan_destroy(slot->p);
    *slot = (shaped_plan){height, width, n->clock, NULL};
    plan_options o = n->o;
    o.height = height;
    o.width = width;
    o.mode = PLAN_INFER;
    o.images = inference_images(n, height, width);
    o.threads = n->threads;
    status st = plan_create(&slot->p, n->g, n->p, o);
    /* The first shape stands for all: the table would be long. */
    if (st == STATUS_OK && n->clock == 1) {
        log_detail("convolutions at %d x %d, and their algorithms:", width, height);
        plan_log(slot->p);
    }
    *out = slot->p;
    return st;
}

const image_input *inference_input(const inference *n) {
    return &n->input;
}

int inference_channels(const inference *n) {
    return graph_channels(n->g, graph_output_value(n->g, 0));
}

int inference_stride(const inference *n) {
    return graph_stride(n->g, graph_output_value(n->g, 0));
}

/* Magnified, an image may be a large one whose plan takes fewer. */
static int fewest_images(const inference *n, int height, int width, const char *scales) {
    int h, w, fewest = images_at_once(n);
    for (double scale; scales_next(&scales, &scale);) {
        scales_size(height, width, scale, &h, &w);
        int images = inference_images(n, h, w);
        if (images < fewest) fewest = images;
    }
    return fewest;
}

int inference_run(const inference *n, const dataset *d, const int *list, int first, int end,
    const inference_sizes *sizes) {
    int h0, w0, h, w, count = 1;
    dataset_shape(d, list ? list[first] : first, sizes->scale, &h0, &w0);
    int most = fewest_images(n, h0, w0, sizes->scales);
    /* A plan runs images of one shape alone; data sets list them mostly in runs. */
    for (; count < most && first + count < end; count++) {
        dataset_shape(d, list ? list[first + count] : first + count, sizes->scale, &h, &w);
        if (h != h0 || w != w0) break;
    }
    return count;
}
