/* Reads the words of `compare`: the settings of any command, and which plan, or which runs. Whether
 * MPI is to be started is told before they are read, as rank 0 alone names mistakes there. */
#include "src/app/compare_words.h"

#include "src/base/log.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

bool compare_words_quick(int argc, char **argv) {
    static const char *const quick[] = {"--list", "--collect", "--plans", "--of"};
    for (int i = 0; i < argc; i++)
        for (size_t k = 0; k < sizeof quick / sizeof *quick; k++)
            if (strcmp(argv[i], quick[k]) == 0) return true;
    return false;
}

static int read_cell(const char *text, int *mistakes) {
    char *end;
    long n = strtol(text, &end, 10);
    if (end != text && !*end && n >= 1 && n <= INT_MAX) return (int)n;
    log_error("--cell %s: the number of a run is expected, from 1 (compare --list)", text);
    (*mistakes)++;
    return 0;
}

/* An option with a value, at *i; false: it is none, or has none. */
static bool read_value(compare_words *w, int *i, int *mistakes) {
    const char *word = w->line.rest[*i];
    const char *value = *i + 1 < w->line.rests ? w->line.rest[*i + 1] : NULL;
    if (!value) return false;
    if (strcmp(word, "--plan") == 0)
        w->plan = value;
    else if (strcmp(word, "--seeds") == 0)
        w->seeds = value;
    else if (strcmp(word, "--cell") == 0)
        w->cell = read_cell(value, mistakes);
    else
        return false;
    w->planned = true;
    ++*i;
    return true;
}

static bool read_flag(compare_words *w, const char *word) {
    if (strcmp(word, "--list") == 0)
        w->list = true;
    else if (strcmp(word, "--collect") == 0)
        w->collect = true;
    else if (strcmp(word, "--plans") == 0)
        w->plans = true;
    else
        return false;
    return true;
}

static int read_words(compare_words *w) {
    char **rest = w->line.rest;
    int mistakes = 0;
    for (int i = 0; i < w->line.rests; i++) {
        if (strcmp(rest[i], "--of") == 0) {
            w->run = rest + i + 1;
            w->runs = w->line.rests - i - 1;
            break;
        }
        if (read_value(w, &i, &mistakes) || read_flag(w, rest[i])) continue;
        if (rest[i][0] != '-' && !w->config) {
            w->config = rest[i];
            continue;
        }
        log_error(rest[i][0] == '-' ? "%s: unknown, or its value is missing (auxseg help compare)"
                                    : "%s: one file of settings, not two",
            rest[i]);
        mistakes++;
    }
    return mistakes;
}

/* Behind --of everything is a folder: nothing else can be said then. */
status compare_words_read(compare_words *w, int argc, char **argv) {
    *w = (compare_words){.plan = "controlled"};
    status st = arguments_split(&w->line, argc, argv);
    if (st == STATUS_FAILED) return st;
    int mistakes = read_words(w) + (st != STATUS_OK);
    if (w->run && w->runs == 0) {
        log_error("--of: folders of runs are missing");
        mistakes++;
    }
    if (!w->run && !w->plans && !w->config) {
        log_error("a file of settings is missing (CONFIG.cfg)");
        mistakes++;
    }
    if (w->run && (w->config || w->list || w->collect || w->planned || w->line.sets > 0)) {
        log_error("--of: finished runs are compared as they are: no settings and no plan");
        mistakes++;
    }
    return mistakes == 0 ? STATUS_OK : STATUS_USAGE;
}

void compare_words_destroy(compare_words *w) {
    arguments_destroy(&w->line);
    *w = (compare_words){0};
}

int compare_words_most(const compare_words *w) {
    return 5 + 2 * w->line.sets + 1 + w->runs;
}

int compare_words_again(const compare_words *w, const char **words) {
    int n = 0;
    if (w->runs > 0) {
        words[n++] = "--of";
        for (int i = 0; i < w->runs; i++) words[n++] = w->run[i];
        return n;
    }
    words[n++] = w->config;
    words[n++] = "--plan";
    words[n++] = w->plan;
    if (w->seeds) {
        words[n++] = "--seeds";
        words[n++] = w->seeds;
    }
    for (int i = 0; i < w->line.sets; i++) {
        words[n++] = "--set";
        words[n++] = w->line.set[i];
    }
    return n;
}
