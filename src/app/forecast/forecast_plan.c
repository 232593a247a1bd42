/* The words of a forecast. What is simulated is a ResNet with DeepLabV3's head, which the bench
 * measures; other networks are refused, not taken for one. */
#include "src/app/forecast/forecast_plan.h"

#include "src/app/tools/word_options.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Places in the table of options. */
enum { NODES, PLATFORM, STAGES, CORES, RANKS, BATCH, IMAGES, ROWS, PROFILE, OUT, OPTIONS };
enum { MOST_NODES = 4096, MOST_CORES = 1024 };

static const stage_id known[FORECAST_STAGES] = {
    STAGE_EXTRACT, STAGE_CLUSTER, STAGE_PRETRAIN, STAGE_FINETUNE};

/* "1,4,16", ascending, as efficiencies are against the first. */
static status read_nodes(forecast_plan *p, const char *text) {
    for (const char *at = text; *at && p->points < FORECAST_NODES;) {
        char *end;
        long n = strtol(at, &end, 10);
        if (end == at || (*end && *end != ',') || n < 1 || n > MOST_NODES) break;
        if (p->points > 0 && n <= p->nodes[p->points - 1]) break;
        p->nodes[p->points++] = (int)n;
        at = *end ? end + 1 : end;
        if (!*at) return STATUS_OK;
    }
    log_error("forecast: --nodes %s: ascending whole numbers from 1 to %d, separated by commas, at "
              "most %d of them",
        text, (int)MOST_NODES, (int)FORECAST_NODES);
    return STATUS_USAGE;
}

/* Words of the list in any order; their lengths tell whether there was another one. */
static status read_stages(forecast_plan *p, const char *text) {
    size_t named = 0;
    for (int i = 0; i < FORECAST_STAGES; i++) {
        const char *word = stage_id_words[known[i]], *at = strstr(text, word);
        if (!at) continue;
        p->stage[p->stages++] = known[i];
        named += strlen(word) + 1;
    }
    if (p->stages > 0 && named == strlen(text) + 1) return STATUS_OK;
    log_error("forecast: --stages %s: of extract, cluster, pretrain, finetune, separated by commas",
        text);
    return STATUS_USAGE;
}

/* Before anything is measured: that takes a minute. */
static status check_network(const settings *s) {
    bool resnet = strncmp(model_backbone_words[s->model.backbone], "resnet", 6) == 0;
    if (resnet && s->model.head == MODEL_HEAD_DEEPLABV3) return STATUS_OK;
    log_error("forecast: a ResNet with model.head = \"deeplabv3\" is what the bench measures");
    return STATUS_USAGE;
}

static status read_numbers(forecast_plan *p, const word_option *o) {
    status st = word_number(NULL, &o[CORES], 1, MOST_CORES, &p->cores);
    if (st == STATUS_OK) st = word_number(NULL, &o[RANKS], 1, MOST_CORES, &p->ranks);
    if (st == STATUS_OK) st = word_number(NULL, &o[BATCH], 1, 65536, &p->batch);
    if (st == STATUS_OK) st = word_number(NULL, &o[IMAGES], 1, INT32_MAX, &p->images);
    if (st == STATUS_OK) st = word_number(NULL, &o[ROWS], 1, INT64_MAX, &p->rows);
    if (st == STATUS_OK && p->cores % p->ranks != 0) {
        log_error("forecast: --ranks %d: must divide the %d cores of a node", (int)p->ranks,
            (int)p->cores);
        st = STATUS_USAGE;
    }
    return st;
}

/* Words after CONFIG are pairs; there is no --set, as a copy of the file does the same. */
status forecast_plan_read(forecast_plan *out, int argc, char **argv) {
    word_option o[OPTIONS] = {[NODES] = {"--nodes", NULL, "1,4,16,64,256,1024", false},
        [PLATFORM] = {"--platform", NULL, NULL, true},
        [STAGES] = {"--stages", NULL, "extract,cluster,pretrain,finetune", false},
        [CORES] = {"--cores", NULL, "64", false},
        [RANKS] = {"--ranks", NULL, "1", false},
        [BATCH] = {"--batch", NULL, "16", false},
        [IMAGES] = {"--images", NULL, "2975", false},
        [ROWS] = {"--rows", NULL, "97000000", false},
        [PROFILE] = {"--profile", NULL, NULL, false},
        [OUT] = {"--out", NULL, NULL, false}};
    forecast_plan *p = out;
    *p = (forecast_plan){.s = memory_alloc(1, sizeof *p->s, "settings")};
    if (!p->s) return STATUS_FAILED;
    if (argc == 0 || argv[0][0] == '-') {
        log_error("forecast: a file of settings is missing (CONFIG.cfg)");
        return STATUS_USAGE;
    }
    p->config = argv[0];
    status st = word_options(NULL, o, OPTIONS, argc - 1, argv + 1);
    if (st == STATUS_OK) st = settings_read(p->s, p->config, NULL, 0);
    if (st == STATUS_OK) st = check_network(p->s);
    if (st == STATUS_OK) st = read_numbers(p, o);
    if (st == STATUS_OK) st = read_nodes(p, o[NODES].value);
    if (st == STATUS_OK) st = read_stages(p, o[STAGES].value);
    p->platform = o[PLATFORM].value;
    p->profile = o[PROFILE].value;
    if (st != STATUS_OK) return st;
    return o[OUT].value ? file_path(p->out, "", o[OUT].value)
                        : file_path(p->out, p->s->run.dir, "forecast");
}

void forecast_plan_destroy(forecast_plan *p) {
    memory_free(p->s);
    *p = (forecast_plan){0};
}
