/* `auxseg check`: the parts in turn, on one process, and one last line that sums them up. What the
 * stages refuse is found by calling what they call (layouts, classes, image files, weights, initial
 * centroids), so that no rule stands twice. Nothing is written. */
#include "src/app/tools/check.h"

#include "src/app/features/extract.h"
#include "src/app/tools/check_state.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <string.h>

/* Whether `run` does this stage, as far as run.until says. */
static bool reached(const settings *s, const char *name) {
    static const char *const stages[] = {
        "pack", "baseline", "extract", "cluster", "score", "pretrain", "finetune", "evaluate"};
    int wanted = 0, last = (int)(sizeof stages / sizeof *stages) - 1;
    for (int i = 0; i < (int)(sizeof stages / sizeof *stages); i++) {
        if (strcmp(stages[i], name) == 0) wanted = i;
        if (strcmp(stages[i], s->run.until) == 0) last = i;
    }
    return wanted <= last;
}

static check begin(const settings *s, int mistakes) {
    return (check){.s = s,
        .mistakes = mistakes,
        .first = mistakes > 0 ? STATUS_USAGE : STATUS_OK,
        .baseline = reached(s, "baseline") && (s->run.compare || extract_from_finetuned(s, 1)),
        .cluster = reached(s, "cluster"),
        .pretrain = reached(s, "pretrain"),
        .finetune = reached(s, "finetune"),
        .evaluate = reached(s, "evaluate")};
}

status command_check(const settings *s, int mistakes) {
    check k = begin(s, mistakes);
    check_folders(&k);
    check_dataset(&k);
    check_networks(&k);
    check_space(&k);
    memory_free(k.height);
    memory_free(k.width);
    if (k.mistakes == 0)
        log_info("check: no mistake found");
    else
        log_info("check: %d mistake%s", k.mistakes, k.mistakes > 1 ? "s" : "");
    return k.first;
}
