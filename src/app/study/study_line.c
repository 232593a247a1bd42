/* How a child is called. The launcher's words come first; without --launch that is mpirun with the
 * flags of jobs/mpirun.sh. The settings that a study rests on come last, so that no setting of the
 * user's changes the amount of work.
 *
 * No shell is in between: a path may have blanks. Only --launch is cut at blanks. */
#include "src/app/study/study_line.h"

#include "src/app/stage/child_process.h"

#include <mpi.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The text stays where it is: words point into it. */
void study_line_add(study_line *l, const char *format, ...) {
    va_list values;
    size_t room = sizeof l->text - l->used;
    va_start(values, format);
    int n = vsnprintf(l->text + l->used, room, format, values);
    va_end(values);
    if (n < 0 || (size_t)n >= room || l->words == STUDY_WORDS) {
        l->full = true;
        return;
    }
    l->word[l->words++] = l->text + l->used;
    l->word[l->words] = NULL;
    l->used += (size_t)n + 1;
}

/* One word of --launch, with the point's numbers in it. */
static void add_launch_word(study_line *l, const char *at, size_t length, study_point p) {
    char word[FILE_PATH];
    size_t n = 0;
    for (size_t i = 0; i < length && n < sizeof word - 16; i++) {
        const char *rest = at + i;
        bool ranks = strncmp(rest, "{ranks}", 7) == 0, threads = strncmp(rest, "{threads}", 9) == 0;
        if (ranks || threads) {
            n += (size_t)snprintf(word + n, 16, "%d", ranks ? p.ranks : p.threads);
            i += ranks ? 6 : 8;
        } else {
            word[n++] = *rest;
        }
    }
    word[n] = '\0';
    study_line_add(l, "%s", word);
}

/* Blanks alone separate words: there are no quotes. */
static void add_launch(study_line *l, const char *text, study_point p) {
    for (const char *at = text; *at;) {
        size_t blank = strspn(at, " \t"), length = strcspn(at + blank, " \t");
        if (length > 0) add_launch_word(l, at + blank, length, p);
        at += blank + length;
    }
}

/* Open MPI ties a rank with all its threads to one core unless it is told not to, refuses more
 * ranks than cores, and root. Which cores there are is set from outside (child_process.h). */
static void add_mpirun(study_line *l, study_point p) {
    study_line_add(l, "mpirun");
#ifdef OPEN_MPI
    study_line_add(l, "--bind-to");
    study_line_add(l, "none");
    if (geteuid() == 0) study_line_add(l, "--allow-run-as-root");
    if (p.ranks > child_process_physical(study_point_cores(p)))
        study_line_add(l, "--oversubscribe");
#endif
    study_line_add(l, "-n");
    study_line_add(l, "%d", p.ranks);
}

/* The program is this one, wherever the launcher starts it. */
void study_line_begin(study_line *l, const study_plan *p, study_point at, const char *command) {
    char program[FILE_PATH];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    l->words = 0;
    l->used = 0;
    l->full = n < 0;
    program[n < 0 ? 0 : n] = '\0';
    if (p->launch)
        add_launch(l, p->launch, at);
    else
        add_mpirun(l, at);
    study_line_add(l, "%s", program);
    study_line_add(l, "%s", command);
}

/* A number as --set. */
static void add_setting(study_line *l, const char *key, int64_t value) {
    study_line_add(l, "--set");
    study_line_add(l, "%s=%lld", key, (long long)value);
}

/* In the order of a run. Checkpoints within a stage are left out, as is the learning rate's rise,
 * which may be longer than the few steps. */
void study_line_settings(study_line *l, const study_plan *p, study_point at, const char *folder) {
    static const char *const fixed[] = {"run.resume=auto", "run.rounds=1", "run.compare=false",
        "run.max_hours=0", "run.checkpoint_steps=100000000", "extract.keep=true",
        "extract.npy=", "run.store=", "cluster.restarts=1", "cluster.checkpoint_iterations=0",
        "pretrain.warmup=0", "finetune.warmup=0"};
    study_line_add(l, "%s", p->config);
    for (int i = 0; i < p->line.sets; i++) {
        study_line_add(l, "--set");
        study_line_add(l, "%s", p->line.set[i]);
    }
    study_line_add(l, "--set");
    study_line_add(l, "run.dir=%s", folder);
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        study_line_add(l, "--set");
        study_line_add(l, "%s", fixed[i]);
    }
    add_setting(l, "run.threads", at.threads);
    add_setting(l, "run.untimed_steps", p->untimed);
    add_setting(l, "pretrain.steps", p->untimed + p->steps);
    add_setting(l, "finetune.steps", p->untimed + p->steps);
    add_setting(l, "cluster.iterations", p->steps);
    if (!p->weak) return;
    /* Images in a folder of their own: those of another number of ranks are other images. */
    add_setting(l, "pretrain.batch", study_batch(p, STAGE_PRETRAIN, at.ranks));
    add_setting(l, "finetune.batch", study_batch(p, STAGE_FINETUNE, at.ranks));
    if (p->s->dataset.layout != DATASET_LAYOUT_SYNTH) return;
    add_setting(l, "dataset.synth_train", (int64_t)p->s->dataset.synth_train * at.ranks);
    study_line_add(l, "--set");
    study_line_add(l, "dataset.root=%s/images-%d", p->out, at.ranks);
}
