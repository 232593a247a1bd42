/* The commit for programs that do not say theirs. auxseg itself is linked with a file that its
 * build writes (version.cmake): the weak value here keeps every test from being linked anew at each
 * commit. */
#include "src/base/version.h"

__attribute__((weak)) const char version_commit[] = "unknown";
__attribute__((weak)) const char version_date[] = "";
