/* `auxseg kmeans X`: the clustering without images, for whoever has a matrix. It is the stage's
 * engine (mpi/kmeans.h) with the stage's checkpoints (cluster_keep.h): exact, the same bits for any
 * number of ranks, and a start goes on where an earlier one was killed or stopped. What is done is
 * told by the record, kmeans.json, which is written last. */
#include "src/app/tools/kmeans.h"

#include "io/files/kmeans_record.h"
#include "io/files/lock.h"
#include "io/files/npy.h"
#include "io/files/npy_rows.h"
#include "src/app/clusters/cluster_keep.h"
#include "src/app/clusters/cluster_odd.h"
#include "src/app/clusters/cluster_start.h"
#include "src/app/stage/choices.h"
#include "src/app/stage/place.h"
#include "src/app/tools/kmeans_rows.h"
#include "src/app/tools/word_options.h"
#include "src/base/choice.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/stop.h"

#include <omp.h>
#include <stdio.h>
#include <string.h>

/* Places in the table of options. */
enum {
    K,
    OUT,
    METRIC,
    ITERATIONS,
    RESTARTS,
    START,
    SAMPLE,
    SAMPLE_ITERATIONS,
    BRANCH_ITERATIONS,
    SEED,
    CHECKPOINT,
    RESUME,
    MEMORY,
    THREADS,
    DTYPE,
    SCREEN,
    VERBOSE,
    OPTIONS
};
#define BASE "kmeans"         /* of checkpoints and log lines */
enum { BRANCH_DEFAULT = 10 }; /* of --branch-iterations */

static const char *const memory_words[] = {"hold", "map", NULL};
static const char *const resume_words[] = {"auto", "never", NULL};
/* Starts that are no file; a file may have any other name. Their numbers are part of the key: new
 * ones come last. */
enum { PLUSPLUS, PARALLEL, SAMPLED, FIRST, HIERARCHICAL };
static const char *const start_words[] = {
    "plusplus", "parallel", "sample", "first", "hierarchical", NULL};

/* One command on one rank. */
typedef struct work {
    const comm *c;
    const char *path, *out;
    const word_option *option;
    int start; /* of start_words; -1: a file */
    kmeans_options o;
    kmeans_rows rows;
    cluster_keep keep;
    uint64_t key;
    progress bar;
    double began, processor; /* the command; seconds of the processor when rows were there */
} work;

/* A file of centroids, or the first rows, need none. */
static kmeans_init init_of(int start) {
    switch (start) {
    case PARALLEL:
        return KMEANS_PARALLEL;
    case HIERARCHICAL:
        return KMEANS_HIERARCHICAL;
    case SAMPLED:
        return KMEANS_RANDOM;
    default:
        return KMEANS_PLUSPLUS;
    }
}

/* What numbers and words do not fit together. A word that is no start and looks like no file is a
 * slip of the pen. */
static status check_words(const work *w) {
    const char *start = w->option[START].value;
    bool chosen = w->start >= 0 && w->start != FIRST && w->start != PARALLEL;
    status st = STATUS_USAGE;
    if (w->o.cosine && word_choice(&w->option[MEMORY]) == 1) {
        if (comm_root(w->c))
            log_error("--memory map: cosine brings rows to length 1, which needs --memory hold");
    } else if (w->start < 0 && !strpbrk(start, "./")) {
        if (comm_root(w->c))
            log_error("--start %s: plusplus, parallel, sample, first, hierarchical, or a file of "
                      "centroids (./%s, if it is one)",
                start, start);
    } else if (w->o.sample_iterations > 0 && !chosen) {
        if (comm_root(w->c)) log_error("--sample-iterations: --start %s draws no sample", start);
    } else if (w->o.branch_iterations != BRANCH_DEFAULT && w->start != HIERARCHICAL) {
        if (comm_root(w->c)) log_error("--branch-iterations: --start %s has no branches", start);
    } else {
        st = STATUS_OK;
    }
    return st;
}

/* Numbers of the options; every rank reads the same words. */
static status read_numbers(work *w) {
    const word_option *o = w->option;
    int64_t k, iterations, restarts, sample, before, within, seed, every, threads;
    status st = word_number(w->c, &o[K], 1, LABEL_NONE, &k);
    if (st == STATUS_OK) st = word_number(w->c, &o[ITERATIONS], 0, 100000, &iterations);
    if (st == STATUS_OK) st = word_number(w->c, &o[RESTARTS], 1, 1000, &restarts);
    if (st == STATUS_OK) st = word_number(w->c, &o[SAMPLE], 2, 100000000, &sample);
    if (st == STATUS_OK) st = word_number(w->c, &o[SAMPLE_ITERATIONS], 0, 100000, &before);
    if (st == STATUS_OK) st = word_number(w->c, &o[BRANCH_ITERATIONS], 0, 100000, &within);
    if (st == STATUS_OK) st = word_number(w->c, &o[SEED], 0, INT64_MAX, &seed);
    if (st == STATUS_OK) st = word_number(w->c, &o[CHECKPOINT], 0, 100000, &every);
    if (st == STATUS_OK) st = word_number(w->c, &o[THREADS], 0, 4096, &threads);
    if (st != STATUS_OK) return st;
    w->start = choice_find(start_words, o[START].value);
    w->keep.every = (int)every;
    w->o = (kmeans_options){.k = (int)k,
        .iterations = (int)iterations,
        .restarts = w->start == FIRST || w->start < 0 ? 1 : (int)restarts,
        .threads = threads > 0 ? (int)threads : omp_get_max_threads(),
        .cosine = choices_cosine((cluster_metric)word_choice(&o[METRIC])),
        .screen = choices_screen((cluster_screen)word_choice(&o[SCREEN])),
        .arithmetic = choices_arithmetic((cluster_arithmetic)word_choice(&o[DTYPE])),
        .init = init_of(w->start),
        .sample = (int)sample,
        .sample_iterations = (int)before,
        .branch_iterations = (int)within,
        .seed = (uint64_t)seed};
    return check_words(w);
}

/* path [FILE_PATH]: a file of the folder of results. */
static status out_path(const work *w, char *path, const char *name) {
    return file_path(path, w->out, name);
}

/* Folders, the lock, and the file by which a stop can be asked for. *lock: rank 0's. Collective. */
static status take_folder(work *w, file_lock **lock) {
    char stop[FILE_PATH];
    status st = out_path(w, w->keep.folder, "checkpoints");
    if (st == STATUS_OK) st = out_path(w, stop, "STOP");
    if (st == STATUS_OK && comm_root(w->c)) st = file_make_folder(w->keep.folder);
    st = comm_agree(w->c, st);
    if (st == STATUS_OK) st = place_take(lock, w->c, "--out", w->out, w->o.threads);
    if (st != STATUS_OK) return st;
    if (comm_root(w->c) && file_exists(stop)) {
        log_warn("%s is there: nothing goes on before it is removed", stop);
        st = STATUS_STOPPED;
    }
    st = comm_agree(w->c, st);
    if (st == STATUS_OK) stop_set_file(stop);
    return st;
}

/* All that can change the result. What the rows are called in which file does not count, nor by
 * which way they are computed. Collective. */
static status find_key(work *w) {
    const kmeans_options *o = &w->o;
    uint64_t start = 0;
    status st = STATUS_OK;
    if (w->start < 0 && comm_root(w->c)) st = file_hash(w->option[START].value, &start);
    st = comm_agree(w->c, st);
    comm_broadcast(w->c, &start, sizeof start);
    const int64_t all[] = {(int64_t)w->rows.hash, o->k, o->cosine, o->iterations, o->restarts,
        w->start, (int64_t)start, o->sample, (int64_t)o->seed, o->sample_iterations,
        o->branch_iterations};
    /* What came later is left out at its default: results that are there keep their keys. */
    size_t left_out = o->branch_iterations != BRANCH_DEFAULT ? 0 : o->sample_iterations > 0 ? 1 : 2;
    w->key = w->keep.key = hash_bytes(all, sizeof all - left_out * sizeof *all);
    return st;
}

/* Whether the folder has this very result, whole. Collective. */
static bool is_done(const work *w) {
    int32_t done = 0;
    uint64_t want[2], have[2];
    char record[FILE_PATH], labels[FILE_PATH], centroids[FILE_PATH];
    if (word_choice(&w->option[RESUME]) == 0 && comm_root(w->c))
        done = out_path(w, record, "kmeans.json") == STATUS_OK &&
               out_path(w, labels, "labels.npy") == STATUS_OK &&
               out_path(w, centroids, "centroids.npy") == STATUS_OK &&
               kmeans_record_find(record, w->key, &want[0], &want[1]) && file_exists(labels) &&
               file_exists(centroids) && file_hash(labels, &have[0]) == STATUS_OK &&
               file_hash(centroids, &have[1]) == STATUS_OK && have[0] == want[0] &&
               have[1] == want[1];
    comm_max_i32(w->c, &done, 1);
    if (done) log_info(BASE ": already done for these rows and options: %s", w->out);
    return done;
}

/* *start: [K, D], owned by the caller; NULL: the run chooses. Collective. */
static status take_start(const work *w, float **start) {
    int d = (int)w->rows.m.d;
    *start = NULL;
    if (w->start == FIRST) return kmeans_rows_first(w->c, w->path, &w->rows, w->o.k, start);
    if (w->start >= 0) return STATUS_OK;
    return cluster_start_file(w->c, w->option[START].value, w->o.k, d, start);
}

/* kmeans_run's report; context: the work. Collective. */
static status after_iteration(void *context, const kmeans_iteration *it) {
    work *w = context;
    char note[64];
    log_detail(BASE
        ": restart %d, iteration %d: objective %.9g, %lld rows changed; %.3f s, %.0f %% "
        "of all products; %.3f s of processor time since the rows were there, %.3f s for labels",
        it->restart, it->iteration, it->objective, (long long)it->changed,
        it->assign_seconds + it->update_seconds, 100 * it->visited,
        timer_processor() - w->processor, it->assign_processor);
    snprintf(note, sizeof note, "objective %.6g", it->objective);
    progress_update(&w->bar, it->state->passes, note);
    return cluster_keep_iteration(&w->keep, it, STATUS_OK);
}

/* Labels, centroids, and the record of both. Collective. */
static status write_result(const work *w, const kmeans_result *r, int empty) {
    const kmeans_options *o = &w->o;
    const features *x = &w->rows.x;
    char labels[FILE_PATH], centroids[FILE_PATH], path[FILE_PATH];
    kmeans_record record = {.key = w->key,
        .input = w->path,
        .element = matrix_element_name(w->rows.m.element),
        .metric = w->option[METRIC].value,
        .start = w->option[START].value,
        .rows = w->rows.m.rows,
        .d = w->rows.m.d,
        .seed = (int64_t)o->seed,
        .k = o->k,
        .most_iterations = o->iterations,
        .restarts = o->restarts,
        .sample = o->sample,
        .sample_iterations = o->sample_iterations,
        .branch_iterations = o->branch_iterations,
        .objective = r->objective,
        .iterations = r->iterations,
        .empty = empty,
        .ranks = comm_size(w->c),
        .threads = o->threads};
    status st = out_path(w, labels, "labels.npy");
    if (st == STATUS_OK) st = out_path(w, centroids, "centroids.npy");
    if (st == STATUS_OK) st = out_path(w, path, "kmeans.json");
    st = comm_agree(w->c, st);
    if (st == STATUS_OK)
        st = npy_write_labels(w->c, labels, r->label, (int64_t)x->n, x->before, x->total);
    if (st == STATUS_OK && comm_root(w->c)) {
        st = npy_write(centroids, "<f4", r->centroids, (size_t)o->k, (size_t)x->d);
        if (st == STATUS_OK) st = file_hash(labels, &record.labels);
        if (st == STATUS_OK) st = file_hash(centroids, &record.centroids);
        record.seconds = timer_now() - w->began;
        if (st == STATUS_OK) st = kmeans_record_write(path, &record);
    }
    return comm_agree(w->c, st);
}

/* From the rows to the files. Collective. */
static status cluster(work *w) {
    kmeans_result r = {0};
    float *start = NULL;
    int empty = 0;
    int64_t distinct;
    status st = STATUS_OK;
    w->processor = timer_processor();
    if (word_choice(&w->option[RESUME]) == 0)
        st = cluster_keep_find(&w->keep, w->o.k, (int)w->rows.m.d);
    if (st == STATUS_OK && w->keep.resumed) w->o.resume = &w->keep.state;
    if (st == STATUS_OK && !w->keep.resumed)
        st = cluster_odd_rows(w->c, "rows", &w->rows.x, w->o.k, &distinct);
    if (st == STATUS_OK) st = take_start(w, &start);
    /* One more than iterations: the first pass is the start's. */
    w->bar = progress_begin(BASE, "passes", w->keep.resumed ? w->keep.state.passes : 0,
        (int64_t)w->o.restarts * (w->o.iterations + 1));
    if (st == STATUS_OK) st = kmeans_run(w->c, &w->o, &w->rows.x, start, after_iteration, w, &r);
    if (st == STATUS_OK)
        st = cluster_odd_labels(w->c, "rows", r.label, w->rows.x.n, w->o.k, &empty);
    if (st == STATUS_OK) st = write_result(w, &r, empty);
    if (st == STATUS_OK) {
        log_info(BASE ": objective %.9g after %d iterations, %.1f s: %s", r.objective, r.iterations,
            timer_now() - w->began, w->out);
        cluster_keep_forget(&w->keep);
    }
    memory_free(start);
    memory_free(r.centroids);
    memory_free(r.label);
    memory_free(r.distance);
    return st;
}

/* A file that cannot be read, fewer rows than clusters, or a start of another shape is a mistake of
 * the command line, told before a folder is made. Collective. */
static status look(const work *w, matrix_info *m) {
    status st = kmeans_rows_look(w->c, w->path, word_choice(&w->option[MEMORY]) == 1, m);
    if (st == STATUS_OK && m->rows < w->o.k) {
        if (comm_root(w->c))
            log_error("%s: %lld rows cannot make %d clusters", w->path, (long long)m->rows, w->o.k);
        st = STATUS_USAGE;
    }
    if (st == STATUS_OK && w->start < 0)
        st = cluster_start_look(w->c, w->option[START].value, w->o.k, (int)m->d);
    return st;
}

/* With the folder's lock. Collective. */
static status work_in_folder(work *w, const matrix_info *m) {
    const kmeans_rows_options take = {.map = word_choice(&w->option[MEMORY]) == 1,
        .cosine = w->o.cosine,
        .threads = w->o.threads};
    status st = kmeans_rows_take(w->c, w->path, m, &take, &w->rows);
    if (st != STATUS_OK) return st;
    log_info(BASE ": %s: %lld rows of %lld %s, %d clusters, %s; %d ranks x %d threads", w->path,
        (long long)w->rows.m.rows, (long long)w->rows.m.d, matrix_element_name(w->rows.m.element),
        w->o.k, w->option[METRIC].value, comm_size(w->c), w->o.threads);
    st = find_key(w);
    if (st == STATUS_OK && !is_done(w)) st = cluster(w);
    cluster_keep_end(&w->keep);
    kmeans_rows_destroy(&w->rows);
    return st;
}

/* Rank 0 names what is wrong with the first word: every rank reads the same. */
static status first_word(const comm *c, int argc, char **argv) {
    if (argc > 0 && argv[0][0] != '-') return STATUS_OK;
    if (comm_root(c)) log_error("a file of rows is missing (auxseg kmeans --help)");
    return STATUS_USAGE;
}

status command_kmeans(const comm *c, int argc, char **argv) {
    word_option o[OPTIONS] = {[K] = {"--k", NULL, NULL, true},
        [OUT] = {"--out", NULL, NULL, true},
        [METRIC] = {"--metric", cluster_metric_words, "euclidean", false},
        [ITERATIONS] = {"--iterations", NULL, "25", false},
        [RESTARTS] = {"--restarts", NULL, "1", false},
        [START] = {"--start", NULL, "plusplus", false},
        [SAMPLE] = {"--sample", NULL, "60000", false},
        [SAMPLE_ITERATIONS] = {"--sample-iterations", NULL, "0", false},
        [BRANCH_ITERATIONS] = {"--branch-iterations", NULL, "10", false},
        [SEED] = {"--seed", NULL, "1", false},
        [CHECKPOINT] = {"--checkpoint", NULL, "1", false},
        [RESUME] = {"--resume", resume_words, "auto", false},
        [MEMORY] = {"--memory", memory_words, "hold", false},
        [THREADS] = {"--threads", NULL, "0", false},
        [DTYPE] = {"--dtype", cluster_arithmetic_words, "auto", false},
        [SCREEN] = {"--screen", cluster_screen_words, "auto", false},
        [VERBOSE] = {"--verbose", word_no_yes, "no", false}};
    work w = {.c = c, .option = o, .began = timer_now()};
    matrix_info m;
    file_lock *lock = NULL;
    log_set_times(true);
    status st = first_word(c, argc, argv);
    if (st == STATUS_OK) st = word_options(c, o, OPTIONS, argc - 1, argv + 1);
    if (st != STATUS_OK) return st;
    w.path = argv[0];
    w.out = o[OUT].value;
    w.keep = (cluster_keep){.c = c, .name = BASE};
    log_set_verbose(word_choice(&o[VERBOSE]) == 1);
    st = read_numbers(&w);
    if (st == STATUS_OK) st = look(&w, &m);
    if (st == STATUS_OK) st = take_folder(&w, &lock);
    if (st == STATUS_OK) st = work_in_folder(&w, &m);
    file_lock_release(lock);
    if (st == STATUS_STOPPED) log_info(BASE ": stopped; the same command goes on");
    return st;
}
