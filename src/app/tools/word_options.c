/* The options of commands that take no settings, benchmarks and the clustering of a matrix: "--name
 * value" words against a small table, one mistake named by rank 0 and agreed on, so that no rank
 * begins while another has left. Values stay texts here: who needs a number asks word_number, which
 * has the limits. */
#include "src/app/tools/word_options.h"

#include "src/base/choice.h"
#include "src/base/log.h"
#include "src/base/nearest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS = 32 }; /* of a command, at most */

const char *const word_no_yes[] = {"no", "yes", NULL};

static void log_words(const word_option *o, const char *value) {
    char all[128];
    choice_list(o->words, all, sizeof all);
    log_error("%s %s: must be one of %s", o->name, value, all);
}

/* One option and its value; names what was probably meant by one that is not there. */
static status read_option(word_option *o, int count, const char *word, const char *value) {
    /* All names are gathered on the way, for the guess at what was meant. */
    const char *names[OPTIONS];
    for (int i = 0; i < count; i++) {
        names[i] = o[i].name;
        if (strcmp(o[i].name, word) != 0) continue;
        if (!value) {
            log_error("the value of %s is missing", word);
            return STATUS_USAGE;
        }
        if (o[i].words && choice_find(o[i].words, value) < 0) {
            log_words(&o[i], value);
            return STATUS_USAGE;
        }
        o[i].value = value;
        return STATUS_OK;
    }
    char hint[NEAREST_HINT];
    log_error("unknown option %s%s", word, nearest_hint(hint, word, names, count));
    return STATUS_USAGE;
}

/* Rank 0 reads and complains, the others follow once all is well. If an option stands twice, the
 * last one counts. The others must not read before rank 0 is content: they would take a missing
 * value for a text. */
status word_options(const comm *c, word_option *o, int count, int argc, char **argv) {
    status st = STATUS_OK;
    for (int i = 0; i < argc && st == STATUS_OK; i += 2)
        /* A name without a value at the end is looked at by rank 0 alone, which names the mistake.
         */
        if (comm_root(c) || i + 1 < argc)
            st = comm_root(c) ? read_option(o, count, argv[i], i + 1 < argc ? argv[i + 1] : NULL)
                              : STATUS_OK;
    for (int i = 0; i < count && st == STATUS_OK && comm_root(c); i++)
        if (o[i].needed && !o[i].value) {
            log_error("%s is missing", o[i].name);
            st = STATUS_USAGE;
        }
    st = comm_agree(c, st);
    /* What rank 0 found without a mistake, the others read alike. */
    for (int i = 0; i < argc && st == STATUS_OK && !comm_root(c); i += 2)
        st = read_option(o, count, argv[i], argv[i + 1]);
    return st;
}

int word_choice(const word_option *o) {
    return choice_find(o->words, o->value);
}

/* errno tells an overflow, which strtoll would otherwise return as the largest number. */
status word_number(const comm *c, const word_option *o, int64_t least, int64_t most, int64_t *to) {
    char *end;
    errno = 0;
    long long v = strtoll(o->value, &end, 10);
    if (end != o->value && *end == '\0' && errno == 0 && v >= least && v <= most) {
        *to = v;
        return STATUS_OK;
    }
    if (comm_root(c))
        log_error("%s %s: must be a whole number from %lld to %lld", o->name, o->value,
            (long long)least, (long long)most);
    return STATUS_USAGE;
}
