/* Built-in plans are the files of configs/plans, and read like a user's own: one that is wrong
 * cannot hide in the program, and one that is not quite what somebody needs is copied and changed.
 */
#include "src/app/compare/plans.h"

#include "src/base/log.h"
#include "src/base/nearest.h"
#include "src/base/text.h"

#include <stdio.h>
#include <string.h>

enum { MOST_NAMES = 64 };

static status unknown(const char *word) {
    const char *names[MOST_NAMES];
    char hint[NEAREST_HINT];
    int n = 0;
    for (; n < MOST_NAMES && plans_built_in[n].name; n++) names[n] = plans_built_in[n].name;
    log_error("--plan %s: no plan of this name%s (auxseg compare --plans; a file ends with .cfg)",
        word, nearest_hint(hint, word, names, n));
    return STATUS_USAGE;
}

status plans_read(plan_file *out, const char *word) {
    char file[128];
    *out = (plan_file){0};
    if (strchr(word, '/') || text_ends_with(word, ".cfg")) return plan_file_read(out, word, NULL);
    for (const plan_text *p = plans_built_in; p->name; p++) {
        if (strcmp(p->name, word) != 0) continue;
        snprintf(file, sizeof file, "%s.cfg", p->name);
        return plan_file_read(out, file, p->text);
    }
    return unknown(word);
}

status plans_print(void) {
    status worst = STATUS_OK;
    for (const plan_text *p = plans_built_in; p->name; p++) {
        plan_file one;
        status st = plans_read(&one, p->name);
        if (st == STATUS_OK)
            printf("%-11s %s (%d cells, %d seeds)\n", p->name, one.about, one.cells, one.seeds);
        if (st > worst) worst = st;
        plan_file_destroy(&one);
    }
    return worst;
}
