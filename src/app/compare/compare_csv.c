/* compare.csv is for other programs: every figure of every run, with all its digits. Empty: there
 * is none. A text is quoted where a comma or a quote is in it, as RFC 4180 has it. */
#include "src/app/compare/compare_csv.h"

#include "io/files/file.h"
#include "src/base/log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_text(FILE *f, const char *text) {
    if (!strpbrk(text, ",\"\n\r")) {
        fputs(text, f);
        return;
    }
    putc('"', f);
    for (; *text; text++) {
        if (*text == '"') putc('"', f);
        putc(*text, f);
    }
    putc('"', f);
}

/* As many digits as a double has: the same text for the same bits. */
static void put_number(FILE *f, double value, const char *format) {
    putc(',', f);
    if (isfinite(value)) fprintf(f, format, value);
}

/* Columns of groups are there where a plan has any. */
static bool has_groups(const compare_results *r) {
    for (int i = 0; i < r->cells; i++)
        if (r->cell[i].group && r->cell[i].group[0]) return true;
    return false;
}

/* Seconds stand last, so that what is the same at each start can be cut out by its columns. */
static void put_head(FILE *f, const compare_results *r) {
    fputs("cell,seed,reference,code", f);
    if (has_groups(r)) fputs(",group,best", f);
    for (int i = 0; i < r->varying; i++) {
        putc(',', f);
        put_text(f, r->key[i]);
    }
    fputs(",mIoU,mAcc,aAcc,baseline_mIoU,gain", f);
    for (int i = 0; i < COMPARE_SCORES; i++) fprintf(f, ",score_%s", compare_score_names[i]);
    fputs(",images_contrastive,images_finetune,weights,seconds", f);
    for (int id = STAGE_FIRST; id < STAGE_COUNT; id++)
        if (id != STAGE_REPORT) fprintf(f, ",seconds_%s", stage_id_words[id]);
    putc('\n', f);
}

static void put_run(
    FILE *f, const compare_results *r, const compare_cell *cell, const compare_run *run) {
    put_text(f, cell->name);
    fprintf(f, ",%lld,", (long long)run->seed);
    if (cell->reference >= 0) put_text(f, r->cell[cell->reference].name);
    putc(',', f);
    if (run->code != COMPARE_UNFINISHED) fprintf(f, "%d", run->code);
    if (has_groups(r)) {
        putc(',', f);
        put_text(f, cell->group ? cell->group : "");
        fprintf(f, ",%d", cell->best);
    }
    for (int i = 0; i < r->varying; i++) {
        putc(',', f);
        put_text(f, run->value[i] ? run->value[i] : "");
    }
    const double figure[] = {run->miou, run->macc, run->aacc, run->baseline, run->gain};
    for (size_t i = 0; i < sizeof figure / sizeof *figure; i++) put_number(f, figure[i], "%.17g");
    for (int i = 0; i < COMPARE_SCORES; i++) put_number(f, run->score[i], "%.17g");
    put_number(f, run->contrastive_images, "%.0f");
    put_number(f, run->finetune_images, "%.0f");
    fprintf(f, ",%s", run->weights);
    put_number(f, run->seconds_in_all, "%.3f");
    for (int id = STAGE_FIRST; id < STAGE_COUNT; id++)
        if (id != STAGE_REPORT) put_number(f, run->seconds[id], "%.3f");
    putc('\n', f);
}

status compare_csv_write(const compare_results *r) {
    char path[FILE_PATH], *text = NULL;
    size_t bytes = 0;
    status st = file_path(path, r->folder, "compare.csv");
    FILE *f = st == STATUS_OK ? open_memstream(&text, &bytes) : NULL;
    if (st == STATUS_OK && !f) st = STATUS_FAILED;
    if (st != STATUS_OK) return st;
    put_head(f, r);
    for (int i = 0; i < r->cells; i++)
        for (int k = 0; k < r->cell[i].runs; k++) put_run(f, r, &r->cell[i], &r->cell[i].run[k]);
    st = fclose(f) == 0 ? file_write(path, text, bytes) : STATUS_FAILED;
    if (st == STATUS_OK) log_info("compare: %s", path);
    free(text);
    return st;
}
