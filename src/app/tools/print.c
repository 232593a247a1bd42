/* Answers for job scripts, which thereby need no list of stages and no reader of settings of their
 * own: nothing but the answer goes to standard output (a remark goes to standard error). Local
 * commands: no MPI, no folder of a run, nothing written. */
#include "src/app/tools/print.h"

#include "src/app/stage/stage_list.h"
#include "src/base/log.h"

#include <stdio.h>

/* Of the first round: later rounds do the same stages again, but for those that are done once. */
status command_stages(const settings *s) {
    for (int id = STAGE_FIRST; id < STAGE_COUNT; id++)
        if (stage_wanted(id, s, 1)) puts(stage_id_words[id]);
    if (!stage_has_labels(s))
        log_warn("dataset.layout = \"folder\": no labels; the stages that need them are left out");
    if (!stage_has_clusters(s))
        log_warn("pretrain.method = \"%s\": no auxiliary labels; the stages that make and judge "
                 "them are left out",
            pretrain_method_words[s->pretrain.method]);
    return STATUS_OK;
}

status command_settings(const settings *s) {
    settings_write(s, stdout, false);
    return STATUS_OK;
}
