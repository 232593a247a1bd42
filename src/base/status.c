/* Exit codes in words: for the last line of a log, and for `auxseg --help`. */
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
