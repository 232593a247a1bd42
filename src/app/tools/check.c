/* `auxseg check`: the parts in turn, on one process, and one last line that sums them up. What the
 * stages refuse is found by calling what they call (layouts, classes, image files, weights, initial
 * centroids), so that no rule stands twice. Nothing is written. */
#include "src/app/tools/check.h"

#include "src/app/stage/stage_list.h"
#include "src/app/tools/check_state.h"
#include "src/base/log.h"
#include "src/base/memory.h"

/* Stages that the run does not come to need neither labels nor weights. */
static check begin(const settings *s, int mistakes) {
    return (check){.s = s,
        .mistakes = mistakes,
        .first = mistakes > 0 ? STATUS_USAGE : STATUS_OK,
        .baseline = stage_wanted(STAGE_BASELINE, s, 1),
        .cluster = stage_wanted(STAGE_CLUSTER, s, 1),
        .pretrain = stage_wanted(STAGE_PRETRAIN, s, 1),
        .finetune = stage_wanted(STAGE_FINETUNE, s, 1),
        .evaluate = stage_wanted(STAGE_EVALUATE, s, 1)};
}

/* Each part goes on after a mistake of another: the first run shows them all. */
status command_check(const settings *s, int mistakes) {
    check k = begin(s, mistakes);
    check_folders(&k);
    check_dataset(&k);
    check_networks(&k);
    check_space(&k);
    check_ranks(&k);
    memory_free(k.height);
    memory_free(k.width);
    memory_free(k.name);
    if (k.mistakes == 0)
        log_info("check: no mistake found");
    else
        log_info("check: %d mistake%s", k.mistakes, k.mistakes > 1 ? "s" : "");
    return k.first;
}
