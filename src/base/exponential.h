/* exp and log1p in float, as plain arithmetic that compilers turn into vector code (contraction
 * off: a vector lane and a scalar give the same bits). Relative error below 2e-7. */
#ifndef AUXSEG_BASE_EXPONENTIAL_H
#define AUXSEG_BASE_EXPONENTIAL_H

#include <stdint.h>
#include <string.h>

/* e^x of x clamped to [-87, 88], so that no result is zero, denormal or infinite. */
static inline float exponential(float x) {
    const float shift = 12582912.0f; /* 1.5 * 2^23: adding it rounds to an integer */
    x = x < -87.0f ? -87.0f : x;
    x = x > 88.0f ? 88.0f : x;
    float shifted = x * 1.44269504f + shift, n = shifted - shift;
    float r = (x - n * 0.693145752f) - n * 1.42860677e-6f;
    float p = 1.0f / 5040;
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 127u) << 23; /* the integer is in the low bits; what is above falls out */
    float power;
    memcpy(&power, &bits, sizeof power);
    return p * power;
}

/* log(1 + y) of y in [0, 1]: 2 artanh(y / (2 + y)). */
static inline float log_one_plus(float y) {
    float z = y / (2.0f + y), q = z * z;
    float p = 1.0f / 13;
    p = p * q + 1.0f / 11;
    p = p * q + 1.0f / 9;
    p = p * q + 1.0f / 7;
    p = p * q + 1.0f / 5;
    p = p * q + 1.0f / 3;
    return 2.0f * z + 2.0f * z * (p * q);
}

#endif
