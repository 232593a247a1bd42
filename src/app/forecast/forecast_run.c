/* One simulation: smpirun with the platform, one line of hosts a rank, and the settings that make
 * SimGrid's times those of the platform file. SimGrid's own default factors are those of an old
 * Ethernet, and its default collectives send everything to all: Open MPI's choices are taken.
 * Looking for messages takes a microsecond each time: by default that grows with the number of
 * looks, to a second and more. Memory is shared between the simulated ranks, and their code is not
 * copied: it keeps nothing in static variables but counters. Sends are waited for, short ones too:
 * the simulator keeps a list of those that are not, and looks through it at each message. Shared
 * memory is mapped in pieces of 64 MiB: of small ones a process may not have enough for thousands
 * of ranks. */
#include "src/app/forecast/forecast_plan.h"
#include "src/app/stage/child_process.h"
#include "src/base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WORD = 32, LINE = 512 };

/* Asked before anything is measured, which takes minutes. auxseg-forecast: beside this program
 * where it was built, below libexec where it is installed. */
status forecast_program(char *path) {
    static const char *const places[] = {"", "/../libexec/auxseg"};
    char self[FILE_PATH];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = '\0';
    const char *folder = dirname(self);
    if (!child_process_is_there("smpirun")) {
        log_error("forecast: smpirun, SimGrid's launcher, is not in PATH");
        return STATUS_FAILED;
    }
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        int used = snprintf(path, FILE_PATH, "%s%s/auxseg-forecast", folder, places[i]);
        if (used < FILE_PATH && access(path, R_OK) == 0) return STATUS_OK;
    }
    log_error("forecast: auxseg-forecast is not there: auxseg was built without SimGrid "
              "(libsimgrid-dev)");
    return STATUS_FAILED;
}

/* The hosts' names in the platform files: n0, n1, ... Ranks fill one node after the other. */
static status write_hosts(const char *path, int nodes, int ranks) {
    FILE *f = fopen(path, "w");
    for (int i = 0; f && i < nodes; i++)
        for (int r = 0; r < ranks; r++) fprintf(f, "n%d\n", i);
    bool good = f && !ferror(f);
    if (f && fclose(f) != 0) good = false;
    if (!good) log_error("%s: %s", path, strerror(errno));
    return good ? STATUS_OK : STATUS_OUTPUT;
}

/* The line of rank 0. */
static status read_line(const char *log, forecast_point *out) {
    char line[LINE];
    bool found = false;
    FILE *f = fopen(log, "r");
    while (f && !found && fgets(line, sizeof line, f))
        found = sscanf(line, "forecast %*s ranks %*d seconds %lf exchange %lf sent %lf memory %lf",
                    &out->seconds, &out->exchange, &out->sent, &out->memory) == 4;
    if (f) fclose(f);
    out->memory /= 1048576;
    if (!found) log_error("forecast: %s: no figures in it", log);
    return found ? STATUS_OK : STATUS_FAILED;
}

/* Of which the figures of merit are rates. Pretraining counts both views of an image, as the
 * trainer and a study do: figures of the same name are then of the same thing. */
double forecast_work(const forecast_plan *p, stage_id stage, int nodes) {
    if (stage == STAGE_EXTRACT) return (double)p->images;
    if (stage == STAGE_CLUSTER) return (double)p->rows;
    return (double)p->batch * nodes * (stage == STAGE_PRETRAIN ? 2 : 1);
}

/* Rows of the contrastive loss: those of all views, or the bound. */
static int64_t pool_of(const forecast_plan *p, int nodes) {
    int64_t rows = 2 * p->batch * nodes * p->s->pretrain.pixels, most = p->s->pretrain.pool;
    return most > 0 && rows > most ? most : rows;
}

/* A training's batch grows with the nodes, so that its exchange stands beside the same computing;
 * pretraining has two views an image. */
status forecast_run(const forecast_plan *p, const char *profile, stage_id stage, int nodes,
    int ranks, forecast_point *out) {
    char program[FILE_PATH], hosts[FILE_PATH], log[FILE_PATH], np[WORD], threads[WORD], steps[WORD],
        images[WORD], deal[WORD], pool[WORD], rows[WORD];
    bool pretrain = stage == STAGE_PRETRAIN, grouped = p->s->model.norm == MODEL_NORM_GROUP;
    int64_t all = stage == STAGE_EXTRACT ? p->images : p->batch * nodes * (pretrain ? 2 : 1);
    snprintf(np, WORD, "%d", nodes * ranks);
    snprintf(threads, WORD, "%d", (int)p->cores / ranks);
    snprintf(steps, WORD, "%d", stage == STAGE_CLUSTER ? 2 : 1);
    snprintf(images, WORD, "%" PRId64, all);
    snprintf(deal, WORD, "%d", grouped ? p->s->model.group : pretrain ? 2 : 1);
    snprintf(pool, WORD, "%" PRId64, pretrain ? pool_of(p, nodes) : 0);
    snprintf(rows, WORD, "%" PRId64, p->rows);
    char *word[] = {"smpirun", "-np", np, "-platform", (char *)p->platform, "-hostfile", hosts,
        "--cfg=smpi/privatization:no", "--cfg=smpi/shared-malloc:global",
        "--cfg=smpi/simulate-computation:no", "--cfg=smpi/bw-factor:0:1",
        "--cfg=smpi/lat-factor:0:1", "--cfg=network/crosstraffic:0", "--cfg=smpi/test:1e-6",
        "--cfg=smpi/iprobe:1e-6", "--cfg=smpi/grow-injected-times:no",
        "--cfg=smpi/send-is-detached-thresh:0", "--cfg=smpi/coll-selector:ompi",
        "--cfg=smpi/shared-malloc-blocksize:67108864", "--cfg=contexts/stack-size:1024",
        "--log=root.thres:error", program, (char *)profile, (char *)stage_id_words[stage], threads,
        steps, images, deal, pool, rows, NULL};
    *out = (forecast_point){.nodes = nodes, .ranks = ranks};
    status st = forecast_program(program);
    if (st == STATUS_OK) st = file_path(hosts, p->out, "hosts.txt");
    if (st == STATUS_OK) st = file_path(log, p->out, "smpirun.log");
    if (st == STATUS_OK) st = write_hosts(hosts, nodes, ranks);
    const child_process child = {"forecast", word, log, 0, 1};
    if (st == STATUS_OK) st = child_process_run(&child);
    if (st == STATUS_OK) st = read_line(log, out);
    if (stage == STAGE_CLUSTER) out->seconds /= 2;
    if (stage == STAGE_CLUSTER) out->exchange /= 2;
    if (stage == STAGE_CLUSTER) out->sent /= 2;
    return st;
}
