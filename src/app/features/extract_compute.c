/* Images through the network, to rows. Images of one shape share a plan, and go through it in runs;
 * their outputs are brought to length 1 and rounded where they are stored, so that there is no
 * second copy of them. With extract.memory = "stream" the rows of a run go to the file at once, and
 * are mapped from there when all are written. A row is a pixel of the feature map; rows stand in
 * the order of images, a rank's in a contiguous block of them. What a row is depends on its image
 * alone: neither on the run that it is in nor on ranks or memory. */
#include "src/app/features/extract_compute.h"

#include "mpi/features_place.h"
#include "mpi/shard.h"
#include "mpi/stop_watch.h"
#include "src/app/features/extract_finish.h"
#include "src/app/features/extract_kept.h"
#include "src/app/features/extract_views.h"
#include "src/app/stage/inference.h"
#include "src/app/stage/inference_memory.h"
#include "src/app/stage/setup.h"
#include "src/base/hook.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/rows.h"
#include "src/base/timer.h"
#include "src/base/unit_length.h"

#include <omp.h>
#include <string.h>

/* Images through the network, and where their rows go. */
typedef struct extraction {
    stage *t;
    const extract_request *q;
    inference *net;
    inference_sizes sizes; /* that it is given an image in */
    features *x;
    char file[FILE_PATH];    /* streamed: of the network's outputs */
    float *scratch;          /* [threads, D] */
    features_writer *writer; /* streamed: of x */
    void *run;               /* streamed: rows of one run of images */
    size_t run_rows;
    extract_kept kept; /* rows of an earlier start, and what is done in this one */
    float *mean;       /* [rows of one run, D]: over views; NULL: the image is the only one */
} extraction;

/* Images first .. first + count - 1 of the data set, of one shape: decoded into the plan's
 * input. */
static status load_inputs(const stage *t, const image_input *input, plan *p, int first, int count) {
    status worst = STATUS_OK;
#pragma omp parallel for schedule(dynamic) num_threads(setup_threads(t->s))
    for (int i = 0; i < count; i++) {
        image rgb = {0};
        status st = dataset_load(t->d, first + i, t->s->dataset.scale, &rgb, NULL);
        if (st == STATUS_OK) image_normalize(&rgb, input, plan_input(p, i));
        image_destroy(&rgb);
        if (st != STATUS_OK) {
#pragma omp critical(worst)
            /* What happened has been said by its thread. */
            worst = status_worse(worst, st);
        }
    }
    return worst;
}

/* The map of the run's image i, of so many pixels: the plan's output, or the mean over views. */
static const float *map_of(const extraction *e, const plan *p, int i, size_t pixels) {
    return e->mean ? e->mean + (size_t)i * pixels * (size_t)e->x->d : plan_output(p, 0, i);
}

/* Maps of `count` images to rows, each by one thread: float32 rows are made where they stay, others
 * in the thread's scratch and rounded from there, after they have length 1. */
static void store_rows(const extraction *e, const plan *p, size_t pixels, int count, void *rows) {
    dtype type = e->x->type;
    size_t d = (size_t)e->x->d;
    bool normalize = e->t->s->extract.normalize;
#pragma omp parallel for schedule(static) num_threads(setup_threads(e->t->s))
    for (int i = 0; i < count; i++) {
        const float *from = map_of(e, p, i, pixels);
        float *scratch = e->scratch + (size_t)omp_get_thread_num() * d;
        for (size_t r = 0; r < pixels; r++, from += d) {
            void *to = row_at(rows, ((size_t)i * pixels + r) * d, type);
            float *row = row_room(scratch, to, type);
            memcpy(row, from, d * sizeof *row);
            if (normalize) unit_length_rows(row, 1, (int)d);
            row_done(to, row, d, type);
        }
    }
}

/* Shapes of this rank's images at the features' stride; no rows yet. A shard of the training
 * images, in their order: the order of rows in everything that follows. */
static status shapes_create(const stage *t, const inference *net, features *x) {
    int64_t n = setup_training(t->d);
    x->first = shard_begin(n, comm_rank(t->c), comm_size(t->c));
    x->images = shard_begin(n, comm_rank(t->c) + 1, comm_size(t->c)) - x->first;
    if (features_create_shapes(x) != STATUS_OK) return STATUS_FAILED;
    x->d = inference_channels(net);
    x->type = extract_first_type(t->s);
    int stride = inference_stride(net);
    for (int64_t i = 0; i < x->images; i++) {
        int h, w;
        dataset_shape(t->d, (int)(x->first + i), t->s->dataset.scale, &h, &w);
        x->height[i] = (h + stride - 1) / stride;
        x->width[i] = (w + stride - 1) / stride;
        x->n += features_image_rows(x, i);
    }
    return STATUS_OK;
}

/* Images from `at` on (counted from this rank's first) that go through the network together. None
 * of which the rows are there goes; `at` is not such a one. */
static int run_images(const extraction *e, int at) {
    const features *x = e->x;
    int first = (int)x->first + at, end = first;
    while (end < x->first + x->images && !e->kept.done[end]) end++;
    return inference_run(e->net, e->t->d, NULL, first, end, &e->sizes);
}

/* Memory for all rows, or for those of the largest run: as if none were there, since a kept image
 * that turns out to be damaged joins the run before it. */
static status allocate(extraction *e) {
    features *x = e->x;
    int end = (int)(x->first + x->images);
    for (int i = 0, count; i < x->images; i += count) {
        count = inference_run(e->net, e->t->d, NULL, (int)x->first + i, end, &e->sizes);
        size_t rows = (size_t)count * features_image_rows(x, i);
        if (rows > e->run_rows) e->run_rows = rows;
    }
    size_t rows = e->q->stream ? e->run_rows : x->n;
    void *memory = memory_alloc(rows, features_row_bytes(e->x), "features");
    if (e->q->stream)
        e->run = memory;
    else
        x->data = memory;
    size_t threads = (size_t)setup_threads(e->t->s);
    e->scratch = memory_alloc(threads * (size_t)x->d, sizeof *e->scratch, "a row a thread");
    if (!memory || !e->scratch) return STATUS_FAILED;
    if (extract_views_plain(e->t->s)) return STATUS_OK;
    e->mean = memory_alloc(e->run_rows * (size_t)x->d, sizeof *e->mean, "features over views");
    return e->mean ? STATUS_OK : STATUS_FAILED;
}

/* The index of an image says little to a user: its name says which file to look at. */
static void name_image(const extraction *e, const features *x) {
    int64_t bad = -1, i = 0;
    features_largest(x, setup_threads(e->t->s), &bad);
    size_t row = bad < 0 ? 0 : (size_t)bad;
    for (; i < x->images && row >= features_image_rows(x, i); i++) row -= features_image_rows(x, i);
    if (i < x->images)
        log_error("extract: features of image %s by %s are not finite: nothing is kept of it",
            dataset_get(e->t->d, (int)(x->first + i)).name, e->q->weights);
}

/* A test's: the first row of a run of images. */
static hook bad_feature = {.name = "FEATURE"};

/* Rows that are not finite are refused before they are written anywhere: `count` images from `at`
 * on. */
static status check_rows(const extraction *e, int at, int count, void *rows) {
    double largest;
    features x = {.d = e->x->d,
        .type = e->x->type,
        .data = rows,
        .first = e->x->first + at,
        .images = count,
        .height = e->x->height + at,
        .width = e->x->width + at};
    for (int i = 0; i < count; i++) x.n += features_image_rows(&x, i);
    /* All ones: not finite as bf16 and as float32. */
    if (hook_now(&bad_feature)) memset(rows, 0xff, sizeof(float));
    status st = features_check(&x, setup_threads(e->t->s), &largest, NULL);
    if (st == STATUS_NONFINITE) name_image(e, &x);
    return st;
}

/* The network's maps of images first .. first + count - 1, of one shape: into the plan's outputs.
 */
static status compute_maps(const extraction *e, int first, int count, plan **p) {
    int height, width;
    dataset_shape(e->t->d, first, e->t->s->dataset.scale, &height, &width);
    status st = inference_plan(e->net, height, width, p);
    double now = timer_now();
    if (st == STATUS_OK) st = load_inputs(e->t, inference_input(e->net), *p, first, count);
    timer_lap(&e->t->time, PHASE_READ, now);
    return st == STATUS_OK ? plan_forward(*p, count, &(step_context){0}) : st;
}

/* Images of one shape from `at` on (counted from this rank's first): their rows. */
static status compute_run(const extraction *e, int at, int count, void *rows) {
    const features *x = e->x;
    int first = (int)x->first + at;
    plan *p = NULL;
    double now = timer_now(), read = e->t->time.seconds[PHASE_READ];
    const view_grid grid = {x->height[at], x->width[at], x->d};
    status st = e->mean ? extract_views_mean(e->t, e->net, first, count, &grid, e->mean)
                        : compute_maps(e, first, count, &p);
    if (st == STATUS_OK) store_rows(e, p, features_image_rows(x, at), count, rows);
    if (st == STATUS_OK) st = check_rows(e, at, count, rows);
    read = e->t->time.seconds[PHASE_READ] - read;
    e->t->time.seconds[PHASE_FORWARD] += timer_now() - now - read;
    return st;
}

/* What is held at most from here on, on the rank that holds most. Collective. */
static status log_memory(const extraction *e) {
    const settings *s = e->t->s;
    size_t rows = e->q->stream ? e->run_rows : e->x->n;
    /* A projection needs its result, too, and rounding that once more. */
    size_t projected = s->extract.pca > 0
                           ? sizeof(float) + (s->extract.dtype == DTYPE_BF16 ? sizeof(uint16_t) : 0)
                           : 0;
    /* Products of all columns, of each thread twice, of a rank and among LAPACK's. */
    double products = s->extract.pca > 0 ? (setup_threads(s) + 2) * 16.0 * e->x->d : 0;
    double mib[4] = {
        (double)rows * (double)(features_row_bytes(e->x) + (size_t)s->extract.pca * projected)};
    inference_views views = {
        (int)e->x->first, (int)e->x->images, s->dataset.scale, s->extract.scales};
    if (e->mean) mib[0] += (double)e->run_rows * e->x->d * (double)sizeof *e->mean;
    status st = comm_agree(e->t->c, inference_memory(e->net, e->t->d, &views, &mib[1]));
    if (st != STATUS_OK) return st;
    mib[2] = products * e->x->d;
    mib[3] = mib[0] + mib[1] + mib[2];
    comm_max_f64(e->t->c, mib, sizeof mib / sizeof *mib);
    for (size_t i = 0; i < sizeof mib / sizeof *mib; i++) mib[i] /= 1 << 20;
    log_detail("extract: about %.1f MiB a rank beside the program: features %.1f, network %.1f, "
               "PCA %.1f",
        mib[3], mib[0], mib[1], mib[2]);
    if (e->q->stream) log_info("extract: features go to %s, which is kept", e->q->file);
    return STATUS_OK;
}

/* Where the rows of image i stand that begin at row `row` of this rank's: in memory, or, streamed,
 * in the memory of a run. */
static char *rows_at(const extraction *e, size_t row) {
    return e->writer ? e->run : (char *)e->x->data + row * features_row_bytes(e->x);
}

/* The rows of an earlier start, before anything is computed: a stop on the way leaves the files
 * that hold them as they are. Collective. */
static status take_kept(extraction *e) {
    const features *x = e->x;
    status st = STATUS_OK;
    stop_watch watch = stop_watch_begin_whole(e->t->c);
    size_t row = 0;
    double now = timer_now();
    for (int i = 0; st == STATUS_OK && i < x->images; i++) {
        char *rows = rows_at(e, row);
        bool there = e->kept.done[x->first + i] && extract_kept_read(&e->kept, i, row, rows);
        row += features_image_rows(x, i);
        if (there && e->writer) st = features_writer_put(e->writer, x->first + i, 1, rows);
        st = stop_watch_ask(&watch, st);
    }
    timer_lap(&e->t->time, PHASE_READ, now);
    return stop_watch_end(&watch, st);
}

/* Images i .. i + count - 1 of this rank, with their rows at `rows`. */
static status compute_images(extraction *e, int i, int count, char *rows) {
    status st = compute_run(e, i, count, rows);
    double now = timer_now();
    if (st == STATUS_OK && e->writer)
        st = features_writer_put(e->writer, e->x->first + i, count, rows);
    timer_lap(&e->t->time, PHASE_WRITE, now);
    for (int k = 0; st == STATUS_OK && k < count; k++) {
        extract_kept_add(&e->kept, i + k, rows);
        rows += features_image_rows(e->x, i + k) * features_row_bytes(e->x);
    }
    return st;
}

/* Every image of the rank whose rows are not there yet. Collective. */
static status compute_block(extraction *e) {
    features *x = e->x;
    status st = STATUS_OK;
    stop_watch watch = stop_watch_begin(e->t->c);
    progress bar = progress_begin_share("extract", "images", x->images, setup_training(e->t->d));
    size_t row = 0;
    for (int i = 0, count; st == STATUS_OK && i < x->images; i += count) {
        bool done = e->kept.done[x->first + i];
        count = done ? 1 : run_images(e, i);
        if (!done) st = stop_watch_ask(&watch, compute_images(e, i, count, rows_at(e, row)));
        row += (size_t)count * features_image_rows(x, i);
        progress_update(&bar, i + count, "");
    }
    progress_end(&bar, x->images, "");
    return stop_watch_end(&watch, st);
}

/* names: of all images. */
static features_origin origin_of(const extraction *e, const char *const *names) {
    return (features_origin){.names = names,
        .images = setup_training(e->t->d),
        .layers = e->q->layers,
        .stride = inference_stride(e->net),
        .key = e->q->key};
}

/* What has become of the block, the same on every rank: the file's end, or what is kept of it.
 * Collective. */
static status end_block(extraction *e, bool begun, status st) {
    if (st != STATUS_STOPPED || !begun)
        return e->writer ? features_writer_finish(e->writer, st) : st;
    return e->writer ? extract_kept_stop_streamed(&e->kept, e->writer)
                     : extract_kept_stop_memory(&e->kept);
}

/* Into memory, or into the file, from where they are taken. Collective. */
static status compute_rows(extraction *e, const char *const *names) {
    const stage *t = e->t;
    features_origin from = origin_of(e, names);
    status st = extract_kept_create(&e->kept, t, e->x, e->q->key, e->q->stream);
    if (st == STATUS_OK) st = comm_agree(t->c, allocate(e));
    if (st == STATUS_OK) st = log_memory(e);
    if (st == STATUS_OK && e->q->stream)
        st = features_writer_create(&e->writer, t->c, e->file, e->x, &from);
    if (st != STATUS_OK) return st;
    if (e->kept.found) st = take_kept(e);
    bool begun = st == STATUS_OK;
    if (begun) st = compute_block(e);
    st = end_block(e, begun, st);
    if (st == STATUS_OK && e->q->stream) extract_kept_clear(&e->kept);
    return st;
}

/* Rows in memory are given up once what follows from them is there; a stop before that, which
 * leaves them as they were, keeps them. Collective. */
static status finish_held(extraction *e, const features_origin *from) {
    status st = extract_finish_held(e->t, e->q, from, e->x);
    if (st == STATUS_STOPPED) st = extract_kept_stop_memory(&e->kept);
    if (st == STATUS_OK) extract_kept_clear(&e->kept);
    return st;
}

/* Whether a stopped start has left the network's outputs in their file. Collective. */
static status find_outputs(const extraction *e, bool *left) {
    *left = false;
    if (!e->q->stream || e->t->s->extract.pca == 0) return STATUS_OK;
    status st = extract_kept_whole(e->t, e->file, e->q->key, left);
    if (*left) log_info("extract: goes on with the network's outputs in %s", e->file);
    return st;
}

/* The network's rows, then what follows from all of them. features_place finds where this rank's
 * rows are among all, which both ways of keeping them need before the first is written.
 * Collective. */
static status compute(stage *t, extraction *e) {
    double began = timer_now();
    const char **names = stage_names(t);
    status st = comm_agree(t->c, names ? shapes_create(t, e->net, e->x) : STATUS_FAILED);
    if (st == STATUS_OK) features_place(t->c, e->x);
    bool left = false;
    if (st == STATUS_OK) st = find_outputs(e, &left);
    if (st == STATUS_OK && !left) st = compute_rows(e, names);
    if (st == STATUS_OK && !left)
        log_info("extract: %s of %s, %d dimensions at stride %d, %.1f images/s", e->q->layers,
            e->q->weights, e->x->d, inference_stride(e->net),
            setup_training(t->d) / (timer_now() - began));
    if (st == STATUS_OK) {
        features_origin from = origin_of(e, names);
        st =
            e->q->stream ? extract_finish_streamed(t, e->q, &from, e->file) : finish_held(e, &from);
    }
    memory_free(names);
    return st;
}

/* The network goes before rows are mapped or handed on: its memory is needed by what follows. */
status extract_compute(stage *t, const extract_request *q, features *out) {
    features x = {0};
    extraction e = {.t = t, .q = q, .sizes = {t->s->dataset.scale, t->s->extract.scales}, .x = &x};
    status st = STATUS_OK;
    strcpy(e.file, q->file);
    if (t->s->extract.pca > 0) st = stage_path(t, e.file, "features-raw.h5");
    inference_options o = {.end = NETWORK_FEATURES,
        .layers = q->layers,
        .weights = q->weights,
        .how = t->how,
        .own = q->own};
    if (st == STATUS_OK) st = inference_create(&e.net, t->c, t->s, t->d, &o);
    if (st == STATUS_OK) st = comm_agree(t->c, stage_images(t, inference_input(e.net)));
    if (st == STATUS_OK) st = compute(t, &e);
    inference_destroy(e.net);
    extract_kept_destroy(&e.kept);
    memory_free(e.scratch);
    memory_free(e.mean);
    memory_free(e.run);
    if (st == STATUS_OK && !q->stream) {
        *out = x;
        return STATUS_OK;
    }
    features_destroy(&x);
    return st == STATUS_OK ? features_map(t->c, q->file, q->key, out) : st;
}
