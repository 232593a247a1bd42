/* The words of a study, and what cannot be studied. A point at which ranks would be idle is refused
 * before anything runs: such ranks make a curve bend for a reason that is known beforehand, and the
 * hours until it shows are lost. How many can work follows from how a training deals its batch
 * (trainer.c): in whole norm groups, and never the two views of an image apart. */
#include "src/app/study/study_plan.h"

#include "src/app/stage/stage_list.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/nearest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RANKS = 1 << 20, MOST_STEPS = 100000 };

/* The options, in the order of the usage. */
enum { RANKS, THREADS, STAGES, STEPS, UNTIMED, REPEATS, OUT, LAUNCH, PART, ONLY, OPTIONS };
static const char *const option_names[] = {"--ranks", "--threads", "--stages", "--steps",
    "--untimed", "--repeats", "--out", "--launch", "--part", "--only", NULL};
static const char *const part_words[] = {
    "all", "list", "folder", "prepare", "measure", "collect", NULL};

/* What can be measured, in the order in which one reads what the other writes. */
static const stage_id studied[STUDY_STAGES] = {
    STAGE_EXTRACT, STAGE_CLUSTER, STAGE_PRETRAIN, STAGE_FINETUNE};

/* The place among the options; -1: it is none of them. */
static int option_at(const char *word) {
    for (int i = 0; i < OPTIONS; i++)
        if (strcmp(word, option_names[i]) == 0) return i;
    return -1;
}

static int unknown_option(const char *word) {
    char hint[NEAREST_HINT];
    log_error("study: unknown option %s%s (auxseg study --help)", word,
        nearest_hint(hint, word, option_names, OPTIONS));
    return 1;
}

/* One pass over the words beside --set; every mistake is named. Texts of options into value
 * [OPTIONS], CONFIG into the plan. Returns the mistakes. */
static int sort_words(study_plan *p, const arguments *a, const char **value) {
    int mistakes = 0;
    for (int i = 0; i < a->rests; i++) {
        const char *word = a->rest[i];
        int option = option_at(word);
        if (strcmp(word, "--weak") == 0) {
            p->weak = true;
        } else if (option >= 0 && i + 1 == a->rests) {
            log_error("study: the value of %s is missing", word);
            mistakes++;
        } else if (option >= 0) {
            value[option] = a->rest[++i];
        } else if (word[0] == '-') {
            mistakes += unknown_option(word);
        } else if (p->config) {
            log_error("study: %s: one file of settings, not two", word);
            mistakes++;
        } else {
            p->config = word;
        }
    }
    if (!p->config) log_error("study: a file of settings is missing (CONFIG.cfg)");
    return mistakes + (p->config ? 0 : 1);
}

/* A whole number from `least` to `most` at *at, then `end` with something behind it, or the end of
 * the text. *at moves on; not where it is none. */
static bool number_at(const char **at, char end, int64_t least, int64_t most, int64_t *to) {
    char *stop;
    errno = 0;
    long long n = strtoll(*at, &stop, 10);
    bool digits = **at >= '0' && **at <= '9';
    bool ends = *stop == '\0' || (*stop == end && stop[1] != '\0');
    if (!digits || errno || !ends || n < least || n > most) return false;
    *at = *stop ? stop + 1 : stop;
    *to = n;
    return true;
}

/* text NULL: *to keeps its default. Returns the mistakes. */
static int read_number(int option, const char *text, int64_t least, int64_t most, int64_t *to) {
    const char *at = text;
    if (!text || (number_at(&at, '\0', least, most, to) && !*at)) return 0;
    log_error("study: %s %s: a whole number from %lld to %lld", option_names[option], text,
        (long long)least, (long long)most);
    return 1;
}

/* "1,2,4" into list [STUDY_POINTS], each number once. Returns the mistakes. */
static int read_list(int option, const char *text, int most, int *list, int *count) {
    const char *at = text;
    int64_t n = 0;
    for (*count = 0; *at; list[(*count)++] = (int)n) {
        if (*count == STUDY_POINTS || !number_at(&at, ',', 1, most, &n)) break;
        for (int i = 0; i < *count; i++)
            if (list[i] == n) {
                log_error("study: %s %s: %d is there twice", option_names[option], text, list[i]);
                return 1;
            }
    }
    if (!*at && *count > 0) return 0;
    log_error("study: %s %s: whole numbers from 1 to %d, separated by commas, at most %d of them",
        option_names[option], text, most, (int)STUDY_POINTS);
    return 1;
}

/* Why a run with these settings does not do a stage, or NULL. */
static const char *lack(const settings *s, stage_id stage) {
    bool clusters = stage == STAGE_EXTRACT || stage == STAGE_CLUSTER;
    if (stage == STAGE_FINETUNE && !stage_has_labels(s))
        return "labels, which dataset.layout = \"folder\" has not";
    if (clusters && !stage_has_clusters(s))
        return "pretrain.method = \"pixel\": the others have no auxiliary labels";
    if (stage_has_clusters(s) && !stage_has_labels(s) && stage_extracts_finetuned(s, 1))
        return "extract.source = \"weights\" or \"files\", with a file: dataset.layout = "
               "\"folder\" has no labels to train an extractor with";
    return NULL;
}

/* "pretrain,cluster", in any order; each at its place in the order of a run. */
static int read_stages(study_plan *p, const char *text) {
    bool wanted[STUDY_STAGES] = {!text, !text, !text, !text};
    int mistakes = 0;
    for (const char *at = text; at && *at;) {
        size_t length = strcspn(at, ",");
        bool known = false;
        for (int i = 0; i < STUDY_STAGES; i++) {
            const char *word = stage_id_words[studied[i]];
            if (strlen(word) != length || strncmp(at, word, length) != 0) continue;
            wanted[i] = known = true;
        }
        if (!known) {
            log_error("study: --stages %s: %.*s is none of extract, cluster, pretrain, finetune",
                text, (int)length, at);
            mistakes++;
        }
        at += length + (at[length] == ',');
    }
    for (int i = 0; i < STUDY_STAGES; i++) {
        const char *needs = lack(p->s, studied[i]);
        if (wanted[i] && (!needs || text)) p->stage[p->stages++] = studied[i];
        if (!wanted[i] || !needs || !text) continue;
        log_error("study: --stages %s: %s needs %s", text, stage_id_words[studied[i]], needs);
        mistakes++;
    }
    if (p->stages > 0 || mistakes > 0) return mistakes;
    if (text)
        log_error("study: --stages %s: none is named", text);
    else
        log_error("study: no stage can be measured: %s needs %s", stage_id_words[studied[0]],
            lack(p->s, studied[0]));
    return 1;
}

/* Every pair of the two lists. */
static int read_points(study_plan *p, const char *ranks, const char *threads) {
    int r[STUDY_POINTS], t[STUDY_POINTS], nr = 0, nt = 0, mistakes = 0;
    if (!ranks) {
        log_error("study: --ranks is missing (--ranks 1,2,4)");
        return 1;
    }
    mistakes += read_list(RANKS, ranks, MOST_RANKS, r, &nr);
    mistakes += read_list(THREADS, threads ? threads : "1", 4096, t, &nt);
    if (mistakes > 0) return mistakes;
    if (nr * nt > STUDY_POINTS) {
        log_error("study: %d numbers of ranks and %d of threads are more than %d points", nr, nt,
            (int)STUDY_POINTS);
        return 1;
    }
    for (int i = 0; i < nr; i++)
        for (int k = 0; k < nt; k++) p->point[p->points++] = (study_point){r[i], t[k]};
    return 0;
}

/* "2x1". */
static int read_only(study_plan *p, const char *text) {
    int64_t ranks = 0, threads = 0;
    const char *at = text;
    if (!text) return 0;
    if (number_at(&at, 'x', 1, MOST_RANKS, &ranks) && number_at(&at, '\0', 1, 4096, &threads))
        for (int i = 0; i < p->points; i++)
            if (p->point[i].ranks == ranks && p->point[i].threads == threads) p->only = p->point[i];
    if (p->only.ranks > 0 && p->part == STUDY_MEASURE) return 0;
    log_error("study: --only %s: one of the points, as RANKSxTHREADS, with --part measure", text);
    return 1;
}

int study_point_cores(study_point p) {
    return p.ranks * p.threads;
}

void study_point_name(study_point p, char *text) {
    snprintf(text, STUDY_NAME, "%d rank%s x %d thread%s", p.ranks, p.ranks == 1 ? "" : "s",
        p.threads, p.threads == 1 ? "" : "s");
}

int64_t study_batch(const study_plan *p, stage_id stage, int ranks) {
    int64_t batch = stage == STAGE_PRETRAIN ? p->s->pretrain.batch : p->s->finetune.batch;
    return p->weak ? batch * ranks : batch;
}

/* What a training can share out at this point: as deal_images() in trainer.c does it. */
static int check_training(const study_plan *p, stage_id stage, study_point at) {
    char name[STUDY_NAME], parts[64] = "";
    int together = stage == STAGE_PRETRAIN ? 2 : 1;
    int deal = p->s->model.norm == MODEL_NORM_GROUP ? p->s->model.group : together;
    int64_t images = study_batch(p, stage, at.ranks) * together;
    int64_t most = (images + deal - 1) / deal;
    if (at.ranks <= most) return 0;
    study_point_name(at, name);
    if (deal == p->s->model.group && p->s->model.norm == MODEL_NORM_GROUP)
        snprintf(parts, sizeof parts, " in groups of %d (model.group)", deal);
    else if (deal > 1)
        snprintf(parts, sizeof parts, " in pairs of views");
    log_error("study: %s: %s: %lld images%s: at most %lld rank%s", name, stage_id_words[stage],
        (long long)images, parts, (long long)most, most == 1 ? "" : "s");
    return 1;
}

/* Images are made of the seed alone in one layout, in which there can be as many as are asked for.
 */
static int check_weak(const study_plan *p, stage_id stage) {
    bool images = stage == STAGE_EXTRACT || stage == STAGE_CLUSTER;
    if (!p->weak || !images || p->s->dataset.layout == DATASET_LAYOUT_SYNTH) return 0;
    log_error("study: --weak: %s needs a data set that grows with the ranks, which is "
              "dataset.layout = \"synth\" alone; --stages pretrain,finetune",
        stage_id_words[stage]);
    return 1;
}

/* What is timed are iterations, each with its rows and seconds in metrics.csv. */
static int check_clustering(const study_plan *p, stage_id stage) {
    if (stage != STAGE_CLUSTER || p->s->cluster.method != CLUSTER_METHOD_DBSCAN) return 0;
    log_error("study: cluster: cluster.method = \"dbscan\" has no iterations that could be timed: "
              "another method, or --stages without cluster");
    return 1;
}

int study_plan_check_images(stage_id stage, study_point at, int images) {
    char name[STUDY_NAME];
    if (at.ranks <= images) return 0;
    study_point_name(at, name);
    log_error("study: %s: %s: %d image%s: at most %d rank%s", name, stage_id_words[stage], images,
        images == 1 ? "" : "s", images, images == 1 ? "" : "s");
    return 1;
}

/* How many images another data set has is known when it is packed (study_base_check). */
static int check_images(const study_plan *p, stage_id stage, study_point at) {
    bool known = p->s->dataset.layout == DATASET_LAYOUT_SYNTH && !p->weak;
    return known ? study_plan_check_images(stage, at, p->s->dataset.synth_train) : 0;
}

/* Of all stages and points at once: who plans a study wants to see every point that is too large.
 */
static int check_points(const study_plan *p) {
    int mistakes = 0;
    for (int k = 0; k < p->stages; k++) {
        mistakes += check_weak(p, p->stage[k]);
        mistakes += check_clustering(p, p->stage[k]);
        for (int i = 0; i < p->points; i++)
            mistakes += (p->stage[k] >= STAGE_PRETRAIN ? check_training : check_images)(
                p, p->stage[k], p->point[i]);
    }
    return mistakes;
}

/* Options that were not given keep their defaults, which the usage in command_list.c names. Stages
 * before points: what is wrong with a point depends on the stage. */
static int read_options(study_plan *p, const char *const *value) {
    int part = value[PART] ? choice_find(part_words, value[PART]) : 0, mistakes = 0;
    if (part < 0) {
        log_error(
            "study: --part %s: one of all, list, folder, prepare, measure, collect", value[PART]);
        mistakes++;
    }
    p->part = part < 0 ? STUDY_ALL : (study_part)part;
    p->launch = value[LAUNCH];
    p->steps = 10;
    p->untimed = 2;
    p->repeats = 3;
    mistakes += read_number(STEPS, value[STEPS], 1, MOST_STEPS, &p->steps);
    mistakes += read_number(UNTIMED, value[UNTIMED], 0, MOST_STEPS, &p->untimed);
    mistakes += read_number(REPEATS, value[REPEATS], 1, 1000, &p->repeats);
    mistakes += read_stages(p, value[STAGES]);
    mistakes += read_points(p, value[RANKS], value[THREADS]);
    mistakes += read_only(p, value[ONLY]);
    status st =
        value[OUT] ? file_path(p->out, "", value[OUT]) : file_path(p->out, p->s->run.dir, "study");
    return mistakes + (st == STATUS_OK ? 0 : 1);
}

/* Settings are read without those that the study adds (study_line.c): they are the user's own that
 * can be wrong. */
status study_plan_read(study_plan *out, int argc, char **argv) {
    const char *value[OPTIONS] = {NULL};
    study_plan *p = out;
    *p = (study_plan){.s = memory_alloc(1, sizeof *p->s, "settings")};
    if (!p->s) return STATUS_FAILED;
    status st = arguments_split(&p->line, argc, argv);
    if (st == STATUS_FAILED) return st;
    int mistakes = sort_words(p, &p->line, value);
    if (st != STATUS_OK || mistakes > 0) return STATUS_USAGE;
    st = settings_read(p->s, p->config, p->line.set, p->line.sets);
    if (st != STATUS_OK) return st;
    mistakes = read_options(p, value);
    if (mistakes == 0) mistakes = check_points(p);
    return mistakes > 0 ? STATUS_USAGE : STATUS_OK;
}

void study_plan_destroy(study_plan *p) {
    arguments_destroy(&p->line);
    memory_free(p->s);
    *p = (study_plan){0};
}
