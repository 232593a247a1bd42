/* Packing, once for a data set and settings. What is listed is hashed with sizes and times of the
 * files, so that nothing is read where nothing has changed. It has the frame of every stage but for
 * its beginning: the others begin with the data set that this one makes. */
#include "src/app/tools/pack.h"

#include "io/dataset/dataset.h"
#include "src/app/stage/prediction_names.h"
#include "src/app/stage/setup.h"
#include "src/app/stage/stage.h"
#include "src/app/tools/packed.h"
#include "src/app/tools/synth_make.h"
#include "src/base/log.h"
#include "src/base/memory.h"

/* Rank 0. The built-in data set is made first, and kept for this job until it is packed, since the
 * stamp looks at its files. Where the images are gone the key is that of the packing with these
 * settings, if there is one. */
static status find_key(stage *t, uint64_t *stamp, file_lock **scenes) {
    const settings *s = t->s;
    bool gone = false;
    status st = synth_make(scenes, s);
    if (st == STATUS_OK) st = packed_sources(s, stamp, &gone);
    t->key = packed_key(s, *stamp);
    if (st != STATUS_OK || !gone || s->run.resume != RUN_RESUME_AUTO) return st;
    if (packed_before(t->record, s, &t->key))
        log_warn(
            "pack: no image is left below dataset.root = \"%s\": %s/dataset.h5, packed with the "
            "same settings, is used",
            s->dataset.root, s->run.dir);
    return STATUS_OK;
}

/* The key: settings of the data set, and what the files look like from outside. Looking at
 * thousands of files is a part of packing, and of its time. */
static status pack_key(stage *t, uint64_t *stamp, file_lock **scenes) {
    status st = comm_agree(t->c, comm_root(t->c) ? find_key(t, stamp, scenes) : STATUS_OK);
    comm_broadcast(t->c, &t->key, sizeof t->key);
    return st;
}

/* Of each split by itself, as `predict` names them. */
static status check_names(const dataset *d) {
    const char **name = memory_alloc((size_t)dataset_count(d), sizeof *name, "names of images");
    status st = name ? STATUS_OK : STATUS_FAILED;
    for (int which = 0; st == STATUS_OK && which < SPLIT_COUNT; which++) {
        int count = 0;
        for (int i = 0; i < dataset_count(d); i++)
            if (dataset_get(d, i).split == (split)which) name[count++] = dataset_get(d, i).name;
        st = prediction_names_warn(name, count);
    }
    memory_free(name);
    return st;
}

/* The file is opened once more, as a stage will: what run.json says of it is what was read. A kill
 * between the file and this record repeats the packing, and no more. */
static status pack_record(stage *t, const char *path, uint64_t stamp) {
    double seconds = timer_now() - t->began;
    status st = dataset_open(t->c, path, &t->d);
    if (st == STATUS_OK) st = comm_agree(t->c, comm_root(t->c) ? check_names(t->d) : STATUS_OK);
    if (st == STATUS_OK && t->record) st = packed_keep(t->record, stamp);
    st = comm_agree(t->c, st);
    if (st != STATUS_OK) return st;
    stage_result r = {path, dataset_hash(t->d), dataset_count(t->d) / seconds, "images/s", 0};
    return stage_finish(t, &r);
}

status command_pack(const comm *c, const settings *s) {
    char path[FILE_PATH], kept[FILE_PATH];
    uint64_t stamp = 0;
    file_lock *scenes = NULL;
    stage t;
    bool done = false, go_on = s->run.resume == RUN_RESUME_AUTO;
    status st = stage_begin_bare(&t, c, s, STAGE_PACK);
    if (st == STATUS_OK) st = stage_path(&t, path, "dataset.h5");
    if (st == STATUS_OK) st = stage_path(&t, kept, "checkpoints");
    if (st == STATUS_OK) st = pack_key(&t, &stamp, &scenes);
    if (st == STATUS_OK) st = stage_done(&t, &done);
    if (st == STATUS_OK && !done) {
        const pack_keep keep = {kept, t.key};
        st = dataset_pack(c, s, path, go_on ? &keep : NULL, &t.time);
        if (st == STATUS_OK) st = pack_record(&t, path, stamp);
    }
    file_lock_release(scenes);
    stage_end(&t);
    return st;
}
