/* For the targets of PNG. */
#ifndef AUXSEG_TESTS_FUZZ_FUZZ_PNG_H
#define AUXSEG_TESTS_FUZZ_FUZZ_PNG_H

#include <stddef.h>
#include <stdint.h>

/* Each chunk of data [size], as far as their lengths lead, gets the checksum that is right. */
void fuzz_png_seal(uint8_t *data, size_t size);

#endif
