/* Rows from files in place of a network's. Two kinds of files give rows image by image: a folder of
 * .npy maps (extract_maps.c), or one file in the format of features.h5. From there on they go the
 * way of the network's rows: length 1, where they are stored, what follows from all of them
 * (extract_finish.c). So the labels are those of an own extraction of the same numbers. A
 * features.h5 that has just what is wanted is not copied: with extract.memory = "stream" its rows
 * are clustered where they lie. */
#include "src/app/features/extract_files.h"

#include "mpi/features_place.h"
#include "mpi/shard.h"
#include "mpi/stop_watch.h"
#include "src/app/features/extract_finish.h"
#include "src/app/features/extract_maps.h"
#include "src/app/stage/setup.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/rows.h"
#include "src/base/text.h"
#include "src/base/unit_length.h"

#include <math.h>
#include <omp.h>
#include <string.h>

/* Where an image's rows come from: one of the two. */
typedef struct source {
    extract_maps *maps;
    features file;    /* mapped */
    double rounding;  /* of its type */
    size_t *begin;    /* [images]: each image's first row in it */
    const char *path; /* of the file, or the folder */
} source;

/* What is needed of the images, on every rank. */
typedef struct picture_list {
    const char **name;
    int *height, *width;
    int64_t count;
} picture_list;

typedef struct intake {
    stage *t;
    const extract_request *q;
    source from;
    picture_list list;
    features *x;
    features_writer *writer; /* streamed */
    void *run;               /* streamed: rows of the images at once */
    float *scratch;          /* [threads, rows of the largest image, D], unless rows are float32 */
    size_t largest;          /* rows of an image */
    int64_t zeros;           /* rows of zeros */
    char raw[FILE_PATH];     /* streamed: where first rows go */
} intake;

bool extract_files_is_one(const settings *s) {
    return text_ends_with(s->extract.files, ".h5") || text_ends_with(s->extract.files, ".hdf5");
}

/* Sizes are those of the image files, before dataset.scale: a map covers the image, whatever size
 * its extractor has seen it in. Collective. */
static status list_images(const stage *t, picture_list *list) {
    int n = setup_training(t->d);
    list->count = n;
    list->name = stage_names(t);
    if (!list->name) return STATUS_FAILED;
    list->height = memory_alloc((size_t)n, sizeof *list->height, "sizes of images");
    list->width = memory_alloc((size_t)n, sizeof *list->width, "sizes of images");
    status st = comm_agree(t->c, list->height && list->width ? STATUS_OK : STATUS_FAILED);
    for (int i = 0; st == STATUS_OK && i < n; i++)
        dataset_shape(t->d, i, 1, &list->height[i], &list->width[i]);
    return st;
}

static void list_destroy(picture_list *list) {
    memory_free(list->name);
    memory_free(list->height);
    memory_free(list->width);
    *list = (picture_list){0};
}

static extract_images images_of(const picture_list *list) {
    return (extract_images){list->name, list->height, list->width, list->count};
}

/* A folder that is none would look like one without files. */
status extract_files_hash(const stage *t, uint64_t *hash) {
    const char *path = t->s->extract.files;
    features_info about = {0};
    *hash = 0;
    if (extract_files_is_one(t->s)) {
        /* Its checksum covers every byte, and is compared when they are read. */
        status st = comm_agree(t->c, comm_root(t->c) ? features_about(path, &about) : STATUS_OK);
        comm_broadcast(t->c, &about, sizeof about);
        *hash = about.checksum;
        return st;
    }
    picture_list list = {0};
    extract_maps *maps = NULL;
    status st = list_images(t, &list);
    const extract_images images = images_of(&list);
    if (st == STATUS_OK) st = extract_maps_open(&maps, t->c, t->s, &images);
    if (st == STATUS_OK) st = extract_maps_hash(maps, hash);
    extract_maps_close(maps);
    list_destroy(&list);
    return st;
}

/* The grids of a file's images cover them evenly, as those of maps do. */
static status check_grids(const source *from, const picture_list *list) {
    const features *x = &from->file;
    for (int64_t i = 0; i < x->images; i++) {
        int64_t at = x->first + i;
        if (extract_maps_fits(list->height[at], list->width[at], x->height[i], x->width[i]))
            continue;
        log_error("%s: image %s: %d x %d rows do not cover its %d x %d pixels evenly", from->path,
            list->name[at], x->height[i], x->width[i], list->height[at], list->width[at]);
        return STATUS_DATA;
    }
    return STATUS_OK;
}

/* The file is mapped, not read: what is wanted of its rows is often they themselves. Collective. */
static status open_file(const comm *c, source *from, const picture_list *list) {
    const features_names names = {list->name, list->count};
    status st = features_map_any(c, from->path, &names, &from->file);
    if (st != STATUS_OK) return st;
    from->rounding = from->file.type == DTYPE_BF16 ? UNIT_LENGTH_BF16 : UNIT_LENGTH_F32;
    from->begin = memory_alloc((size_t)from->file.images, sizeof *from->begin, "rows of images");
    st = from->begin ? check_grids(from, list) : STATUS_FAILED;
    size_t row = 0;
    for (int64_t i = 0; st == STATUS_OK && i < from->file.images; i++) {
        from->begin[i] = row;
        row += features_image_rows(&from->file, i);
    }
    return comm_agree(c, st);
}

static status source_open(intake *e) {
    const stage *t = e->t;
    const extract_images images = images_of(&e->list);
    e->from.path = t->s->extract.files;
    if (extract_files_is_one(t->s)) return open_file(t->c, &e->from, &e->list);
    return extract_maps_open(&e->from.maps, t->c, t->s, &images);
}

static void source_close(source *from) {
    extract_maps_close(from->maps);
    features_destroy(&from->file);
    memory_free(from->begin);
}

/* Rows of the i-th image here as floats: to [rows, D]. */
static status source_rows(const source *from, int64_t i, float *to) {
    if (from->maps) return extract_maps_rows(from->maps, i, to);
    const features *x = &from->file;
    size_t rows = features_image_rows(x, i), d = (size_t)x->d;
    for (size_t r = 0; r < rows; r++) features_copy_row(x, from->begin[i] + r, to + r * d);
    features_passed(x, from->begin[i], rows);
    return STATUS_OK;
}

static double source_rounding(const source *from, int64_t i) {
    return from->maps ? extract_maps_rounding(from->maps, i) : from->rounding;
}

/* Shapes of this rank's images; no rows yet. */
static status shapes_create(intake *e) {
    features *x = e->x;
    const source *from = &e->from;
    x->first = shard_begin(e->list.count, comm_rank(e->t->c), comm_size(e->t->c));
    x->images = shard_begin(e->list.count, comm_rank(e->t->c) + 1, comm_size(e->t->c)) - x->first;
    x->d = from->maps ? extract_maps_d(from->maps) : from->file.d;
    x->type = extract_first_type(e->t->s);
    if (x->d > FEATURES_D) {
        if (comm_root(e->t->c))
            log_error("%s: %d dimensions; at most %d are taken", from->path, x->d, FEATURES_D);
        return STATUS_DATA;
    }
    if (features_create_shapes(x) != STATUS_OK) return STATUS_FAILED;
    for (int64_t i = 0; i < x->images; i++) {
        if (from->maps) {
            extract_maps_shape(from->maps, i, &x->height[i], &x->width[i]);
        } else {
            x->height[i] = from->file.height[i];
            x->width[i] = from->file.width[i];
        }
        size_t rows = features_image_rows(x, i);
        x->n += rows;
        if (rows > e->largest) e->largest = rows;
    }
    return STATUS_OK;
}

/* Images that are taken at once: some a thread, so that threads that get large ones are waited for
 * less. */
static int64_t together(const intake *e) {
    enum { PER_THREAD = 2 };
    return PER_THREAD * setup_threads(e->t->s);
}

/* All rows, or those of the images at once. Float32 rows are made where they stay. */
static status allocate(intake *e) {
    features *x = e->x;
    size_t d = (size_t)x->d, threads = (size_t)setup_threads(e->t->s);
    size_t rows = e->q->stream ? (size_t)together(e) * e->largest : x->n;
    void *memory = memory_alloc(rows, features_row_bytes(x), "features");
    if (e->q->stream)
        e->run = memory;
    else
        x->data = memory;
    if (!memory || x->type == DTYPE_F32) return memory ? STATUS_OK : STATUS_FAILED;
    e->scratch = memory_alloc(threads * e->largest * d, sizeof *e->scratch, "a map a thread");
    return e->scratch ? STATUS_OK : STATUS_FAILED;
}

static status check_rows(const intake *e, int64_t i, const float *rows) {
    const features *x = e->x;
    const char *path = e->from.maps ? extract_maps_path(e->from.maps, i) : e->from.path;
    return extract_maps_finite(
        path, e->list.name[x->first + i], rows, x->height[i], x->width[i], x->d);
}

/* The i-th image here, to where its rows stand; *zeros: rows of zeros, which have no direction. */
static status take_image(const intake *e, int64_t i, void *to, float *scratch, int64_t *zeros) {
    const features *x = e->x;
    size_t d = (size_t)x->d, rows = features_image_rows(x, i);
    float *row = row_room(scratch, to, x->type);
    status st = source_rows(&e->from, i, row);
    if (st == STATUS_OK) st = check_rows(e, i, row);
    if (st != STATUS_OK) return st;
    for (size_t r = 0; r < rows; r++) *zeros += unit_length_of(row + r * d, x->d) <= 0;
    if (e->t->s->extract.normalize)
        unit_length_others(row, rows, x->d, source_rounding(&e->from, i));
    row_done(to, row, rows * d, x->type);
    return STATUS_OK;
}

/* Images first .. first + count - 1 here, by all threads: to [rows of all]. */
static status take_run(intake *e, int64_t first, int64_t count, void *to) {
    const features *x = e->x;
    int threads = setup_threads(e->t->s);
    size_t map = e->largest * (size_t)x->d;
    int64_t zeros = 0;
    status worst = STATUS_OK;
#pragma omp parallel for schedule(dynamic) num_threads(threads) reduction(+ : zeros)
    for (int64_t i = first; i < first + count; i++) {
        size_t before = 0;
        for (int64_t k = first; k < i; k++) before += features_image_rows(x, k);
        float *scratch = e->scratch ? e->scratch + (size_t)omp_get_thread_num() * map : NULL;
        status st = take_image(e, i, row_at(to, before * (size_t)x->d, x->type), scratch, &zeros);
        if (st != STATUS_OK) {
#pragma omp critical(worst)
            worst = status_worse(worst, st);
        }
    }
    e->zeros += zeros;
    return worst;
}

/* Every image of the rank; all ranks leave as soon as one does. Collective. */
static status take_images(intake *e) {
    features *x = e->x;
    size_t row = 0;
    status st = STATUS_OK;
    progress bar = progress_begin_share("extract", "images", x->images, e->list.count);
    stop_watch watch = stop_watch_begin_whole(e->t->c);
    for (int64_t i = 0, count; st == STATUS_OK && i < x->images; i += count) {
        double now = timer_now();
        count = x->images - i < together(e) ? x->images - i : together(e);
        void *to = e->writer ? e->run : row_at(x->data, row * (size_t)x->d, x->type);
        st = take_run(e, i, count, to);
        for (int64_t k = i; k < i + count; k++) row += features_image_rows(x, k);
        now = timer_lap(&e->t->time, PHASE_READ, now);
        if (st == STATUS_OK && e->writer) st = features_writer_append(e->writer, count, to);
        timer_lap(&e->t->time, PHASE_WRITE, now);
        progress_update(&bar, i + count, "");
        st = stop_watch_ask(&watch, st);
    }
    progress_end(&bar, x->images, "");
    return stop_watch_end(&watch, st);
}

/* What all ranks have seen. Collective. */
static void report(const intake *e) {
    int64_t zeros = e->zeros;
    const features *x = e->x;
    comm_sum_i64(e->t->c, &zeros, 1);
    if (zeros > 0 && comm_root(e->t->c))
        log_warn(
            "%s: %lld of %lld rows are zeros", e->from.path, (long long)zeros, (long long)x->total);
    log_info("extract: features from %s, %lld rows of %d dimensions", e->from.path,
        (long long)x->total, x->d);
}

/* Pixels from a row to the next, about: what inspect shows. Rank 0's first image stands for all. */
static int stride_of(const intake *e) {
    int stride = 1;
    if (e->x->images > 0)
        stride = (int)lround((double)e->list.height[e->x->first] / e->x->height[0]);
    comm_broadcast(e->t->c, &stride, sizeof stride);
    return stride;
}

/* The rows to where they belong. Collective. */
static status take_rows(intake *e) {
    stage *t = e->t;
    features_origin origin = {.names = e->list.name,
        .images = e->list.count,
        .layers = e->q->layers,
        .stride = stride_of(e),
        .key = e->q->key};
    status st = comm_agree(t->c, allocate(e));
    if (st == STATUS_OK && e->q->stream)
        st = features_writer_create(&e->writer, t->c, e->raw, e->x, &origin);
    if (st != STATUS_OK) return st;
    st = take_images(e);
    if (e->writer) st = features_writer_finish(e->writer, st);
    if (st == STATUS_OK) report(e);
    if (st == STATUS_OK && e->q->stream) return extract_finish_streamed(t, e->q, &origin, e->raw);
    return st == STATUS_OK ? extract_finish_held(t, e->q, &origin, e->x) : st;
}

/* Whether the file's rows are the result, to the bit: of the type wanted, not to be projected, and
 * none of another length than wanted. Collective. */
static bool is_ready(const intake *e) {
    const settings *s = e->t->s;
    const features *x = &e->from.file;
    int32_t other = e->from.maps || !e->q->stream || e->q->keep || s->extract.pca > 0 ||
                    x->type != s->extract.dtype;
    if (!other && s->extract.normalize) {
        float *scratch = memory_alloc((size_t)x->d, sizeof *scratch, "a row");
        other = scratch == NULL;
        for (size_t i = 0; !other && i < x->n; i++) {
            other = !unit_length_is(features_row(x, i, scratch), x->d, e->from.rounding);
            features_passed(x, i, 1);
        }
        features_release(x, 0, x->n);
        memory_free(scratch);
    }
    comm_max_i32(e->t->c, &other, 1);
    return !other;
}

status extract_files(stage *t, const extract_request *q, features *out, bool *written) {
    features x = {0};
    intake e = {.t = t, .q = q, .x = &x};
    *written = q->keep || q->stream;
    strcpy(e.raw, q->file);
    status st = t->s->extract.pca > 0 ? stage_path(t, e.raw, "features-raw.h5") : STATUS_OK;
    if (st == STATUS_OK) st = list_images(t, &e.list);
    if (st == STATUS_OK) st = source_open(&e);
    if (st == STATUS_OK && is_ready(&e)) {
        log_info("extract: features of %s stay there", e.from.path);
        *written = false;
        *out = e.from.file;
        e.from.file = (features){0};
        goto done;
    }
    if (st == STATUS_OK) st = comm_agree(t->c, shapes_create(&e));
    if (st == STATUS_OK) features_place(t->c, &x);
    if (st == STATUS_OK) st = take_rows(&e);
    if (st == STATUS_OK && !q->stream) {
        *out = x;
        x = (features){0};
    }
    features_destroy(&x);
    if (st == STATUS_OK && q->stream) st = features_map(t->c, q->file, q->key, out);
done:
    source_close(&e.from);
    list_destroy(&e.list);
    memory_free(e.run);
    memory_free(e.scratch);
    return st;
}
