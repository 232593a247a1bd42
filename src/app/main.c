/* auxseg COMMAND ...: finds the command and runs it. What needs no MPI never starts it: `check`,
 * `inspect`, `--help` and the like work on login nodes, where MPI often may not start. A command's
 * line in command_list.c says by which of its functions it is run, and so whether MPI, settings or
 * both are wanted. */
#include "io/files/machine.h"
#include "io/hdf5/hdf5_guard.h"
#include "io/hdf5/hdf5_walk.h"
#include "src/app/stage/arguments.h"
#include "src/app/command_list.h"
#include "src/app/completion.h"
#include "src/app/manual.h"
#include "src/app/session.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <stdio.h>
#include <string.h>

static bool is_help(const char *word) {
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* What a report of a mistake should begin with: build, libraries, processor. */
static status version(void) {
    char text[MACHINE_TEXT];
    const char *key;
    for (int i = 0; machine_fact(i, &key, text); i++) printf("%-13s %s\n", key, text);
    return STATUS_OK;
}

/* Any mistake in the settings ends it: the answer to a job script must not rest on defaults. */
static status run_local(const command *k, settings *s, const arguments *a) {
    status st = settings_read(s, a->config, a->set, a->sets);
    return st == STATUS_OK ? k->local(s) : st;
}

/* Mistakes in the settings do not keep `check` from looking at the files, unless nothing of the
 * settings could be understood. */
static status run_check(const command *k, settings *s, const arguments *a) {
    status understood;
    int mistakes = settings_read_valid(s, a->config, a->set, a->sets, &understood);
    if (understood == STATUS_OK) return k->check(s, mistakes);
    log_info("check: %d mistake%s", mistakes, mistakes > 1 ? "s" : "");
    return understood;
}

static status print_defaults(settings *s) {
    status st = settings_read(s, NULL, NULL, 0);
    if (st == STATUS_OK) settings_write(s, stdout, true);
    return st;
}

/* A command with settings, without MPI. */
static status run_alone(const command *k, int argc, char **argv) {
    arguments a = {0};
    settings *s = memory_alloc(1, sizeof *s, "settings");
    status st = s ? STATUS_OK : STATUS_FAILED;
    bool defaults = k->check && argc == 1 && strcmp(argv[0], "--defaults") == 0;
    if (st == STATUS_OK && defaults)
        st = print_defaults(s);
    else if (st == STATUS_OK && (st = arguments_read(&a, argc, argv)) == STATUS_OK)
        st = k->check ? run_check(k, s, &a) : run_local(k, s, &a);
    arguments_destroy(&a);
    memory_free(s);
    return st;
}

/* `help` alone, or of a command. */
static status help(int argc, char **argv) {
    if (argc == 0) {
        command_help_all(stdout);
        return STATUS_OK;
    }
    command k;
    if (!command_find(argv[0], &k)) return STATUS_USAGE;
    command_help(&k, stdout);
    return STATUS_OK;
}

static status run_command(int argc, char **argv) {
    command k;
    if (!command_find(argv[0], &k)) return STATUS_USAGE;
    /* Before anything else of the line is judged: who asks for help has not got it right yet. */
    for (int i = 1; i < argc; i++)
        if (is_help(argv[i])) return help(1, argv);
    if (k.stage) return session_run(k.name, k.stage, argc - 1, argv + 1);
    if (k.words) return session_run_words(k.words, argc - 1, argv + 1);
    /* In the order of stage, words, files, settings: a command has one of them. */
    return k.files ? k.files(argc - 1, argv + 1) : run_alone(&k, argc - 1, argv + 1);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        command_help_all(stderr);
        return STATUS_USAGE;
    }
    if (is_help(argv[1])) return (int)help(0, NULL);
    if (strcmp(argv[1], "help") == 0) return (int)help(argc - 2, argv + 2);
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) return (int)version();
    /* For the build, for shells and for ourselves; no part of the help. */
    if (strcmp(argv[1], "manual") == 0) return (int)command_manual(argc - 2, argv + 2);
    if (strcmp(argv[1], "completion") == 0) return (int)command_completion(argc - 2, argv + 2);
    if (argc == 3 && strcmp(argv[1], HDF5_GUARD_COMMAND) == 0) return (int)hdf5_walk(argv[2]);
    hdf5_guard_begin();
    return (int)run_command(argc - 1, argv + 1);
}
