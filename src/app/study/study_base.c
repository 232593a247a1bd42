/* Every measurement of a stage begins with the same files: those of a run of the study's own, the
 * base, which goes up to the stage before the last one that is measured. A measurement works in a
 * folder of its own, where the base's files are linked, and where run.json does not know of the
 * stage: so the stage is done by the very command that users start, and done anew each time.
 *
 * The base is a run like any other: started again it goes on, or finds that all is done. */
#include "src/app/study/study_base.h"

#include "io/files/run_record.h"
#include "src/app/stage/child_process.h"
#include "src/app/stage/setup.h"
#include "src/app/stage/stage_list.h"
#include "src/app/study/study_line.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a stage reads, beside what all read. The other stages' files are left out: a features.h5
 * would be taken for the extraction's result. */
static const struct {
    stage_id stage;
    stage_id before; /* the base's last stage, where this is the last one measured */
    const char *file[3];
} inputs[] = {
    {STAGE_EXTRACT, STAGE_BASELINE, {"dataset.h5", "baseline.safetensors"}},
    {STAGE_CLUSTER, STAGE_EXTRACT, {"dataset.h5", "baseline.safetensors", "features.h5"}},
    {STAGE_PRETRAIN, STAGE_CLUSTER, {"dataset.h5", "labels.h5"}},
    {STAGE_FINETUNE, STAGE_PRETRAIN, {"dataset.h5", "labels.h5", "pretrained.safetensors"}},
};
enum { INPUTS = sizeof inputs / sizeof *inputs };

bool study_base_grows(const study_plan *p) {
    return p->weak && p->s->dataset.layout == DATASET_LAYOUT_SYNTH;
}

status study_base_path(const study_plan *p, int ranks, char *path) {
    char name[32] = "base";
    if (study_base_grows(p)) snprintf(name, sizeof name, "base-%d", ranks);
    return file_path(path, p->out, name);
}

/* The last stage measured says how far it goes; no further than the data set without labels, or the
 * method without clusters, lets it. */
static stage_id end_of_base(const study_plan *p) {
    stage_id last = p->stage[p->stages - 1], until = STAGE_PACK;
    for (int i = 0; i < INPUTS; i++)
        if (inputs[i].stage == last) until = inputs[i].before;
    bool clusters = until != STAGE_CLUSTER || stage_has_clusters(p->s);
    bool labels = until != STAGE_BASELINE || stage_has_labels(p->s);
    return clusters && labels ? until : STAGE_PACK;
}

/* `run` does what the settings ask for up to there, the baseline where it extracts. Its own log
 * stays: what fails here has nothing to do with scaling. */
status study_base_make(const study_plan *p, study_point at) {
    char folder[FILE_PATH], log[FILE_PATH];
    stage_id until = end_of_base(p);
    study_line *l = memory_alloc(1, sizeof *l, "command line");
    status st = l ? study_base_path(p, at.ranks, folder) : STATUS_FAILED;
    if (st == STATUS_OK) st = file_make_folder(folder);
    if (st == STATUS_OK) st = file_path(log, folder, "study.log");
    if (st == STATUS_OK) {
        study_line_begin(l, p, at, "run");
        study_line_settings(l, p, at, folder);
        study_line_add(l, "--set");
        study_line_add(l, "run.until=%s", stage_id_words[until]);
        log_info("study: what the points read: %s, up to %s", folder, stage_id_words[until]);
        const child_process c = {
            "study", l->word, log, p->launch ? 0 : study_point_cores(at), at.threads};
        if (l->full) log_error("study: the command line is too long");
        st = l->full ? STATUS_USAGE : child_process_run(&c);
    }
    memory_free(l);
    return st;
}

/* A study whose images grow with the ranks has one for each of them. */
status study_base_check(const study_plan *p) {
    char folder[FILE_PATH], path[FILE_PATH];
    dataset *d = NULL;
    int mistakes = 0;
    if (study_base_grows(p)) return STATUS_OK;
    status st = study_base_path(p, 1, folder);
    if (st == STATUS_OK) st = file_path(path, folder, "dataset.h5");
    if (st != STATUS_OK || !file_exists(path)) return st;
    st = dataset_open(NULL, path, &d);
    for (int k = 0; st == STATUS_OK && k < p->stages; k++)
        for (int i = 0; i < p->points; i++) {
            study_point at = p->point[i], only = p->only;
            bool wanted = only.ranks == 0 || (only.ranks == at.ranks && only.threads == at.threads);
            if (!wanted || p->stage[k] >= STAGE_PRETRAIN) continue;
            mistakes += study_plan_check_images(p->stage[k], at, setup_training(d));
        }
    dataset_close(d);
    return mistakes > 0 ? STATUS_USAGE : st;
}

/* For nftw: a folder comes after what is in it. */
static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where) {
    (void)about, (void)kind, (void)where;
    return remove(path);
}

/* Links are removed, not what they lead to. */
void study_base_close(const char *work) {
    if (!work || !file_exists(work)) return;
    if (nftw(work, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        log_warn("%s: cannot be removed: %s", work, strerror(errno));
}

/* A hard link; a symbolic one where the file system has no other. A file that the base does not
 * have is one that the settings do without. */
static status link_input(const char *base, const char *work, const char *name) {
    char from[FILE_PATH], to[FILE_PATH];
    status st = file_path(from, base, name);
    if (st == STATUS_OK) st = file_path(to, work, name);
    if (st != STATUS_OK || !file_exists(from)) return st;
    if (link(from, to) == 0) return STATUS_OK;
    char *whole = realpath(from, NULL);
    bool linked = whole && symlink(whole, to) == 0;
    if (!linked) log_error("%s: cannot be linked: %s", to, strerror(errno));
    free(whole);
    return linked ? STATUS_OK : STATUS_OUTPUT;
}

/* A copy, as the measurement writes it; without the stage and those after it. */
static status copy_record(const char *base, const char *work, stage_id stage) {
    char from[FILE_PATH], to[FILE_PATH];
    enum { LIMIT = 64 << 20 };
    void *text = NULL;
    size_t bytes = 0;
    run_record *r = NULL;
    status st = file_path(from, base, "run.json");
    if (st == STATUS_OK) st = file_path(to, work, "run.json");
    if (st == STATUS_OK) st = file_read(from, LIMIT, &text, &bytes);
    if (st == STATUS_OK) st = file_write(to, text, bytes);
    if (st == STATUS_OK) st = run_record_open(&r, to);
    for (int i = 0; st == STATUS_OK && i < INPUTS; i++)
        if (inputs[i].stage >= stage) run_record_forget_stage(r, stage_id_words[inputs[i].stage]);
    if (st == STATUS_OK) st = run_record_save(r);
    run_record_close(r);
    memory_free(text);
    return st;
}

/* What a killed measurement has left goes first. */
status study_base_open(const study_plan *p, study_point at, stage_id stage, char *work) {
    char base[FILE_PATH], name[64];
    snprintf(name, sizeof name, "work-%dx%d", at.ranks, at.threads);
    status st = study_base_path(p, at.ranks, base);
    if (st == STATUS_OK) st = file_path(work, p->out, name);
    if (st != STATUS_OK) return st;
    study_base_close(work);
    st = file_make_folder(work);
    for (int i = 0; i < INPUTS; i++)
        for (int k = 0; k < 3 && inputs[i].stage == stage && inputs[i].file[k]; k++)
            if (st == STATUS_OK) st = link_input(base, work, inputs[i].file[k]);
    return st == STATUS_OK ? copy_record(base, work, stage) : st;
}
