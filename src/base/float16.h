/* IEEE 754's binary16 as bits, as numpy's float16 and PyTorch's half have it: read only. */
#ifndef AUXSEG_BASE_FLOAT16_H
#define AUXSEG_BASE_FLOAT16_H

#include <stdint.h>
#include <string.h>

/* Exact: every float16 is a float, and subnormal ones are normal floats. The exponent is biased by
 * 15 here and by 127 there; infinities and NaN keep all of its bits. */
static inline float float16_to_float(uint16_t h) {
    uint32_t exponent = h >> 10 & 31u, fraction = h & 1023u;
    uint32_t u = (exponent == 31 ? 255 : exponent + 112) << 23 | fraction << 13;
    float f;
    memcpy(&f, &u, sizeof f);
    if (exponent == 0) f = (float)fraction * 0x1p-24F;
    return h >> 15 ? -f : f;
}

#endif
