/* The roof of the machine: multiply-adds a second in fp32 and in bf16, and bytes a second that are
 * read from memory, by all threads of all ranks at the same time. Two cores seldom do twice of what
 * one does (clocks fall, memory is shared, hyperthreads share a core, a host is busy), and no
 * program can scale better than that: a study of scaling compares with it.
 *
 * The kernels are as plain as they can be: registers alone, chains that are long enough for the
 * latency; or one pass after another over an array that no cache holds. They run for a given time,
 * so that all threads are at work until the end of it. A run is cut into windows, of which the
 * median counts: a roof that was reached once for a moment is none that a job can work under. */
#include "src/app/tools/bench_roof.h"

#include "mpi/phases.h"
#include "src/app/tools/word_options.h"
#include "src/base/median.h"
#include "src/base/memory.h"
#include "src/base/timer.h"

#include <omp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { THREADS, SECONDS, OPTIONS };
/* READ_BYTES a thread: more than its part of any cache. ROUNDS of a kernel between two looks at the
 * clock: some tenths of a millisecond. */
enum { WINDOWS = 7, READ_BYTES = 64 << 20, ROUNDS = 100000 };

/* What is computed goes here, so that the compiler does not leave it out. */
static volatile float sink;

/* Each kernel returns what it has done, operations or bytes; x [READ_BYTES] is the thread's. */
typedef double (*kernel)(const float *x);

/* CHAINS sums of LANES: none waits for another. */
#define MULTIPLY_ADD(name, isa, VECTOR, LANES, CHAINS, SET, ADD)                                   \
    isa static double name(const float *unused) {                                                  \
        VECTOR s[CHAINS], x = SET(1.0000001f), y = SET(1e-9f);                                     \
        (void)unused;                                                                              \
        for (int i = 0; i < (CHAINS); i++) s[i] = SET((float)i);                                   \
        for (int r = 0; r < ROUNDS; r++)                                                           \
            _Pragma("GCC unroll 16") for (int i = 0; i < (CHAINS); i++) s[i] = ADD(s[i], x, y);    \
        for (int i = 1; i < (CHAINS); i++) s[0] += s[i];                                           \
        sink = s[0][0];                                                                            \
        return 2.0 * ROUNDS * (CHAINS) * (LANES);                                                  \
    }

/* Four sums over the array. */
#define READ(name, isa, VECTOR)                                                                    \
    isa static double name(const float *x) {                                                       \
        const VECTOR *at = (const VECTOR *)x;                                                      \
        VECTOR s[4] = {{0}};                                                                       \
        for (size_t i = 0; i < READ_BYTES / sizeof *at; i += 4)                                    \
            _Pragma("GCC unroll 4") for (size_t k = 0; k < 4; k++) s[k] += at[i + k];              \
        s[0] += s[1] + s[2] + s[3];                                                                \
        sink = s[0][0];                                                                            \
        return READ_BYTES;                                                                         \
    }

typedef float vector4 __attribute__((vector_size(16), may_alias));
#define SET4(e) ((vector4){e, e, e, e})
#define ADD4(s, x, y) ((s) * (x) + (y))
MULTIPLY_ADD(multiply_plain, , vector4, 4, 12, SET4, ADD4)
READ(read_plain, , vector4)

#if defined(__x86_64__)
typedef float vector8 __attribute__((vector_size(32), may_alias));
typedef float vector16 __attribute__((vector_size(64), may_alias));
#define AVX2 __attribute__((target("avx2,fma")))
#define AVX512 __attribute__((target("avx512f,fma")))
#define BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))
MULTIPLY_ADD(multiply_avx2, AVX2, __m256, 8, 12, _mm256_set1_ps, _mm256_fmadd_ps)
MULTIPLY_ADD(multiply_avx512, AVX512, __m512, 16, 16, _mm512_set1_ps, _mm512_fmadd_ps)
READ(read_avx2, AVX2, vector8)
READ(read_avx512, AVX512, vector16)

/* Pairs: twice as many products an instruction. */
BF16 static double multiply_bf16(const float *unused) {
    enum { CHAINS = 16, LANES = 32 };
    __m512 s[CHAINS];
    __m512bh x = (__m512bh)_mm512_set1_epi16(0x3f80), y = (__m512bh)_mm512_set1_epi16(0x3000);
    (void)unused;
    for (int i = 0; i < CHAINS; i++) s[i] = _mm512_set1_ps((float)i);
    for (int r = 0; r < ROUNDS; r++)
        _Pragma("GCC unroll 16") for (int i = 0; i < CHAINS; i++) s[i] =
            _mm512_dpbf16_ps(s[i], x, y);
    for (int i = 1; i < CHAINS; i++) s[0] += s[i];
    sink = s[0][0];
    return 2.0 * ROUNDS * CHAINS * LANES;
}
#endif

/* The kernels of this processor; a NULL one it has not: bf16 without AVX512_BF16. That of AMX's
 * tiles is not measured: what oneDNN makes of them lies above this roof. */
typedef struct kernels {
    kernel multiply, bf16, read;
} kernels;

static kernels kernels_here(void) {
    kernels k = {multiply_plain, NULL, read_plain};
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        k = (kernels){multiply_avx2, NULL, read_avx2};
    if (__builtin_cpu_supports("avx512f")) k = (kernels){multiply_avx512, NULL, read_avx512};
    if (__builtin_cpu_supports("avx512bf16")) k.bf16 = multiply_bf16;
#endif
    return k;
}

/* One window: what this rank's threads do a second, together. x [threads, READ_BYTES]. Each thread
 * divides by its own time: none is cut off in the middle of a kernel. */
static double window(kernel run, float *const *x, int threads, double seconds) {
    double sum = 0;
#pragma omp parallel num_threads(threads) reduction(+ : sum)
    {
        double done = 0, began = timer_now(), now = began;
        while (now - began < seconds) {
            done += run(x[omp_get_thread_num()]);
            now = timer_now();
        }
        sum += done / (now - began);
    }
    return sum;
}

/* Of all ranks, in billions a second: the median window. Ranks start each at the same time.
 * Collective. */
static double measure(const comm *c, kernel run, float *const *x, int threads, double seconds) {
    double rate[WINDOWS];
    for (int i = 0; i < WINDOWS; i++) {
        comm_barrier(c);
        double mine = run ? window(run, x, threads, seconds / WINDOWS) : 0;
        rate[i] = phases_spread(c, mine).mean * comm_size(c) / 1e9;
    }
    return median_sort(rate, WINDOWS);
}

/* A thread's array is touched by the thread first: it then lies in the memory that is its own.
 * Constants differ, lest pages be merged. */
static status allocate(float **x, int threads) {
    bool failed = false;
#pragma omp parallel num_threads(threads) reduction(|| : failed)
    {
        int mine = omp_get_thread_num();
        x[mine] = memory_alloc(READ_BYTES, 1, "array to read");
        for (size_t i = 0; x[mine] && i < READ_BYTES / sizeof **x; i++)
            x[mine][i] = (float)(mine + 1);
        failed = !x[mine];
    }
    return failed ? STATUS_FAILED : STATUS_OK;
}

/* A processor without bf16 has 0 there, as has a job in which one rank's has none. */
status bench_roof(const comm *c, int argc, char **argv) {
    word_option o[OPTIONS] = {
        [THREADS] = {"--threads", NULL, "0", false}, [SECONDS] = {"--seconds", NULL, "0.2", false}};
    int64_t threads;
    status st = word_options(c, o, OPTIONS, argc, argv);
    if (st == STATUS_OK) st = word_number(c, &o[THREADS], 0, 4096, &threads);
    if (st != STATUS_OK) return st;
    if (threads == 0) threads = omp_get_max_threads();
    double seconds = strtod(o[SECONDS].value, NULL);
    kernels k = kernels_here();
    float **x = memory_alloc((size_t)threads, sizeof *x, "arrays");
    st = comm_agree(c, x ? allocate(x, (int)threads) : STATUS_FAILED);
    int32_t lacks = !k.bf16;
    comm_max_i32(c, &lacks, 1);
    if (st == STATUS_OK) {
        double fp32 = measure(c, k.multiply, x, (int)threads, seconds);
        double bf16 = measure(c, lacks ? NULL : k.bf16, x, (int)threads, seconds);
        double read = measure(c, k.read, x, (int)threads, seconds);
        if (comm_root(c))
            printf("{\"work\": \"roof\", \"ranks\": %d, \"threads\": %d, \"fp32_gflops\": %.6g, "
                   "\"bf16_gflops\": %.6g, \"read_gbps\": %.6g}\n",
                comm_size(c), (int)threads, fp32, bf16, read);
    }
    for (int i = 0; x && i < threads; i++) memory_free(x[i]);
    memory_free(x);
    return st;
}
