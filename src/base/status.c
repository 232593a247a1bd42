/* Exit codes in words: for the last line of a log, and for `auxseg --help`. Without a default, so
 * that the compiler names a status that has no words; a number that is none at all, as another
 * program may have ended with, falls through to the last line. */
#include "src/base/status.h"

const char *status_text(status s) {
    switch (s) {
#define STATUS_CASE(name, code, text)                                                              \
    case STATUS_##name:                                                                            \
        return text;
        STATUS_LIST(STATUS_CASE)
#undef STATUS_CASE
    }
    return "unknown status";
}

status status_worse(status a, status b) {
    if (a == STATUS_OK || (a == STATUS_STOPPED && b != STATUS_OK)) return b;
    if (b == STATUS_OK || b == STATUS_STOPPED) return a;
    return a > b ? a : b;
}
