/* The words of a forecast. What is simulated is a ResNet with DeepLabV3's head, which the bench
 * measures; other networks are refused, not taken for one. */
#include "src/app/forecast/forecast_plan.h"

#include "io/dataset/dataset.h"
#include "src/app/stage/setup.h"
#include "src/app/tools/word_options.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/label/features.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Places in the table of options. */
enum {
    NODES,
    PLATFORM,
    STAGES,
    CORES,
    RANKS,
    BATCH,
    IMAGES,
    ROWS,
    DIMENSIONS,
    PROFILE,
    DATA,
    OUT,
    OPTIONS
};
enum { MOST_NODES = 4096, MOST_CORES = 1024 };
/* Of features that no setting projects: what a ResNet-18's layer3 has. */
enum { USUAL_D = 256 };

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
        if (!*end) return STATUS_OK;
        at = end + 1;
    }
    log_error("forecast: --nodes %s: ascending whole numbers from 1 to %d, separated by commas, at "
              "most %d of them",
        text, (int)MOST_NODES, (int)FORECAST_NODES);
    return STATUS_USAGE;
}

/* Words of the list in any order, each once, are as long together as the list is with its commas.
 */
static status read_stages(forecast_plan *p, const char *text) {
    size_t named = 0;
    for (int i = 0; i < FORECAST_STAGES; i++) {
        const char *word = stage_id_words[known[i]], *at = strstr(text, word);
        size_t length = strlen(word);
        if (!at || (at > text && at[-1] != ',') || (at[length] && at[length] != ',')) continue;
        p->stage[p->stages++] = known[i];
        named += length + 1;
    }
    if (p->stages > 0 && named == strlen(text) + 1) return STATUS_OK;
    log_error("forecast: --stages %s: of extract, cluster, pretrain, finetune, separated by commas",
        text);
    return STATUS_USAGE;
}

/* Before anything is measured: that takes a minute. What the bench does not measure, or the
 * simulated ranks do not exchange, is refused by its key. */
static status check_settings(const settings *s) {
    const struct {
        bool good;
        const char *want;
    } asked[] = {{strncmp(model_backbone_words[s->model.backbone], "resnet", 6) == 0,
                     "model.backbone a ResNet"},
        {s->model.head == MODEL_HEAD_DEEPLABV3, "model.head = \"deeplabv3\""},
        {s->model.stages == 4, "model.stages = 4"},
        {s->model.head_channels == 0, "model.head_channels = 0"},
        {s->model.projection == 128, "model.projection = 128"},
        {s->model.norm != MODEL_NORM_SYNC, "model.norm other than \"sync\""},
        {s->pretrain.method == PRETRAIN_METHOD_PIXEL, "pretrain.method = \"pixel\""},
        {s->pretrain.pixel_queue == 0, "pretrain.pixel_queue = 0"},
        {s->pretrain.crop == s->finetune.crop, "pretrain.crop and finetune.crop alike"},
        {s->finetune.method == FINETUNE_METHOD_SUPERVISED, "finetune.method = \"supervised\""},
        {s->finetune.contrast_weight == 0, "finetune.contrast_weight = 0"}};
    status st = STATUS_OK;
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        if (asked[i].good) continue;
        log_error("forecast: what is simulated wants %s", asked[i].want);
        st = STATUS_USAGE;
    }
    return st;
}

/* SimGrid says what is wrong within the file, where it is there. */
static status check_platform(const char *path) {
    FILE *f = fopen(path, "r");
    if (!f) {
        log_error("forecast: --platform %s: %s", path, strerror(errno));
        return STATUS_USAGE;
    }
    fclose(f);
    return STATUS_OK;
}

/* Its decoding is part of a measurement: an earlier one has it, or not. */
static status check_data(const forecast_plan *p) {
    if (!p->data) return STATUS_OK;
    if (p->profile) {
        log_error("forecast: --data is of a measurement, which --profile takes the place of");
        return STATUS_USAGE;
    }
    dataset *d = NULL;
    status st = dataset_open(NULL, p->data, &d);
    if (st == STATUS_OK && setup_training(d) == 0) {
        log_error("%s: no training images", p->data);
        st = STATUS_USAGE;
    }
    dataset_close(d);
    return st;
}

static status read_numbers(forecast_plan *p, const word_option *o) {
    status st = word_number(NULL, &o[CORES], 1, MOST_CORES, &p->cores);
    if (st == STATUS_OK) st = word_number(NULL, &o[RANKS], 1, MOST_CORES, &p->ranks);
    if (st == STATUS_OK) st = word_number(NULL, &o[BATCH], 1, 65536, &p->batch);
    if (st == STATUS_OK) st = word_number(NULL, &o[IMAGES], 1, INT32_MAX, &p->images);
    if (st == STATUS_OK) st = word_number(NULL, &o[ROWS], 1, INT64_MAX, &p->rows);
    if (st == STATUS_OK) st = word_number(NULL, &o[DIMENSIONS], 0, FEATURES_D, &p->dimensions);
    if (p->dimensions == 0) p->dimensions = p->s->extract.pca > 0 ? p->s->extract.pca : USUAL_D;
    if (st == STATUS_OK && p->cores % p->ranks != 0) {
        log_error("forecast: --ranks %d: must divide the %d cores of a node", (int)p->ranks,
            (int)p->cores);
        st = STATUS_USAGE;
    }
    return st;
}

/* Words after CONFIG are pairs. */
status forecast_plan_read(forecast_plan *out, int argc, char **argv) {
    word_option o[OPTIONS] = {[NODES] = {"--nodes", NULL, "1,4,16,64,256,1024", false},
        [PLATFORM] = {"--platform", NULL, NULL, true},
        [STAGES] = {"--stages", NULL, "extract,cluster,pretrain,finetune", false},
        [CORES] = {"--cores", NULL, "64", false},
        [RANKS] = {"--ranks", NULL, "1", false},
        [BATCH] = {"--batch", NULL, "16", false},
        [IMAGES] = {"--images", NULL, "2975", false},
        [ROWS] = {"--rows", NULL, "97000000", false},
        [DIMENSIONS] = {"--dimensions", NULL, "0", false},
        [PROFILE] = {"--profile", NULL, NULL, false},
        [DATA] = {"--data", NULL, NULL, false},
        [OUT] = {"--out", NULL, NULL, false}};
    forecast_plan *p = out;
    *p = (forecast_plan){.s = memory_alloc(1, sizeof *p->s, "settings")};
    if (!p->s) return STATUS_FAILED;
    status st = arguments_split(&p->line, argc, argv);
    if (st != STATUS_OK) return st;
    arguments *a = &p->line;
    if (a->rests == 0 || a->rest[0][0] == '-') {
        log_error("forecast: a file of settings is missing (CONFIG.cfg)");
        return STATUS_USAGE;
    }
    a->config = a->rest[0];
    st = word_options(NULL, o, OPTIONS, a->rests - 1, a->rest + 1);
    if (st == STATUS_OK) st = settings_read(p->s, a->config, a->set, a->sets);
    if (st == STATUS_OK) st = check_settings(p->s);
    if (st == STATUS_OK) st = read_numbers(p, o);
    if (st == STATUS_OK) st = read_nodes(p, o[NODES].value);
    if (st == STATUS_OK) st = read_stages(p, o[STAGES].value);
    if (st == STATUS_OK) st = check_platform(o[PLATFORM].value);
    p->platform = o[PLATFORM].value;
    p->profile = o[PROFILE].value;
    p->data = o[DATA].value;
    if (st == STATUS_OK) st = check_data(p);
    if (st != STATUS_OK) return st;
    return o[OUT].value ? file_path(p->out, "", o[OUT].value)
                        : file_path(p->out, p->s->run.dir, "forecast");
}

void forecast_plan_destroy(forecast_plan *p) {
    arguments_destroy(&p->line);
    memory_free(p->s);
    *p = (forecast_plan){0};
}
