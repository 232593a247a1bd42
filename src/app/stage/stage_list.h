/* The stages of a run: what each is for, reads and writes, which settings its result depends on,
 * and when settings leave it out. One table: `run`, the keys in run.json, `auxseg stages`,
 * jobs/submit and the help follow it. Their names and order are run.until's
 * (src/base/settings_choices.h); what a stage does is run.c's, as that stands above all of them.
 * Not collective. */
#ifndef AUXSEG_APP_STAGE_STAGE_LIST_H
#define AUXSEG_APP_STAGE_STAGE_LIST_H

#include "src/base/settings.h"

typedef struct stage_info {
    const char *summary;
    const char *reads, *writes; /* as in the help: files of run.dir, settings */
    const char *groups;    /* of settings that its key hashes (settings_hash); "": it has none */
    const char *condition; /* what its `wanted` says, in words; NULL: always */
    bool each_round;       /* done in each round; else once, before or after all rounds */
    bool (*wanted)(const settings *s, int round); /* NULL: always */
} stage_info;

/* id: one of the stages, not STAGE_NONE. */
const stage_info *stage_about(stage_id id);
/* Whether a run with these settings does it in a round, counted from 1. With run.until a run ends
 * within its first round. */
bool stage_wanted(stage_id id, const settings *s, int round);
/* How many rounds a run has. */
int stage_rounds(const settings *s);
/* Whether a round's features are those of a model that was trained on labels: by extract.source,
 * for want of other weights, or as the round is a later one. */
bool stage_extracts_finetuned(const settings *s, int round);
/* Whether they are read from extract.files. */
bool stage_extracts_files(const settings *s, int round);
/* Whether the data set can have labels: those of layout "folder" have none. */
bool stage_has_labels(const settings *s);
/* Whether pretraining compares pixels by auxiliary labels, which the run then makes. */
bool stage_has_clusters(const settings *s);
/* Warns of settings of fine-tuning that would do nothing in a run. */
void stage_tell_idle(const settings *s);
/* What `run` cannot do without labels although the settings ask for it: each is named by an error;
 * how many there are. */
int stage_check_unlabelled(const settings *s);

#endif
