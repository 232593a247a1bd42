/* A stage's place in run.json. The key is a hash of all that the result depends on; a stage whose
 * key is recorded, and whose file is there, is not done again. Later stages put the hash of what
 * they read into their own keys: a change passes on to all that follows. Rank 0 alone has the
 * record. So every decision that rests on it is made there and broadcast, and every collective
 * function that may fail there ends in comm_agree.
 *
 * What must not change: the order of the parts of a key and of what each of them hashes. Another
 * order makes every run that is there do all its stages anew. */
#include "src/app/stage/stage.h"

#include "io/weights/checkpoint.h"
#include "io/weights/weights_about.h"
#include "mpi/traffic.h"
#include "src/app/stage/binding.h"
#include "src/app/stage/output.h"
#include "src/app/stage/setup.h"
#include "src/app/stage/store.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* "cluster", "cluster-2": a name in run.json, metrics.csv and among the checkpoints. STAGE_NAME
 * bytes in text. Round 1 has the plain name, as its files do. */
static void stage_name(char *text, const char *base, int round) {
    if (round > 1)
        snprintf(text, STAGE_NAME, "%s-%d", base, round);
    else
        snprintf(text, STAGE_NAME, "%s", base);
}

/* stage_end may be called whatever this returns: members that were not reached are NULL. */
static status open_record(
    stage *t, const comm *c, const settings *s, stage_id id, const char *base, int round) {
    char path[FILE_PATH];
    *t = (stage){.c = c, .s = s, .id = id, .base = base, .round = round};
    stage_name(t->name, base, round);
    stage_clock(t);
    status st = setup_folder(c, s);
    if (st == STATUS_OK) st = binding_place(c, setup_threads(s), &t->place, &t->hosts);
    if (st == STATUS_OK) st = setup_path(path, s, "run.json", 1);
    if (st == STATUS_OK && comm_root(c)) {
        st = run_record_open(&t->record, path);
        if (st == STATUS_OK) st = run_record_begin(t->record, s, comm_size(c), setup_threads(s));
    }
    /* Rank 0 alone has the record: all others leave with it if it cannot be read. */
    return comm_agree(c, st);
}

/* What run.json says an earlier stage has written. The stage must be recorded under the key that
 * its entry itself has: what counts here is that it was finished, not for which settings. */
static bool recorded_output(const run_record *r, const char *name, uint64_t *hash) {
    stage_record found;
    phases spread;
    for (int i = 0; run_record_stage(r, i, &found, &spread); i++) {
        if (strcmp(found.name, name) != 0) continue;
        *hash = found.output_hash;
        return run_record_stage_done(r, name, found.key, NULL);
    }
    return false;
}

/* The data set is a part of every key: another one in its place would have every stage done anew,
 * without a word. Rank 0 alone knows what was packed. */
static status compare_dataset(const stage *t) {
    uint64_t packed;
    status st = STATUS_OK;
    if (recorded_output(t->record, stage_id_words[STAGE_PACK], &packed) &&
        packed != dataset_hash(t->d)) {
        log_error("%s/dataset.h5: not what run.json has recorded: `auxseg pack` packs it anew",
            t->s->run.dir);
        st = STATUS_OUTPUT;
    }
    return comm_agree(t->c, st);
}

status stage_begin_bare(stage *t, const comm *c, const settings *s, stage_id id) {
    return open_record(t, c, s, id, stage_id_words[id], 1);
}

status stage_begin(stage *t, const comm *c, const settings *s, stage_id id, int round) {
    return stage_begin_as(t, c, s, id, stage_id_words[id], round);
}

status stage_begin_as(
    stage *t, const comm *c, const settings *s, stage_id id, const char *base, int round) {
    status st = open_record(t, c, s, id, base, round);
    if (st == STATUS_OK) arithmetic_find(&t->how, c, s, t->record);
    if (st == STATUS_OK) st = setup_dataset(c, s, &t->d);
    return st == STATUS_OK ? compare_dataset(t) : st;
}

void stage_end(stage *t) {
    store_leave(t);
    dataset_close(t->d);
    run_record_close(t->record);
    memory_free(t->hosts);
    t->d = NULL;
    t->record = NULL;
    t->hosts = NULL;
}

void stage_clock(stage *t) {
    t->time = (timers){0};
    t->sent = traffic_sent();
    t->began = timer_now();
    run_record_time(t->started);
    memory_span_begin();
}

/* hosts stays with the whole, which frees it; the part borrows it by its place. */
stage stage_within(const stage *whole, stage_id id, uint64_t key) {
    stage part = *whole;
    part.key = key;
    part.hosts = NULL;
    part.hold = NULL;
    if (id != whole->id) {
        part.id = id;
        part.base = stage_id_words[id];
        part.within = whole->name;
        stage_name(part.name, part.base, whole->round);
    }
    stage_clock(&part);
    return part;
}

/* A file of this run's folder that a stage has made, and that is another one now: whatever is made
 * of it would stand under the old name. hash: of the file. Rank 0. */
status stage_file_same(const stage *t, const char *file, uint64_t hash) {
    char own[FILE_PATH];
    const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
    uint64_t want;
    if (!run_record_get_file(t->record, name, &want) || want == hash) return STATUS_OK;
    status st = file_path(own, t->s->run.dir, name);
    if (st != STATUS_OK || !file_same(own, file)) return st;
    const char *maker = output_maker(t->record, name);
    log_error(
        "%s: not what run.json has recorded: it was changed or replaced. `auxseg %s` makes it "
        "anew; weights of one's own go under another name",
        file, maker ? maker : "run");
    return STATUS_OUTPUT;
}

/* One rank hashes the file: it may be large, and all ranks would read it at once. groups names the
 * settings that count; of networks the arithmetic does, too, whoever chose its type: which kernels
 * multiply is a matter of the processors in any case. It is kept from here on, before anything is
 * computed in it. */
status stage_key(stage *t, const char *file, uint64_t input) {
    const char *groups = stage_about(t->id)->groups;
    uint64_t part[4] = {dataset_hash(t->d), settings_hash(t->s, groups), input, 0};
    /* Groups are words between commas, and no other group's name contains this one. */
    bool networks = strstr(groups, "model");
    if (networks) part[1] = arithmetic_hash(part[1], &t->how);
    bool reads = file && file[0] && comm_root(t->c);
    status st = reads && networks ? weights_look(file) : STATUS_OK;
    if (st == STATUS_OK && reads) st = file_hash(file, &part[3]);
    if (st == STATUS_OK && reads) st = stage_file_same(t, file, part[3]);
    if (st == STATUS_OK && networks) st = arithmetic_keep(&t->how, t->s, t->record);
    st = comm_agree(t->c, st);
    comm_broadcast(t->c, part, sizeof part);
    t->key = hash_bytes(part, sizeof part);
    return st;
}

/* The output itself is compared, too, whether this stage is done or not: a stage is not skipped on
 * top of a file that is damaged. Without the earlier output's hash there is no key, and without a
 * key nothing is known to be done.
 */
status stage_input(stage *t, stage_id from, uint64_t *hash) {
    const char *base = stage_id_words[from];
    char name[STAGE_NAME];
    stage_name(name, base, t->round);
    status st = STATUS_OK;
    if (t->record && !recorded_output(t->record, name, hash)) {
        log_error("%s needs the output of \"%s\", which run.json has no record of: run `auxseg %s` "
                  "first",
            t->name, name, base);
        st = STATUS_USAGE;
    } else if (t->record) {
        st = output_left(t->record, t->s->run.dir, name);
        if (st == STATUS_OUTPUT)
            log_error("%s: the output of \"%s\" is damaged: `auxseg %s` makes it anew", t->name,
                name, base);
    }
    comm_broadcast(t->c, hash, sizeof *hash);
    return comm_agree(t->c, st);
}

/* Those of a stage that was killed after its result was recorded and before they were removed. */
static void clear_checkpoints(const stage *t) {
    char folder[FILE_PATH];
    if (setup_path(folder, t->s, "checkpoints", 1) == STATUS_OK)
        checkpoint_clear(t->c, folder, t->name, t->checkpoint_key ? t->checkpoint_key : t->key);
}

/* Whether the file of a stage that is done can still be read, if it has one. Rank 0. Only rank 0
 * looks: a file that is whole for one is taken to be so for all. */
static status has_output(const stage *t, int32_t *has) {
    status st = output_left(t->record, t->s->run.dir, t->name);
    *has = st == STATUS_OK;
    if (st != STATUS_OUTPUT) return st;
    log_warn("%s: its file is damaged and made anew", t->name);
    return STATUS_OK;
}

/* A folder that is used for two configurations keeps the later one's results alone. Rank 0. */
static void tell_replaced(const stage *t) {
    stage_record before;
    for (int i = 0; t->record && run_record_stage(t->record, i, &before, NULL); i++)
        if (strcmp(before.name, t->name) == 0 && before.key != t->key)
            log_info("%s: what %s has of it is of other inputs or settings, and is replaced",
                t->name, t->s->run.dir);
}

/* What is recorded is believed only as far as the file is there and can be read. */
status stage_done(stage *t, bool *done) {
    int32_t found = 0;
    status st = STATUS_OK;
    *done = false;
    if (t->s->run.resume == RUN_RESUME_AUTO && t->record &&
        run_record_stage_done(t->record, t->name, t->key, NULL))
        st = has_output(t, &found);
    if (st == STATUS_OK && found)
        log_info("%s: already done for these inputs and settings", t->name);
    else if (st == STATUS_OK)
        found = store_take(t);
    if (st == STATUS_OK && !found) tell_replaced(t);
    st = comm_agree(t->c, st);
    comm_broadcast(t->c, &found, sizeof found);
    if (st != STATUS_OK) return st;
    *done = found;
    if (found) clear_checkpoints(t);
    return STATUS_OK;
}

/* Collective: times and memory are combined over ranks before rank 0 writes. A figure of merit that
 * is NAN is left out. */
status stage_finish(stage *t, const stage_result *r) {
    phases spread;
    const double mib = 1 << 20;
    double sent = traffic_sent() - t->sent;
    phases_combine(t->c, &t->time, &spread);
    phase_spread peak = phases_spread(t->c, (double)memory_span_peak() / mib);
    sent = phases_spread(t->c, sent).mean * comm_size(t->c);
    /* A run's folder may be moved: outputs are recorded relative to it. */
    const char *slash = r->output ? strrchr(r->output, '/') : NULL;
    stage_record record = {.name = t->name,
        .key = t->key,
        .output = slash ? slash + 1 : r->output,
        .output_hash = r->hash,
        .within = t->within,
        .started = t->started,
        .seconds = timer_now() - t->began,
        .place = t->place,
        .phases = &spread,
        .peak_memory = peak.min > 0 ? peak.max : NAN,
        .peak_rank = peak.slowest,
        .bytes_sent = sent,
        .rows = r->rows,
        .fom = r->fom,
        .fom_unit = r->unit};
    status st = STATUS_OK;
    /* The file is complete by now: a kill before the record is saved repeats the stage. */
    if (t->record) st = run_record_set_stage(t->record, &record);
    if (r->output && st == STATUS_OK) st = output_record(t->record, r->output);
    if (t->record && st == STATUS_OK)
        st = run_record_set_stage_settings(t->record, t->name, t->s, stage_about(t->id)->groups);
    if (t->record && st == STATUS_OK) st = run_record_save(t->record);
    if (st == STATUS_OK) store_give(t);
    if (r->unit && !isnan(r->fom))
        log_info("Figure of Merit (FOM): %.4g %s, %s", r->fom, r->unit, t->name);
    return comm_agree(t->c, st);
}

bool stage_take(stage *t) {
    int32_t taken = store_take(t);
    comm_broadcast(t->c, &taken, sizeof taken);
    return taken;
}

status stage_figure(stage *t, const char *group, const char *name, double figure) {
    return t->record ? run_record_set_result(t->record, group, name, figure) : STATUS_OK;
}

status stage_images(stage *t, const image_input *input) {
    char text[IMAGE_INPUT_TEXT];
    image_input_text(input, text);
    return t->record ? run_record_set_input(t->record, t->name, text) : STATUS_OK;
}

status stage_path(const stage *t, char *path, const char *name) {
    return comm_agree(t->c, setup_path(path, t->s, name, t->round));
}

/* The texts are the data set's own; only the list is the caller's. */
const char **stage_names(const stage *t) {
    int n = setup_training(t->d);
    const char **names = memory_alloc((size_t)n, sizeof *names, "image names");
    if (comm_agree(t->c, names ? STATUS_OK : STATUS_FAILED) != STATUS_OK) {
        memory_free(names);
        return NULL;
    }
    for (int i = 0; i < n; i++) names[i] = dataset_get(t->d, i).name;
    return names;
}
