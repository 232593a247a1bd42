/* What a target is: libFuzzer's entry, which never fails, and a file for readers that take a path.
 * Every answer of a reader is right but a crash, a leak, a hang or memory without bounds. */
#ifndef AUXSEG_TESTS_FUZZ_FUZZ_H
#define AUXSEG_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The path of a regular file in memory that holds these bytes, until the next call. */
const char *fuzz_file(const void *data, size_t size);

#endif
