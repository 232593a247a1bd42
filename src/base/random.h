/* Random numbers that depend on what they are for, never on rank, thread or call order:
 * Philox4x32-10 of Random123 (Salmon et al., SC 2011) keyed by (seed, purpose, epoch, item).
 * Not collective. */
#ifndef AUXSEG_BASE_RANDOM_H
#define AUXSEG_BASE_RANDOM_H

#include <stdint.h>

typedef enum random_purpose {
    RANDOM_SYNTH = 1, /* item: image */
    RANDOM_INIT,      /* item: parameter */
    RANDOM_ORDER,     /* epoch: pass over the data */
    RANDOM_SUBSET,    /* the labelled share */
    RANDOM_AUGMENT,   /* epoch: step, item: sample of the batch * 2 + view */
    RANDOM_PIXELS,    /* epoch: step, item: sample of the batch * 2 + view */
    RANDOM_DROPOUT,   /* epoch: step, item: image of the batch * nodes + node */
    RANDOM_CLUSTER,   /* epoch: restart, item: image */
    RANDOM_CANDIDATE, /* epoch: restart * 64 + round, item: image */
    RANDOM_BATCH,     /* epoch: restart, item: iteration */
    RANDOM_POOL,      /* epoch: step, item: (sample of the batch * 2 + view) * pixels + pixel */
    RANDOM_CUTMIX,    /* epoch: step, item: sample of the batch */
    RANDOM_QUEUE,     /* epoch: number of the queue, item: row of the queue of keys */
} random_purpose;

typedef struct random_stream {
    uint32_t counter[4], key[2], block[4];
    int used; /* words of `block` already handed out */
} random_stream;

random_stream random_begin(uint64_t seed, random_purpose purpose, uint64_t epoch, uint64_t item);
uint32_t random_u32(random_stream *r);
uint64_t random_u64(random_stream *r);
/* The stream's next RANDOM_LANES blocks of four words, from a block's beginning on, as vector code:
 * words[w * RANDOM_LANES + i] is word w of block i. */
enum { RANDOM_LANES = 16, RANDOM_WORDS = 4 * RANDOM_LANES };
void random_words(random_stream *r, uint32_t words[RANDOM_WORDS]);
/* In [0, 1), 53 bits. */
double random_uniform(random_stream *r);
/* In [low, high). */
double random_between(random_stream *r, double low, double high);
/* In [0, n), without bias; n > 0. */
uint64_t random_below(random_stream *r, uint64_t n);
/* Mean 0, variance 1 (Box-Muller). */
double random_normal(random_stream *r);
/* order [n] becomes a permutation of 0 .. n-1 (Fisher-Yates). */
void random_permutation(random_stream *r, uint32_t *order, uint32_t n);

#endif
