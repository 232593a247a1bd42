/* Hot loops of ours are compiled for several instruction sets and chosen at run time, so that one
 * binary serves login and compute nodes. Contraction stays off where exactness is promised. */
#ifndef AUXSEG_BASE_VECTOR_H
#define AUXSEG_BASE_VECTOR_H

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__)
#define VECTOR_CLONES                                                                              \
    __attribute__((target_clones("default", "arch=haswell", "arch=skylake-avx512")))
#else
#define VECTOR_CLONES
#endif

#endif
