/* A measurement is a stage done by its own command in a folder made for it. What is kept of it is
 * that folder's run.json, which has the phases over ranks, bytes, memory and hashes, and beside
 * them the figures that only a study needs: what one unit took. It is known again by the study's
 * key, so that an interrupted study goes on with what is missing; another program, or other
 * settings, make everything anew.
 *
 * What a unit's time is: of training a step, as metrics.csv has it after the untimed ones (the
 * median of all, its least and its most); of the clustering all iterations; of the extraction the
 * phases of the rank that took longest in each, as no rank waits for another there. */
#include "src/app/study/study_measure.h"

#include "io/files/metrics.h"
#include "io/hdf5/features.h"
#include "src/app/study/study_base.h"
#include "src/app/stage/child_process.h"
#include "src/app/study/study_line.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/median.h"
#include "src/base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *study_measure_fom_unit(stage_id stage) {
    return stage == STAGE_CLUSTER ? "pixel iterations/s" : "images/s";
}

const char *study_measure_unit(stage_id stage) {
    return stage == STAGE_EXTRACT   ? "an extraction"
           : stage == STAGE_CLUSTER ? "a clustering"
                                    : "a step";
}

/* The file of weights by what it holds; none: nothing. */
static status add_weights(uint64_t *key, const char *path) {
    uint64_t hash = 0;
    status st = path[0] ? file_hash(path, &hash) : STATUS_OK;
    *key = hash_append(*key, &hash, sizeof hash);
    return st;
}

/* The launcher's words: what another one starts is bound to other cores, or another MPI's. Blanks
 * between them do not count; none: mpirun. */
static uint64_t add_launch(uint64_t key, const char *text) {
    if (text) key = hash_append(key, "--launch", sizeof "--launch");
    while (text && *text) {
        size_t blank = strspn(text, " \t"), length = strcspn(text + blank, " \t");
        if (length > 0) key = hash_append(hash_append(key, " ", 1), text + blank, length);
        text += blank + length;
    }
    return key;
}

/* Paths count as texts, with run.dir among them; weights by what they hold. The host does not
 * count: jobs of one study run on several (study_rows.c tells where they are of two kinds). */
status study_measure_key(study_plan *p) {
    char *text = NULL;
    size_t bytes = 0;
    const int64_t work[] = {p->steps, p->untimed, p->weak};
    status st = file_hash("/proc/self/exe", &p->key);
    FILE *f = open_memstream(&text, &bytes);
    if (st != STATUS_OK || !f) return st == STATUS_OK ? STATUS_FAILED : st;
    settings_write(p->s, f, false);
    if (fclose(f) != 0) st = STATUS_FAILED;
    if (st == STATUS_OK) p->key = hash_append(p->key, text, bytes);
    free(text);
    p->key = add_launch(hash_append(p->key, work, sizeof work), p->launch);
    if (st == STATUS_OK) st = add_weights(&p->key, p->s->model.weights);
    if (st == STATUS_OK) st = add_weights(&p->key, p->s->extract.weights);
    return st;
}

/* path [FILE_PATH]: "measurements/pretrain-2x1-3.json". */
static status file_of(
    const study_plan *p, study_point at, const char *what, int64_t repeat, char *path) {
    char name[128];
    snprintf(name, sizeof name, "measurements/%s-%dx%d-%lld.json", what, at.ranks, at.threads,
        (long long)repeat + 1);
    return file_path(path, p->out, name);
}

/* The record of this name, if it is of this study: closed by the caller. A damaged one is told and
 * made anew. */
static run_record *find_record(
    const study_plan *p, study_point at, const char *what, int64_t repeat) {
    char path[FILE_PATH];
    run_record *r = NULL;
    uint64_t key;
    if (file_of(p, at, what, repeat, path) != STATUS_OK || !file_exists(path)) return NULL;
    if (run_record_look(&r, path) != STATUS_OK || !r) return NULL;
    if (run_record_get_hash(r, "study", &key) && key == p->key) return r;
    run_record_close(r);
    return NULL;
}

/* Median, least and most of the steps that are timed. */
static status time_steps(const study_plan *p, const metrics_row *row, int rows, const char *stage,
    study_measurement *m) {
    double *seconds = memory_alloc((size_t)rows + 1, sizeof *seconds, "times of steps");
    int n = 0;
    if (!seconds) return STATUS_FAILED;
    for (int i = 0; i < rows; i++) {
        if (strcmp(row[i].stage, stage) != 0 || row[i].step <= p->untimed) continue;
        seconds[n++] = row[i].seconds;
        m->loss = row[i].loss;
    }
    if (n > 0) {
        m->median = median_sort(seconds, n);
        m->least = seconds[0];
        m->most = seconds[n - 1];
    }
    memory_free(seconds);
    if (n > 0) return STATUS_OK;
    log_error("study: no step of %s is in metrics.csv", stage);
    return STATUS_FAILED;
}

/* Passes over all rows in the seconds of all iterations, as the stage itself counts them. Their
 * start (k-means++) is in the stage's seconds alone. */
static status time_clustering(
    const metrics_row *row, int rows, const char *stage, double fom, study_measurement *m) {
    double sum = 0;
    int n = 0;
    for (int i = 0; i < rows; i++) {
        if (strcmp(row[i].stage, stage) != 0) continue;
        sum += row[i].seconds;
        m->loss = row[i].objective;
        n++;
    }
    m->median = m->least = m->most = sum;
    m->work = fom * sum;
    if (n > 0) return STATUS_OK;
    log_error("study: no iteration of %s is in metrics.csv", stage);
    return STATUS_FAILED;
}

/* The sum over phases of the slowest rank: setting up the network, which all ranks do alike and
 * once, is no phase. */
static status time_extraction(const char *work, study_measurement *m) {
    char path[FILE_PATH];
    features_info info;
    double sum = 0;
    status st = file_path(path, work, "features.h5");
    if (st == STATUS_OK) st = features_about(path, &info);
    if (st != STATUS_OK) return st;
    for (int i = 0; i < PHASE_COUNT; i++) sum += m->spread.phase[i].max;
    m->median = m->least = m->most = sum;
    m->work = (double)info.images;
    m->hash = info.checksum;
    return STATUS_OK;
}

/* The entry of a stage; its phases into *spread. */
static bool find_stage(const run_record *r, const char *name, stage_record *out, phases *spread) {
    for (int i = 0; run_record_stage(r, i, out, spread); i++)
        if (strcmp(out->name, name) == 0 && out->phases) return true;
    log_error("study: %s is not in run.json", name);
    return false;
}

/* What only this moment knows, of the files in the work folder. */
static status time_stage(const study_plan *p, study_point at, stage_id stage, const char *work,
    const run_record *r, study_measurement *m) {
    char path[FILE_PATH];
    const char *name = stage_id_words[stage];
    stage_record entry;
    metrics_row *row = NULL;
    int rows = 0;
    *m = (study_measurement){.loss = NAN};
    if (!find_stage(r, name, &entry, &m->spread)) return STATUS_FAILED;
    m->hash = entry.output_hash;
    if (stage == STAGE_EXTRACT) return time_extraction(work, m);
    status st = file_path(path, work, "metrics.csv");
    if (st == STATUS_OK) st = metrics_read(path, &row, &rows);
    if (st == STATUS_OK && stage == STAGE_CLUSTER)
        st = time_clustering(row, rows, name, entry.fom, m);
    else if (st == STATUS_OK)
        st = time_steps(p, row, rows, name, m);
    /* What the trainer counts as images: each gives two views in pretraining. */
    if (stage >= STAGE_PRETRAIN)
        m->work = (double)study_batch(p, stage, at.ranks) * (stage == STAGE_PRETRAIN ? 2 : 1);
    memory_free(row);
    return st;
}

/* Moves the record to its place, with the figures and the key in it: from then on it is done. */
static status keep(const study_plan *p, run_record *r, const char *from, const char *to,
    const study_measurement *m) {
    const struct {
        const char *name;
        double value;
    } figure[] = {{"median", m->median}, {"least", m->least}, {"most", m->most}, {"work", m->work},
        {"loss", m->loss}, {"processors", child_process_processors()}};
    status st = STATUS_OK;
    for (size_t i = 0; i < sizeof figure / sizeof *figure && st == STATUS_OK; i++)
        st = run_record_set_result(r, "study", figure[i].name, figure[i].value);
    if (st == STATUS_OK) st = run_record_set_hash(r, "study result", m->hash);
    if (st == STATUS_OK) st = run_record_set_hash(r, "study", p->key);
    if (st == STATUS_OK) st = run_record_save(r);
    return st == STATUS_OK ? file_publish(from, to) : st;
}

/* What a finished child has left in its folder becomes a measurement. */
static status keep_stage(
    const study_plan *p, study_point at, stage_id stage, int64_t repeat, const char *work) {
    char from[FILE_PATH], to[FILE_PATH], name[STUDY_NAME];
    study_measurement m;
    run_record *r = NULL;
    status st = file_path(from, work, "run.json");
    if (st == STATUS_OK) st = file_of(p, at, stage_id_words[stage], repeat, to);
    if (st == STATUS_OK) st = run_record_open(&r, from);
    if (st == STATUS_OK) st = time_stage(p, at, stage, work, r, &m);
    if (st == STATUS_OK) st = keep(p, r, from, to, &m);
    run_record_close(r);
    study_point_name(at, name);
    if (st == STATUS_OK)
        log_info("study: %s, %s, %lld of %lld: %.4g s %s, %.4g %s", stage_id_words[stage], name,
            (long long)repeat + 1, (long long)p->repeats, m.median, study_measure_unit(stage),
            m.work / m.median, study_measure_fom_unit(stage));
    return st;
}

/* A child whose output goes to logs/WHAT-RxT-K.log. */
/* The file is anew each time: of a measurement that was repeated the last start's. */
static status run_child(const study_plan *p, study_point at, study_line *l, const char *what,
    int64_t repeat, char *log) {
    char name[128];
    snprintf(name, sizeof name, "logs/%s-%dx%d-%lld.log", what, at.ranks, at.threads,
        (long long)repeat + 1);
    status st = file_path(log, p->out, name);
    if (st != STATUS_OK) return st;
    const child_process c = {
        "study", l->word, log, p->launch ? 0 : study_point_cores(at), at.threads};
    if (!l->full) return child_process_run(&c);
    log_error("study: the command line is too long");
    return STATUS_USAGE;
}

/* Nothing where it is measured already. The work folder goes in any case, its results with it:
 * their hash is what is kept of them. */
static status measure_stage(
    const study_plan *p, study_point at, stage_id stage, int64_t repeat, study_line *l) {
    char work[FILE_PATH] = "", log[FILE_PATH];
    run_record *done = find_record(p, at, stage_id_words[stage], repeat);
    run_record_close(done);
    if (done) return STATUS_OK;
    status st = study_base_open(p, at, stage, work);
    if (st == STATUS_OK) {
        study_line_begin(l, p, at, stage_id_words[stage]);
        study_line_settings(l, p, at, work);
        st = run_child(p, at, l, stage_id_words[stage], repeat, log);
    }
    if (st == STATUS_OK) st = keep_stage(p, at, stage, repeat, work);
    if (work[0]) study_base_close(work);
    return st;
}

/* The number behind "key": in bench's line of JSON. NAN: it is not there. */
static double figure_of(const char *text, const char *key) {
    const char *at = strstr(text, key);
    return at ? strtod(at + strlen(key), NULL) : NAN;
}

/* The one line that `bench roof` prints, in its log. */
static status keep_roof(const study_plan *p, const char *log, const char *path) {
    void *text = NULL;
    size_t bytes;
    run_record *r = NULL;
    status st = file_read(log, 1 << 20, &text, &bytes);
    if (st != STATUS_OK) return st;
    const study_measurement m = {.median = figure_of(text, "\"fp32_gflops\": "),
        .least = figure_of(text, "\"bf16_gflops\": "),
        .most = figure_of(text, "\"read_gbps\": ")};
    memory_free(text);
    if (!isfinite(m.median) || !isfinite(m.least) || !isfinite(m.most)) {
        log_error("study: %s: no line of bench roof", log);
        return STATUS_FAILED;
    }
    remove(path); /* one of another key: opening would go on with it */
    st = run_record_open(&r, path);
    const char *name[] = {"fp32", "bf16", "read"};
    const double value[] = {m.median, m.least, m.most};
    for (int i = 0; i < 3 && st == STATUS_OK; i++)
        st = run_record_set_result(r, "roof", name[i], value[i]);
    if (st == STATUS_OK) st = run_record_set_hash(r, "study", p->key);
    if (st == STATUS_OK) st = run_record_save(r);
    run_record_close(r);
    return st;
}

/* In the same minutes as the stages, and on as many cores at once. */
static status measure_roof(const study_plan *p, study_point at, int64_t repeat, study_line *l) {
    char path[FILE_PATH], log[FILE_PATH];
    study_roof there;
    if (study_measure_find_roof(p, at, repeat, &there)) return STATUS_OK;
    status st = file_of(p, at, "roof", repeat, path);
    if (st != STATUS_OK) return st;
    study_line_begin(l, p, at, "bench");
    study_line_add(l, "roof");
    study_line_add(l, "--threads");
    study_line_add(l, "%d", at.threads);
    st = run_child(p, at, l, "roof", repeat, log);
    return st == STATUS_OK ? keep_roof(p, log, path) : st;
}

/* One command line for all children of the point: it is large, and made anew for each. */
status study_measure_point(const study_plan *p, study_point at, int64_t repeat) {
    char folder[FILE_PATH];
    study_line *l = memory_alloc(1, sizeof *l, "command line");
    status st = l ? file_path(folder, p->out, "measurements") : STATUS_FAILED;
    if (st == STATUS_OK) st = file_make_folder(folder);
    if (st == STATUS_OK) st = file_path(folder, p->out, "logs");
    if (st == STATUS_OK) st = file_make_folder(folder);
    if (st == STATUS_OK) st = measure_roof(p, at, repeat, l);
    for (int i = 0; i < p->stages && st == STATUS_OK; i++)
        st = measure_stage(p, at, p->stage[i], repeat, l);
    memory_free(l);
    return st;
}

/* A fact of the machine that measured, into text [size]. */
static void copy_fact(const run_record *r, const char *wanted, char *text, size_t size) {
    const char *key, *value;
    text[0] = '\0';
    for (int i = 0; run_record_fact(r, "machine", i, &key, &value); i++)
        if (strcmp(key, wanted) == 0) snprintf(text, size, "%s", value);
}

/* All of it from one file, closed again: nothing is borrowed from the record. */
bool study_measure_find(
    const study_plan *p, study_point at, stage_id stage, int64_t repeat, study_measurement *out) {
    stage_record entry;
    run_record *r = find_record(p, at, stage_id_words[stage], repeat);
    study_measurement m = {0};
    bool found = r && find_stage(r, stage_id_words[stage], &entry, &m.spread) &&
                 run_record_get_hash(r, "study result", &m.hash);
    if (found) {
        m.median = run_record_get_result(r, "study", "median");
        m.least = run_record_get_result(r, "study", "least");
        m.most = run_record_get_result(r, "study", "most");
        m.work = run_record_get_result(r, "study", "work");
        m.loss = run_record_get_result(r, "study", "loss");
        double processors = run_record_get_result(r, "study", "processors");
        m.processors = isnan(processors) ? 0 : (int)processors;
        m.seconds = entry.seconds;
        m.sent = entry.bytes_sent;
        m.peak = entry.peak_memory;
        m.nodes = entry.place.nodes;
        copy_fact(r, "host", m.host, sizeof m.host);
        copy_fact(r, "auxseg", m.version, sizeof m.version);
        copy_fact(r, "processor", m.processor, sizeof m.processor);
        const char *type = run_record_get_arithmetic(r, "type");
        snprintf(m.arithmetic, sizeof m.arithmetic, "%s", type ? type : "");
        *out = m;
    }
    run_record_close(r);
    return found;
}

bool study_measure_find_roof(const study_plan *p, study_point at, int64_t repeat, study_roof *out) {
    run_record *r = find_record(p, at, "roof", repeat);
    if (!r) return false;
    *out = (study_roof){run_record_get_result(r, "roof", "fp32"),
        run_record_get_result(r, "roof", "bf16"), run_record_get_result(r, "roof", "read")};
    run_record_close(r);
    return true;
}
