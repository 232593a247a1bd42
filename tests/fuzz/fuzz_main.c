/* A driver for machines without libFuzzer, and for ctest: every file of a corpus as it is, then
 * mutations of them, the same ones every time.
 * TARGET [--runs N] [--seed S] FOLDER...
 * Fails where an input takes over 5 s or the process over 256 MiB more than after the corpus; a
 * crash leaves the input in the file TARGET.crash. */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LONGEST = 1 << 16, MOST_SEEDS = 4096, SECONDS = 5, MEBIBYTES = 256 };

typedef struct text {
    unsigned char *data;
    size_t size;
} text;

static text seed[MOST_SEEDS];
static int seeds, report = 2; /* report: the standard error that messages of ours go to */
static unsigned char input[LONGEST];
static size_t used;
static char crash[256];
static uint64_t state;

/* splitmix64 */
static uint64_t random_bits(void) {
    uint64_t z = state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static size_t below(size_t n) {
    return n ? random_bits() % n : 0;
}

/* Only what a signal handler may do. */
static void on_signal(int number) {
    static const char words[] = "crash or time-out: the input is kept beside the program\n";
    int fd = open(crash, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd >= 0 && write(fd, input, used) >= 0) close(fd);
    if (write(report, words, sizeof words - 1) < 0) _exit(98);
    signal(number, SIG_DFL);
    raise(number);
}

static void take_file(const char *path) {
    FILE *f = fopen(path, "rb");
    if (!f || seeds == MOST_SEEDS) exit(2);
    text *t = &seed[seeds++];
    t->data = malloc(LONGEST);
    if (!t->data) exit(2);
    t->size = fread(t->data, 1, LONGEST, f);
    fclose(f);
}

/* In the order of names, as mutations shall not depend on the file system. */
static void take_folder(const char *path) {
    struct dirent **entry;
    char name[4096];
    int n = scandir(path, &entry, NULL, alphasort);
    if (n < 0) exit(2);
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof name, "%s/%s", path, entry[i]->d_name);
        if (entry[i]->d_name[0] != '.') take_file(name);
        free(entry[i]);
    }
    free(entry);
}

/* Room for `more` bytes at `at`. */
static void widen(size_t at, size_t more) {
    if (used + more > LONGEST) return;
    memmove(input + at + more, input + at, used - at);
    used += more;
}

static void narrow(size_t at, size_t less) {
    memmove(input + at, input + at + less, used - at - less);
    used -= less;
}

/* Numbers on which readers of sizes go wrong. */
static void put_number(size_t at) {
    static const uint64_t odd[] = {0, 1, 127, 128, 255, 256, 32767, 65535, 65536, INT32_MAX,
        UINT32_MAX, 1ull << 32, INT64_MAX, UINT64_MAX};
    uint64_t v = odd[below(sizeof odd / sizeof *odd)];
    size_t bytes = (size_t)1 << below(4);
    bool swapped = below(2);
    for (size_t i = 0; i < bytes && at + i < used; i++)
        input[at + i] = (unsigned char)(v >> 8 * (swapped ? bytes - 1 - i : i));
}

static void mutate(void) {
    size_t at = below(used), length = below(1 + below(used - at < 64 ? used - at : 64));
    const text *other = &seed[below((size_t)seeds)];
    size_t from = below(other->size), rest = other->size - from;
    if (rest > 64) rest = 64;
    switch (used ? below(7) : 3) {
    case 0:
        input[at] ^= (unsigned char)(1 << below(8));
        break;
    case 1:
        input[at] = (unsigned char)random_bits();
        break;
    case 2:
        put_number(at);
        break;
    case 3:
        if (used + rest > LONGEST) break;
        widen(at, rest);
        memcpy(input + at, other->data + from, rest);
        break;
    case 4:
        narrow(at, length);
        break;
    case 5:
        memmove(input + below(used - length), input + at, length);
        break;
    case 6:
        if (below(8) == 0) used = at;
        break;
    }
}

static void one(void) {
    /* A block of its own size, so that a sanitizer sees a read beyond its end. */
    unsigned char *copy = malloc(used ? used : 1);
    if (!copy) exit(2);
    memcpy(copy, input, used);
    alarm(SECONDS);
    LLVMFuzzerTestOneInput(copy, used);
    alarm(0);
    free(copy);
}

static long peak_mebibytes(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss / 1024;
}

int main(int argc, char **argv) {
    long runs = 0;
    int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--runs") == 0 && i + 1 < argc)
            runs = atol(argv[++i]);
        else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            state = (uint64_t)atol(argv[++i]);
        else
            take_folder(argv[i]);
    }
    if (seeds == 0) return 2;
    snprintf(crash, sizeof crash, "%s.crash", argv[0]);
    /* What readers say of thousands of bad files is no news. */
    report = dup(2);
    if (report < 0 || !freopen("/dev/null", "w", stderr) || !freopen("/dev/null", "w", stdout))
        return 2;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) signal(signals[i], on_signal);
    for (int i = 0; i < seeds; i++) {
        memcpy(input, seed[i].data, used = seed[i].size);
        one();
    }
    long before = peak_mebibytes();
    for (long i = 0; i < runs; i++) {
        const text *t = &seed[below((size_t)seeds)];
        memcpy(input, t->data, used = t->size);
        for (size_t k = 1 + below(8); k > 0; k--) mutate();
        one();
    }
    long more = peak_mebibytes() - before;
    dprintf(report, "%d files, %ld mutations, %ld MiB more\n", seeds, runs, more);
    return more > MEBIBYTES;
}
