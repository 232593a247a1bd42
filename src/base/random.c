/* Random numbers that are computed, not drawn in turn: number n of a stream is a function of the
 * seed and of what the number is for. Ranks and threads take theirs in any order and agree, a
 * resumed run goes on without a saved state, and a new use of random numbers (a new purpose)
 * changes no other. Philox is a block cipher with few rounds; it passes BigCrush, and its blocks
 * are independent of each other: vector code computes sixteen at once. */
#include "src/base/random.h"

#include "src/base/vector.h"

#include <Random123/philox.h>
#include <math.h>
#include <string.h>

random_stream random_begin(uint64_t seed, random_purpose purpose, uint64_t epoch, uint64_t item) {
    /* The key holds the seed; the counter's upper words hold what the stream is for, mixed by one
     * Philox call so that 64-bit epochs and items fit beside the 32-bit position. */
    philox4x32_key_t k = {{(uint32_t)seed, (uint32_t)(seed >> 32) ^ ((uint32_t)purpose << 24)}};
    philox4x32_ctr_t c = {
        {(uint32_t)epoch, (uint32_t)(epoch >> 32), (uint32_t)item, (uint32_t)(item >> 32)}};
    philox4x32_ctr_t mixed = philox4x32(c, k);
    random_stream r = {.key = {k.v[0] ^ 0x9E3779B9u, k.v[1]}, .used = 4};
    r.counter[0] = 0;
    memcpy(r.counter + 1, mixed.v, 3 * sizeof(uint32_t));
    return r;
}

/* A block is four words: three of four calls take what is there already. */
uint32_t random_u32(random_stream *r) {
    if (r->used == 4) {
        philox4x32_ctr_t c = {{r->counter[0], r->counter[1], r->counter[2], r->counter[3]}};
        philox4x32_key_t k = {{r->key[0], r->key[1]}};
        philox4x32_ctr_t b = philox4x32(c, k);
        memcpy(r->block, b.v, sizeof r->block);
        r->counter[0]++;
        r->used = 0;
    }
    return r->block[r->used++];
}

/* Philox4x32-10 of all lanes at once, round by round. */
VECTOR_CLONES void random_words(random_stream *r, uint32_t words[RANDOM_WORDS]) {
    uint32_t *x0 = words, *x1 = x0 + RANDOM_LANES, *x2 = x1 + RANDOM_LANES, *x3 = x2 + RANDOM_LANES;
    uint32_t key[2] = {r->key[0], r->key[1]};
    for (uint32_t i = 0; i < RANDOM_LANES; i++) {
        x0[i] = r->counter[0] + i;
        x1[i] = r->counter[1];
        x2[i] = r->counter[2];
        x3[i] = r->counter[3];
    }
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < RANDOM_LANES; i++) {
            uint64_t a = (uint64_t)x0[i] * PHILOX_M4x32_0, b = (uint64_t)x2[i] * PHILOX_M4x32_1;
            x0[i] = (uint32_t)(b >> 32) ^ x1[i] ^ key[0];
            x2[i] = (uint32_t)(a >> 32) ^ x3[i] ^ key[1];
            x1[i] = (uint32_t)b;
            x3[i] = (uint32_t)a;
        }
        key[0] += PHILOX_W32_0;
        key[1] += PHILOX_W32_1;
    }
    r->counter[0] += RANDOM_LANES;
    r->used = 4;
}

uint64_t random_u64(random_stream *r) {
    uint64_t high = random_u32(r);
    return high << 32 | random_u32(r);
}

/* 53 bits are what a double in [0.5, 1) holds: every value is equally likely, 1 never comes. */
double random_uniform(random_stream *r) {
    return (double)(random_u64(r) >> 11) * 0x1p-53;
}

double random_between(random_stream *r, double low, double high) {
    return low + (high - low) * random_uniform(r);
}

uint64_t random_below(random_stream *r, uint64_t n) {
    /* Values below 2^64 mod n are refused, so that every remainder is equally likely. */
    uint64_t refuse = (0 - n) % n, v;
    do v = random_u64(r);
    while (v < refuse);
    return v % n;
}

/* The second number of the pair is thrown away: keeping it would be a state that depends on the
 * order of calls. */
double random_normal(random_stream *r) {
    double u = 1.0 - random_uniform(r), v = random_uniform(r);
    return sqrt(-2.0 * log(u)) * cos(2.0 * 3.14159265358979323846 * v);
}

void random_permutation(random_stream *r, uint32_t *order, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) order[i] = i;
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = (uint32_t)random_below(r, i), t = order[i - 1];
        order[i - 1] = order[j];
        order[j] = t;
    }
}
