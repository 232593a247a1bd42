/* Images a second of dense feature extraction and of training steps: a ResNet trunk, or DeepLabV3
 * on it with cross-entropy on upsampled logits and SGD, on random images and labels. No data set,
 * no decoding, no checkpoints: the network's arithmetic and the exchange of gradients alone, which
 * is what other frameworks are compared in (tests/compare/segment.py).
 *
 * The parts in their order: words become options (read_options), options a network and a plan
 * (build), inputs are filled in once (fill), then the same step is timed again and again (measure).
 * A step of training is put together here as the training stage puts it together: forward, loss,
 * backward with the exchange under way, optimiser. Inputs are the same in every step, so that the
 * loss of the line that is printed tells whether two programs, or two versions, computed the same;
 * but with a profile, whose steps of twice the images stand between the others and train, too. */
#include "src/app/tools/bench_extract_train.h"

#include "mpi/gradient_sync.h"
#include "src/app/stage/choices.h"
#include "src/app/tools/bench_profile.h"
#include "src/app/tools/word_options.h"
#include "src/base/log.h"
#include "src/base/median.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/base/timer.h"
#include "src/model/network.h"
#include "src/nn/graph/optimizer.h"
#include "src/nn/plan/plan.h"
#include "src/segment/cross_entropy.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* Places in the table of options, in the order of the usage; OPTIONS is their number. */
    DEPTH,
    VIT,
    CROP,
    BATCH,
    DTYPE,
    THREADS,
    STRIDE,
    STEPS,
    CLASSES,
    NORM,
    WINOGRAD,
    RECOMPUTE,
    OPERATORS,
    PROFILE,
    OPTIONS
};
/* Each timed step keeps its seconds, in an array of fixed length. */
enum { MOST_STEPS = 1000 };

/* All that a measurement owns. What extract does not need (gradient, sync, optimizer, label, loss)
 * stays NULL there, and destroying it is then harmless. */
typedef struct segment_bench {
    const comm *c;
    const char *work;
    bool train;
    int vit; /* place among transformers; -1: a ResNet */
    int64_t depth, crop, batch, threads, stride, steps, classes;
    plan_options o;
    graph *g;
    parameters *p;
    plan *plan;
    gradient *gradient;
    gradient_sync *sync;
    optimizer optimizer;
    uint16_t *label; /* [o.images, crop, crop] */
    double *loss;    /* [o.images + ranks] */
    /* NULL: none is asked for. Of steps of `batch` images, and of twice as many. */
    bench_profile *profile, *twice;
    double step[MOST_STEPS], processor[MOST_STEPS]; /* seconds; of this thread's running */
} segment_bench;

/* As their authors publish them: ViT-S of patch 16 and B of patch 8 by DINO and timm, S of patch 14
 * with registers and layer scale by DINOv2. */
static const char *const transformer_words[] = {"none", "s16", "s14reg", "b8", NULL};
static const vit transformers[] = {
    {.width = 384,
        .blocks = 12,
        .embed = {.patch = 16, .channels = 384, .grid = 14, .class_position = true}},
    {.width = 384,
        .blocks = 12,
        .scaled = true,
        .embed = {.patch = 14,
            .channels = 384,
            .grid = 37,
            .class_position = true,
            .registers = 4,
            .register_tokens = true}},
    {.width = 768,
        .blocks = 12,
        .embed = {.patch = 8, .channels = 768, .grid = 28, .class_position = true}},
};

/* The words become the plan's options; choices are words that the table of options has checked. */
static status read_options(segment_bench *b, word_option *o, int argc, char **argv) {
    const comm *c = b->c;
    status st = word_options(c, o, OPTIONS, argc, argv);
    if (st == STATUS_OK) st = word_number(c, &o[CROP], 32, 8192, &b->crop);
    if (st == STATUS_OK) st = word_number(c, &o[BATCH], 1, 4096, &b->batch);
    if (st == STATUS_OK) st = word_number(c, &o[THREADS], 0, 4096, &b->threads);
    if (st == STATUS_OK) st = word_number(c, &o[STEPS], 1, MOST_STEPS, &b->steps);
    if (st == STATUS_OK) st = word_number(c, &o[CLASSES], 2, 65535, &b->classes);
    if (st != STATUS_OK) return st;
    b->depth = atoi(o[DEPTH].value);
    b->vit = word_choice(&o[VIT]) - 1;
    b->stride = atoi(o[STRIDE].value);
    if (b->threads == 0) b->threads = omp_get_max_threads();
    static const norm_mode norms[] = {NORM_GROUP, NORM_FROZEN};
    /* Each question is put so that "yes" is the bad answer: the maximum over ranks is then yes if
     * it is so on one of them. All ranks must compute in the same arithmetic. */
    int32_t arithmetic[3] = {!plan_supports(DTYPE_BF16), !plan_fast_bf16(), !plan_bf16_tiles()};
    comm_max_i32(c, arithmetic, 3);
    int asked = word_choice(&o[DTYPE]);
    bool f32 = asked == MODEL_DTYPE_F32 || (asked == MODEL_DTYPE_AUTO && arithmetic[1]);
    b->o = (plan_options){.height = (int)b->crop,
        .width = (int)b->crop,
        .type = f32 ? DTYPE_F32 : DTYPE_BF16,
        .mode = b->train ? PLAN_TRAIN : PLAN_INFER,
        .norm = norms[word_choice(&o[NORM])],
        .group = (int)b->batch,
        .images = (int)b->batch * (b->train && o[PROFILE].value ? 2 : 1),
        .threads = (int)b->threads,
        .products = arithmetic[1] ? DTYPE_F32 : DTYPE_BF16,
        .tiles = !arithmetic[2],
        .direct = word_choice(&o[WINOGRAD]) == MODEL_WINOGRAD_OFF,
        .recompute = choices_recompute((model_recompute)word_choice(&o[RECOMPUTE]))};
    if (b->o.type == DTYPE_F32 || !arithmetic[0]) return STATUS_OK;
    if (comm_root(c)) log_error("bench: a rank's processor does not compute in bf16");
    return STATUS_USAGE;
}

/* The network with random weights, and for training what a step needs beside it. Whatever has been
 * made when it fails is in b, and bench_segment destroys it. Not collective: the caller lets ranks
 * agree. */
static status build(segment_bench *b) {
    char backbone[16];
    snprintf(backbone, sizeof backbone, "resnet%d", (int)b->depth);
    network_options n = {.backbone = (model_backbone)choice_find(model_backbone_words, backbone),
        .stages = 4,
        .output_stride = (int)b->stride,
        .head = MODEL_HEAD_DEEPLABV3,
        .classes = (int)b->classes};
    if (b->vit >= 0) n.vit = transformers[b->vit];
    status st = network_create(&b->g, &n, b->train ? NETWORK_CLASSIFIER : NETWORK_FEATURES,
        b->vit >= 0 ? "norm" : "layer4");
    if (st != STATUS_OK) return st;
    b->p = parameters_create(b->g);
    if (!b->p) return STATUS_FAILED;
    parameters_initialize(b->p, 1);
    st = plan_create(&b->plan, b->g, b->p, b->o);
    if (st != STATUS_OK || !b->train) return st;
    b->gradient = gradient_create(b->p, GRADIENT_CHUNK);
    b->label = memory_alloc((size_t)(b->o.images * b->crop * b->crop), sizeof *b->label, "labels");
    /* The ranks' sums stand behind the images' losses; see loss(). */
    b->loss = memory_alloc((size_t)(b->o.images + comm_size(b->c)), sizeof *b->loss, "losses");
    if (!b->gradient || !b->label || !b->loss) return STATUS_FAILED;
    const optimizer_options sgd = {.kind = OPTIMIZER_SGD, .momentum = 0.9};
    return optimizer_create(&b->optimizer, b->p, &sgd);
}

/* Random images and labels. Each rank draws from a stream of its own, as it would have images of
 * its own. */
static void fill(segment_bench *b) {
    size_t pixels = (size_t)(b->crop * b->crop);
    random_stream r = random_begin(1, RANDOM_SYNTH, (uint64_t)comm_rank(b->c), 0);
    for (int i = 0; i < b->o.images; i++) {
        float *x = plan_input(b->plan, i);
        for (size_t j = 0; j < 3 * pixels; j++) x[j] = (float)random_normal(&r);
        for (size_t j = 0; b->train && j < pixels; j++)
            b->label[(size_t)i * pixels + j] = (uint16_t)random_below(&r, (uint64_t)b->classes);
    }
}

/* Mean over the pixels of all ranks, added in image order. Collective. The sum over ranks is made
 * of disjoint places, one a rank, and added up here in the order of ranks: a reduction of the
 * library's might add in another order each time. Failures of threads are agreed on before anything
 * is exchanged. */
static status loss(segment_bench *b, int images, double *sum) {
    int h, w, classes;
    size_t pixels = (size_t)(b->crop * b->crop);
    status worst = STATUS_OK;
    double scale = 1.0 / (double)pixels / images / comm_size(b->c);
    plan_output_shape(b->plan, 0, &h, &w, &classes);
#pragma omp parallel for num_threads(b->o.threads)
    for (int i = 0; i < images; i++) {
        const logit_map logits = {plan_output(b->plan, 0, i), h, w, classes};
        status st = cross_entropy(&logits, b->label + (size_t)i * pixels, b->o.height, b->o.width,
            scale, &b->loss[i], plan_output_gradient(b->plan, 0, i));
        if (st != STATUS_OK) {
#pragma omp critical(bench_loss)
            worst = status_worse(worst, st);
        }
    }
    worst = comm_agree(b->c, worst);
    double *rank = b->loss + images, all = 0;
    for (int r = 0; r < comm_size(b->c); r++) rank[r] = 0;
    for (int i = 0; i < images; i++) rank[comm_rank(b->c)] += b->loss[i];
    comm_sum_f64_disjoint(b->c, rank, (size_t)comm_size(b->c));
    for (int r = 0; r < comm_size(b->c); r++) all += rank[r];
    *sum = all * scale;
    return worst;
}

/* One step; the gradient's scales are known after the first. A step whose gradient did not fit the
 * scales that were assumed is done again as a whole (gradient_sync.h), which in the first step is
 * always so; that is one reason why a step to warm up is not timed. Under group statistics `batch`
 * images are one unit, else each image is. Every rank leaves the loop in the same iteration: each
 * status has been agreed on. */
static status train_step(
    segment_bench *b, int images, int step, bench_profile *profile, double *sum) {
    step_context x = {.seed = 1,
        .step = (uint64_t)step,
        .first = comm_rank(b->c) * images,
        .poll = gradient_sync_poll,
        .poll_context = b->sync};
    bool again = true;
    status st = STATUS_OK;
    int units = b->o.norm == NORM_GROUP ? images / b->o.group : images;
    while (st == STATUS_OK && again) {
        gradient_sync_begin(b->sync, units * comm_size(b->c));
        bench_profile_begin(profile, b->gradient);
        st = comm_agree(b->c, plan_forward(b->plan, images, &x));
        bench_profile_mark(profile, BENCH_FORWARD);
        if (st == STATUS_OK) st = loss(b, images, sum);
        if (st != STATUS_OK) break;
        bench_profile_mark(profile, BENCH_LOSS);
        /* The exchange is ended even where the backward pass has failed: the other ranks wait in
         * it. */
        status mine = plan_backward(b->plan, images, &x, b->gradient);
        bench_profile_mark(profile, BENCH_BACKWARD);
        st = gradient_sync_end(b->sync, &again);
        mine = comm_agree(b->c, mine);
        if (mine != STATUS_OK) st = mine;
    }
    if (st != STATUS_OK) return st;
    optimizer_step(&b->optimizer, b->p, b->gradient, (const double[]){1e-3, 1e-3}, step);
    st = plan_pack(b->plan);
    bench_profile_mark(profile, BENCH_OPTIMIZER);
    return comm_agree(b->c, st);
}

/* The median step: one that the system disturbed does not count. One line of JSON for programs that
 * compare; rank 0 writes it. Images a second are those of all ranks. */
static void print(segment_bench *b, double sum) {
    double seconds = median_sort(b->step, (int)b->steps);
    printf("{\"work\": \"%s\", \"depth\": %d, \"crop\": %d, \"batch\": %d, \"dtype\": \"%s\", "
           "\"threads\": %d, \"ranks\": %d, \"stride\": %d, \"images_per_second\": %.6g, "
           "\"seconds\": %.6g, \"loss\": %.9g, \"peak_rss_mib\": %.1f}\n",
        b->work, (int)b->depth, (int)b->crop, (int)b->batch, dtype_words[b->o.type],
        (int)b->threads, comm_size(b->c), (int)b->stride,
        (double)b->batch * comm_size(b->c) / seconds, seconds, sum,
        (double)memory_peak() / (1 << 20));
    fflush(stdout);
}

/* A step to warm up; then the median of those that are timed. Barriers on both sides: what is timed
 * is the step of the slowest rank, not rank 0's. Times of single operators are only gathered after
 * the step to warm up. */
static status measure(segment_bench *b, bool operators) {
    status st = STATUS_OK;
    double sum = 0, larger;
    for (int i = -1; i < b->steps && st == STATUS_OK; i++) {
        if (i == 0) plan_time(b->plan, operators);
        comm_barrier(b->c);
        double now = timer_now(), ran = bench_processor_time();
        st = b->train ? train_step(b, (int)b->batch, i + 1, b->profile, &sum)
                      : comm_agree(b->c, plan_forward(b->plan, b->o.images, NULL));
        comm_barrier(b->c);
        if (i >= 0) b->step[i] = timer_now() - now;
        if (i >= 0) b->processor[i] = bench_processor_time() - ran;
        /* In turn, so that a core that slows down does so for both. */
        if (st == STATUS_OK && b->twice)
            st = train_step(b, 2 * (int)b->batch, i + 1, b->twice, &larger);
    }
    if (st == STATUS_OK && comm_root(b->c)) print(b, sum);
    if (st == STATUS_OK && comm_root(b->c) && operators) plan_print_times(b->plan, (int)b->steps);
    return st;
}

/* A profile is of one thread: what many of them take follows from it. */
static status check_profile(const segment_bench *b, bool operators) {
    bool alone = comm_size(b->c) == 1 && b->threads == 1;
    if (alone && !operators) return STATUS_OK;
    if (comm_root(b->c))
        log_error(alone ? "bench: --profile times steps, --operators their parts: one at a time"
                        : "bench: --profile wants one rank and --threads 1");
    return STATUS_USAGE;
}

/* Rank 0's; of an extraction the seconds of an image. The word is a file's name, or NULL. */
static status write_profile(segment_bench *b, const char *path) {
    status st = STATUS_OK;
    if (!path) return STATUS_OK;
    if (comm_root(b->c) && b->train)
        st = bench_profile_write(b->profile, b->twice, path, (int)b->batch);
    if (comm_root(b->c) && !b->train)
        st = bench_profile_add(
            path, "extract", median_sort(b->processor, (int)b->steps) / (double)b->batch);
    return comm_agree(b->c, st);
}

/* work: "extract" or "train". c borrowed; argv holds the options. What has been made is destroyed
 * on every way out. */
static status bench_segment(const comm *c, const char *work, int argc, char **argv) {
    static const char *const depths[] = {"18", "34", "50", "101", "152", NULL};
    static const char *const strides[] = {"8", "16", "32", NULL};
    static const char *const norms[] = {"group", "frozen", NULL};
    word_option o[OPTIONS] = {[DEPTH] = {"--depth", depths, "50", false},
        [VIT] = {"--vit", transformer_words, "none", false},
        [CROP] = {"--crop", NULL, "256", false},
        [BATCH] = {"--batch", NULL, "4", false},
        [DTYPE] = {"--dtype", model_dtype_words, "auto", false},
        [THREADS] = {"--threads", NULL, "1", false},
        [STRIDE] = {"--stride", strides, "8", false},
        [STEPS] = {"--steps", NULL, "3", false},
        [CLASSES] = {"--classes", NULL, "19", false},
        [NORM] = {"--norm", norms, "group", false},
        [WINOGRAD] = {"--winograd", model_winograd_words, "auto", false},
        [RECOMPUTE] = {"--recompute", model_recompute_words, "none", false},
        [OPERATORS] = {"--operators", word_no_yes, "no", false},
        [PROFILE] = {"--profile", NULL, NULL, false}};
    segment_bench *b = memory_alloc(1, sizeof *b, "benchmark");
    status st = comm_agree(c, b ? STATUS_OK : STATUS_FAILED);
    if (st != STATUS_OK) goto done;
    *b = (segment_bench){.c = c, .work = work, .train = strcmp(work, "train") == 0};
    st = read_options(b, o, argc, argv);
    /* Loops outside of the plan take OpenMP's number. */
    if (st == STATUS_OK) omp_set_num_threads((int)b->threads);
    if (st == STATUS_OK) st = comm_agree(c, build(b));
    if (st == STATUS_OK && b->train) st = gradient_sync_create(&b->sync, c, b->gradient, true);
    if (st == STATUS_OK && o[PROFILE].value) st = check_profile(b, word_choice(&o[OPERATORS]));
    if (st == STATUS_OK && o[PROFILE].value && b->train)
        st = bench_profile_create(&b->profile, b->p, plan_moments_width(b->plan));
    if (st == STATUS_OK && b->profile)
        st = bench_profile_create(&b->twice, b->p, plan_moments_width(b->plan));
    if (st != STATUS_OK) goto done;
    fill(b);
    st = measure(b, word_choice(&o[OPERATORS]));
    if (st == STATUS_OK) st = write_profile(b, o[PROFILE].value);
done:
    if (b) {
        bench_profile_destroy(b->profile);
        bench_profile_destroy(b->twice);
        gradient_sync_destroy(b->sync);
        optimizer_destroy(&b->optimizer);
        gradient_destroy(b->gradient);
        plan_destroy(b->plan);
        parameters_destroy(b->p);
        graph_destroy(b->g);
        memory_free(b->label);
        memory_free(b->loss);
    }
    memory_free(b);
    return st;
}

status bench_extract(const comm *c, int argc, char **argv) {
    return bench_segment(c, "extract", argc, argv);
}

status bench_train(const comm *c, int argc, char **argv) {
    return bench_segment(c, "train", argc, argv);
}
