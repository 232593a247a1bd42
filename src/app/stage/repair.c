/* Damage among the images of dataset.h5 is found by whoever reads them, hours into a run, as to
 * read all of them at each start would take as long as to pack them. run.json then still says that
 * the packing is done, and the same command would fail at the same image for ever: hence its entry
 * goes, if there is anything to pack anew. What was made of the images that are whole stays: the
 * data set that is packed anew has the same hash, so that done stages stay done. */
#include "src/app/stage/repair.h"

#include "io/dataset/dataset.h"
#include "io/files/file.h"
#include "io/files/run_record.h"
#include "src/app/stage/setup.h"
#include "src/app/stage/stage_list.h"
#include "src/base/log.h"

#include <string.h>

/* Scenes of synth are made again. A file that somebody has another copy of needs its entry then. */
static bool sources_there(const settings *s) {
    if (s->dataset.layout == DATASET_LAYOUT_SYNTH || file_exists(s->dataset.root)) return true;
    log_error("%s/dataset.h5: damaged, and what it was packed of, dataset.root = \"%s\", is not "
              "there: bring back one of both, and the same command goes on",
        s->run.dir, s->dataset.root);
    return false;
}

/* Rank 0. One that was not packed in this run cannot be packed anew by it. */
static status forget_packing(const settings *s) {
    char path[FILE_PATH];
    run_record *r = NULL;
    const char *pack = stage_id_words[STAGE_PACK];
    stage_record first;
    if (!sources_there(s)) return STATUS_DATA;
    status st = setup_path(path, s, "run.json", 1);
    if (st == STATUS_OK) st = run_record_open(&r, path);
    if (st != STATUS_OK) return st;
    bool packed = false;
    for (int i = 0; run_record_stage(r, i, &first, NULL) && !packed; i++)
        packed = strcmp(first.name, pack) == 0;
    run_record_forget_stage(r, pack);
    st = packed ? run_record_save(r) : STATUS_DATA;
    if (st == STATUS_OK)
        log_warn("%s/dataset.h5: damaged: it counts as not packed, and is packed anew by `run` and "
                 "`pack`",
            s->run.dir);
    run_record_close(r);
    return st;
}

bool repair_dataset(const comm *c, const settings *s) {
    int32_t damaged = dataset_met_damage();
    comm_max_i32(c, &damaged, 1);
    if (!damaged) return false;
    return comm_agree(c, comm_root(c) ? forget_packing(s) : STATUS_OK) == STATUS_OK;
}
