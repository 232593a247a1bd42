/* Packing, once for a data set and settings. What is listed is hashed with sizes and times of the
 * files, so that nothing is read where nothing has changed. The record in run.json is the same as
 * that of other stages, made here by hand; what they do with stage_begin, stage_done and
 * stage_finish is pack_begin, pack_done and pack_record. */
#include "src/app/tools/pack.h"

#include "io/dataset/dataset.h"
#include "io/dataset/layout_share.h"
#include "io/files/run_record.h"
#include "src/app/stage/binding.h"
#include "src/app/stage/output.h"
#include "src/app/stage/setup.h"
#include "src/app/stage/stage_list.h"
#include "src/app/tools/synth.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/timer.h"

#include <math.h>
#include <string.h>

/* Packing cannot be a stage like the others: they begin with the data set that it makes. hosts is
 * borrowed by place. */
typedef struct pack_stage {
    char path[FILE_PATH], record_path[FILE_PATH];
    run_record *record; /* rank 0's */
    uint64_t key;
    run_place place;
    char *hosts, started[RUN_RECORD_TIME];
    double began;
    timers time;
} pack_stage;

/* The key: settings of the data set, and what the files look like from outside. The built-in data
 * set is made first, since the stamp looks at its files. The clock runs from here: looking at
 * thousands of files is a part of packing. Rank 0 alone opens the record; others leave with it if
 * it cannot be read. */
static status pack_begin(pack_stage *p, const comm *c, const settings *s) {
    uint64_t part[2] = {settings_hash(s, stage_about(STAGE_PACK)->groups), 0};
    p->began = timer_now();
    run_record_time(p->started);
    memory_span_begin();
    bool synth = s->dataset.layout == DATASET_LAYOUT_SYNTH;
    status st = binding_place(c, setup_threads(s), &p->place, &p->hosts);
    if (st == STATUS_OK) st = setup_path(p->path, s, "dataset.h5", 1);
    if (st == STATUS_OK) st = setup_path(p->record_path, s, "run.json", 1);
    if (st == STATUS_OK && synth && comm_root(c)) st = synth_write(s);
    st = comm_agree(c, st);
    if (st == STATUS_OK) st = layout_stamp(c, s, &part[1]);
    p->key = hash_bytes(part, sizeof part);
    if (st == STATUS_OK && comm_root(c)) {
        st = run_record_open(&p->record, p->record_path);
        if (st == STATUS_OK) st = run_record_begin(p->record, s, comm_size(c), setup_threads(s));
    }
    return comm_agree(c, st);
}

/* Whether run.json and the file itself say so. The same on every rank. The file is opened and
 * compared with its recorded hash: that it was written once does not tell that it is whole now. */
static bool pack_done(const pack_stage *p, const comm *c, const settings *s) {
    uint64_t hash;
    int32_t done = s->run.resume == RUN_RESUME_AUTO && p->record &&
                   run_record_stage_done(p->record, "pack", p->key, &hash);
    if (done && !output_whole(p->path, hash)) {
        log_warn("pack: %s is damaged: packed anew", p->path);
        done = 0;
    }
    comm_broadcast(c, &done, sizeof done);
    if (done) log_info("pack: already done for these inputs and settings");
    return done;
}

/* The file is opened once more, as a stage will: what run.json says of it is what was read. A kill
 * between the file and this record repeats the packing, and no more. */
static status pack_record(const pack_stage *p, const comm *c) {
    dataset *d = NULL;
    const double mib = 1 << 20;
    double seconds = timer_now() - p->began;
    phases spread;
    phases_combine(c, &p->time, &spread);
    phase_spread peak = phases_spread(c, (double)memory_span_peak() / mib);
    status st = dataset_open(c, p->path, &d);
    if (st != STATUS_OK) return st;
    stage_record r = {.name = stage_id_words[STAGE_PACK],
        .key = p->key,
        .output = "dataset.h5",
        .output_hash = dataset_hash(d),
        .started = p->started,
        .seconds = seconds,
        .place = p->place,
        .phases = &spread,
        /* 0 on a rank: its system does not tell, so the largest would not be that of all. */
        .peak_memory = peak.min > 0 ? peak.max : NAN,
        .peak_rank = peak.slowest,
        .fom = dataset_count(d) / seconds,
        .fom_unit = "images/s"};
    log_info("Figure of Merit (FOM): %.4g %s, pack", r.fom, r.fom_unit);
    if (p->record) st = run_record_set_stage(p->record, &r);
    if (p->record && st == STATUS_OK) st = run_record_save(p->record);
    dataset_close(d);
    return comm_agree(c, st);
}

/* Collective. The folder comes first, as run.json is in it. */
status command_pack(const comm *c, const settings *s) {
    pack_stage p = {0};
    status st = setup_folder(c, s);
    if (st == STATUS_OK) st = pack_begin(&p, c, s);
    if (st == STATUS_OK && !pack_done(&p, c, s)) {
        st = dataset_pack(c, s, p.path, &p.time);
        if (st == STATUS_OK) st = pack_record(&p, c);
    }
    run_record_close(p.record);
    memory_free(p.hosts);
    return st;
}
