/* Reads a command line. Every mistake is named before it is refused: who submits a job wants to
 * know them all at once. Texts are borrowed from argv. What a setting is, and whether its value is
 * allowed, is for settings_read to say: here only the form of the line counts. A word that begins
 * with "-" is never a file. */
#include "src/app/arguments.h"

#include "src/base/log.h"
#include "src/base/memory.h"

#include <string.h>

/* *out is set only if there was no mistake; what has been allocated is freed otherwise. */
status arguments_read(arguments *out, int argc, char **argv) {
    /* As many as there are words: more settings than that there cannot be. */
    arguments a = {.set = memory_alloc((size_t)argc, sizeof *a.set, "arguments")};
    if (!a.set) return STATUS_FAILED;
    int mistakes = 0;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--set") == 0 && i + 1 < argc) {
            a.set[a.sets++] = argv[++i];
        } else if (strncmp(argv[i], "--set=", 6) == 0) {
            a.set[a.sets++] = argv[i] + 6;
        } else if (argv[i][0] == '-') {
            /* "--set" as the last word, or an option that there is not. */
            log_error(strcmp(argv[i], "--set") == 0 ? "%s: group.key=value is missing"
                                                    : "unknown option %s (--set, --help)",
                argv[i]);
            mistakes++;
        } else if (a.config) {
            log_error(
                "%s: one file of settings, not two; a setting needs --set before it", argv[i]);
            mistakes++;
        } else {
            a.config = argv[i];
        }
    }
    if (!a.config) {
        log_error("a file of settings is missing (CONFIG.cfg)");
        mistakes++;
    }
    if (mistakes > 0) {
        arguments_destroy(&a);
        return STATUS_USAGE;
    }
    *out = a;
    return STATUS_OK;
}

void arguments_destroy(arguments *a) {
    memory_free(a->set);
    *a = (arguments){0};
}
