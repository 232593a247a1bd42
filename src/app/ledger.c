#include "src/app/ledger.h"

#include "io/file.h"
#include "src/app/setup.h"
#include "src/base/log.h"
#include "src/base/timer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

status ledger_open(ledger *l, const comm *c, const settings *s) {
    char path[FILE_PATH];
    *l = (ledger){c, s, NULL, timer_now()};
    status st = setup_path(path, s, "run.json", 1);
    if (st == STATUS_OK && comm_root(c)) {
        st = run_record_open(&l->record, path);
        if (st == STATUS_OK) st = run_record_begin(l->record, s, comm_size(c), setup_threads(s));
    }
    return comm_agree(c, st);
}

void ledger_close(ledger *l) {
    run_record_close(l->record);
    l->record = NULL;
}

void ledger_name(char *text, const char *stage, int round) {
    if (round > 1)
        snprintf(text, LEDGER_NAME, "%s-%d", stage, round);
    else
        snprintf(text, LEDGER_NAME, "%s", stage);
}

bool ledger_done(ledger *l, const char *stage, uint64_t key, uint64_t *hash) {
    struct {
        uint64_t hash;
        int32_t done;
    } answer = {0, 0};
    if (strcmp(l->s->run.resume, "auto") == 0 && l->record)
        answer.done = run_record_stage_done(l->record, stage, key, &answer.hash);
    comm_broadcast(l->c, &answer, sizeof answer);
    if (answer.done) log_info("%s: already done for these inputs and settings", stage);
    if (answer.done && hash) *hash = answer.hash;
    return answer.done;
}

status ledger_stage(ledger *l, const stage_record *stage, const timers *mine) {
    phases spread;
    phases_combine(l->c, mine, &spread);
    status st = STATUS_OK;
    if (l->record) {
        stage_record r = *stage;
        r.phases = &spread;
        r.seconds = timer_now() - l->began;
        st = run_record_set_stage(l->record, &r);
        if (st == STATUS_OK) st = run_record_save(l->record);
    }
    if (stage->fom_unit && !isnan(stage->fom))
        log_info("Figure of Merit (FOM): %.4g %s", stage->fom, stage->fom_unit);
    return comm_agree(l->c, st);
}

status ledger_result(ledger *l, const char *group, const char *name, double value) {
    return l->record ? run_record_set_result(l->record, group, name, value) : STATUS_OK;
}
