/* Rows at the end of metrics.csv that are gone leave no gap there: only the record of the run knows
 * of them. */
#include "src/app/stage/recorded_rows.h"

#include "io/files/file.h"
#include "io/files/metrics.h"
#include "src/base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* "cluster-2" is the second round of "cluster", as rows of metrics.csv have it. */
static bool is_row_of(const metrics_row *row, const char *stage) {
    size_t n = strlen(row->stage);
    if (strncmp(stage, row->stage, n) != 0) return false;
    return stage[n] == '-' ? atoi(stage + n + 1) == row->round : !stage[n] && row->round == 1;
}

status recorded_rows_check(
    const char *path, const run_record *r, void (*tell)(const char *format, ...)) {
    metrics_row *row = NULL;
    stage_record s;
    int count = 0;
    status st = file_exists(path) ? metrics_read(path, &row, &count) : STATUS_OK, worst = st;
    for (int i = 0; st == STATUS_OK && run_record_stage(r, i, &s, NULL); i++) {
        int64_t rows = 0;
        for (int k = 0; k < count; k++) rows += is_row_of(&row[k], s.name);
        if (s.rows == 0 || rows == s.rows) continue;
        tell("%s: %" PRId64 " rows of %s, which had %" PRId64
             " when it was done: lost, or begun anew "
             "since",
            path, rows, s.name, s.rows);
        worst = STATUS_OUTPUT;
    }
    memory_free(row);
    return worst;
}
