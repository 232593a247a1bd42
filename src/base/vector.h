/* Hot loops of ours are compiled for several instruction sets and chosen at run time, so that one
 * binary serves login and compute nodes. Contraction stays off where exactness is promised.
 * Levels, not models: a clone for "arch=skylake-avx512" is taken on that very processor only. */
#ifndef AUXSEG_BASE_VECTOR_H
#define AUXSEG_BASE_VECTOR_H

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__)
#define VECTOR_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define VECTOR_CLONES
#endif

#endif
