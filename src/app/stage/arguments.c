/* Reads a command line. Every mistake is named before it is refused: who submits a job wants to
 * know them all at once. Texts are borrowed from argv. What a setting is, and whether its value is
 * allowed, is for settings_read to say: here only the form of the line counts. A word that begins
 * with "-" is never a file. */
#include "src/app/stage/arguments.h"

#include "src/base/log.h"
#include "src/base/memory.h"

#include <string.h>

status arguments_split(arguments *out, int argc, char **argv) {
    /* As many as there are words: more settings than that there cannot be. */
    arguments a = {.set = memory_alloc((size_t)argc, sizeof *a.set, "arguments"),
        .rest = memory_alloc((size_t)argc, sizeof *a.rest, "arguments")};
    *out = a;
    if (!a.set || !a.rest) return STATUS_FAILED;
    status st = STATUS_OK;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "--set=", 6) == 0) {
            a.set[a.sets++] = argv[i] + 6;
        } else if (strcmp(argv[i], "--set") != 0) {
            a.rest[a.rests++] = argv[i];
        } else if (i + 1 < argc) {
            a.set[a.sets++] = argv[++i];
        } else {
            log_error("--set: group.key=value is missing");
            st = STATUS_USAGE;
        }
    }
    *out = a;
    return st;
}

/* *out is set only if there was no mistake; what has been allocated is freed otherwise. */
status arguments_read(arguments *out, int argc, char **argv) {
    arguments a;
    status st = arguments_split(&a, argc, argv);
    for (int i = 0; i < a.rests; i++) {
        const char *word = a.rest[i];
        if (word[0] != '-' && !a.config) {
            a.config = word;
            continue;
        }
        log_error(word[0] == '-'
                      ? "unknown option %s (--set, --help)"
                      : "%s: one file of settings, not two; a setting needs --set before it",
            word);
        st = STATUS_USAGE;
    }
    if (st != STATUS_FAILED && !a.config) {
        log_error("a file of settings is missing (CONFIG.cfg)");
        st = STATUS_USAGE;
    }
    if (st == STATUS_OK)
        *out = a;
    else
        arguments_destroy(&a);
    return st;
}

void arguments_destroy(arguments *a) {
    memory_free(a->set);
    memory_free(a->rest);
    *a = (arguments){0};
}
