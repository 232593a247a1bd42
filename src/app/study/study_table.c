/* The table of a study for programs (scaling.csv), for readers, and as lines that JUBE, ReFrame and
 * Ramble look for. Columns and lines are read by scripts of others: a new column goes to the end,
 * and no line changes its form. Numbers have a point and no thousands, whatever the locale is: the
 * program never sets one. */
#include "src/app/study/study_table.h"

#include "src/base/hash.h"
#include "src/base/log.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where there is no number, a field is empty. */
static void put_number(FILE *f, double value) {
    if (isfinite(value))
        fprintf(f, ",%.9g", value);
    else
        fputc(',', f);
}

/* Texts of the system: without what would end a field. */
static void put_text(FILE *f, const char *text) {
    fputc(',', f);
    for (; *text; text++) fputc(strchr(",\"\r\n", *text) ? ' ' : *text, f);
}

/* The columns that a study of scaling is expected to have, and the phases of the program. */
static void put_head(FILE *f) {
    fputs("stage,version,host,processor,nodes,ranks_per_node,ranks,threads,cores,oversubscribed,"
          "scaling,global_batch,steps,untimed_steps,repeats,unit,time_median,time_min,time_max,"
          "work,fom,fom_unit,speedup,efficiency,roof_fp32_gflops,roof_bf16_gflops,roof_read_gbps,"
          "roof_efficiency,efficiency_of_roof,imbalance,communication,bytes_sent,peak_memory_mib,"
          "stage_seconds,loss",
        f);
    for (int i = 0; i < PHASE_COUNT; i++) {
        const char *name = phase_name((phase)i);
        fprintf(f, ",%s_min,%s_mean,%s_max,%s_slowest", name, name, name, name);
    }
    fputs(",hash,read_efficiency\n", f);
}

/* Of training alone; of all images there is no number that is set. */
static void put_work(FILE *f, const study_plan *p, const study_row *r) {
    bool training = r->stage >= STAGE_PRETRAIN;
    fputs(p->weak ? ",weak" : ",strong", f);
    if (training)
        fprintf(f, ",%" PRId64, study_batch(p, r->stage, r->at.ranks));
    else
        fputc(',', f);
    fprintf(f, ",%" PRId64 ",%" PRId64 ",%d,%s", r->stage == STAGE_EXTRACT ? 0 : p->steps,
        training ? p->untimed : 0, r->repeats, strchr(study_measure_unit(r->stage), ' ') + 1);
}

/* A phase that the stage has not is four empty fields. */
static void put_phases(FILE *f, const phases *spread) {
    for (int i = 0; i < PHASE_COUNT; i++) {
        const phase_spread *s = &spread->phase[i];
        if (s->max > 0)
            fprintf(f, ",%.9g,%.9g,%.9g,%d", s->min, s->mean, s->max, s->slowest);
        else
            fputs(",,,,", f);
    }
}

/* In the order of put_head. */
static void put_row(FILE *f, const study_plan *p, const study_row *r) {
    char hash[17];
    int nodes = r->m.nodes > 0 ? r->m.nodes : 1;
    fputs(stage_id_words[r->stage], f);
    put_text(f, r->m.version);
    put_text(f, r->m.host);
    put_text(f, r->m.processor);
    fprintf(f, ",%d,%d,%d,%d,%d,%d", nodes, (r->at.ranks + nodes - 1) / nodes, r->at.ranks,
        r->at.threads, r->cores, r->oversubscribed);
    put_work(f, p, r);
    const double times[] = {r->median, r->least, r->most, r->m.work, r->fom};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) put_number(f, times[i]);
    put_text(f, study_measure_fom_unit(r->stage));
    const double rest[] = {r->speedup, r->efficiency, r->roof.fp32, r->roof.bf16, r->roof.read,
        r->roof_efficiency, r->of_roof, r->imbalance, r->communication, r->m.sent, r->peak,
        r->m.seconds, r->m.loss};
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++) put_number(f, rest[i]);
    put_phases(f, &r->m.spread);
    hash_text(r->m.hash, hash);
    fprintf(f, ",%s", hash);
    put_number(f, r->read_efficiency);
    fputc('\n', f);
}

/* In memory first: a table that is cut off would pass for a smaller study. */
status study_table_write(const study_plan *p, const study_row *rows) {
    char path[FILE_PATH];
    char *text = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&text, &bytes);
    status st = f ? file_path(path, p->out, "scaling.csv") : STATUS_FAILED;
    if (f) {
        put_head(f);
        for (int i = 0; i < p->stages * p->points; i++)
            if (rows[i].repeats > 0) put_row(f, p, &rows[i]);
        if (fclose(f) != 0) st = STATUS_FAILED;
    }
    if (st == STATUS_OK) st = file_write(path, text, bytes);
    if (st == STATUS_FAILED) log_error("study: scaling.csv: out of memory");
    free(text);
    return st;
}

/* One over the first point, where that is measured. */
static void print_ratio(const char *format, int width, double x) {
    if (isnan(x))
        printf(" %*s", width, "-");
    else
        printf(format, x);
}

/* Widths are those of the head below. */
static void print_row(const study_row *r) {
    char name[STUDY_NAME];
    study_point_name(r->at, name);
    if (r->repeats == 0) {
        printf("%-24s not measured\n", name);
        return;
    }
    printf("%-24s %10.4g %10.4g %10.4g %10.4g", name, r->median, r->least, r->most, r->fom);
    print_ratio(" %8.2f", 8, r->speedup);
    const double share[] = {r->efficiency, r->roof_efficiency, r->of_roof, r->read_efficiency};
    for (size_t i = 0; i < sizeof share / sizeof *share; i++)
        print_ratio(" %6.1f %%", 8, 100 * share[i]);
    printf(" %6.2f %6.1f %% %10.4g %8.1f%s\n", r->imbalance, 100 * r->communication, r->m.sent,
        r->peak, r->oversubscribed ? "  oversubscribed" : "");
}

/* The documented line (jobs/README.md): a number, a unit without commas, then fields in this order.
 */
static void print_fom(const study_row *r) {
    if (r->repeats == 0) return;
    printf("Figure of Merit (FOM): %.6g %s, %s, nodes %d, ranks %d, threads %d, time %.6g s",
        r->fom, study_measure_fom_unit(r->stage), stage_id_words[r->stage],
        r->m.nodes > 0 ? r->m.nodes : 1, r->at.ranks, r->at.threads, r->median);
    if (!isnan(r->efficiency)) printf(", efficiency %.4f, of roof %.4f", r->efficiency, r->of_roof);
    putchar('\n');
}

/* Lines of figures after all tables: programs read these, people those. */
void study_table_print(const study_plan *p, const study_row *rows) {
    for (int s = 0; s < p->stages; s++) {
        printf("\n%s, seconds of %s; %s\n", stage_id_words[p->stage[s]],
            study_measure_unit(p->stage[s]), study_measure_fom_unit(p->stage[s]));
        printf("%-24s %10s %10s %10s %10s %8s %8s %8s %8s %8s %6s %8s %10s %8s\n", "", "median",
            "min", "max", "rate", "speed-up", "effic.", "roof's", "of roof", "memory's", "imbal.",
            "exchange", "bytes", "MiB");
        for (int i = 0; i < p->points; i++) print_row(&rows[s * p->points + i]);
    }
    putchar('\n');
    for (int i = 0; i < p->stages * p->points; i++) print_fom(&rows[i]);
    fflush(stdout);
}
