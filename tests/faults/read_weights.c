/* read_weights FILE...: each file of weights is read whole, as a stage reads it, in a child of its
 * own. Prints how many were taken and refused, the longest time and the largest memory, and every
 * file that ended in another way than these two, took over 4 s or over 256 MB; ends with 1 if
 * there is one. For mutate_weights.py. */
#include "io/weights/tensor_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_KIB = 256 * 1024, BAD = 98 };
/* A mutated file takes some milliseconds, a header of 100,000 tensors half a second; more where the
 * machine is busy, and under sanitizers. */
static const double most_seconds = 4;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* What a stage does with it: read, compare, look at every tensor. A wrong file is one of input. */
static int read_one(const char *path) {
    tensor_file *f = NULL;
    unsigned char sum = 0;
    if (!freopen("/dev/null", "w", stderr)) return BAD;
    status st = tensor_file_read(&f, path);
    if (st == STATUS_OK) st = tensor_file_verify(f, NULL);
    for (int i = 0; st == STATUS_OK && i < tensor_file_count(f); i++) {
        tensor_info t = tensor_file_get(f, i);
        for (size_t k = 0; k < t.bytes; k++) sum ^= ((const unsigned char *)t.data)[k];
    }
    tensor_file_close(f);
    return st == STATUS_OK ? (sum == 255 ? 0 : 0) : st == STATUS_DATA ? 3 : BAD;
}

int main(int argc, char **argv) {
    int taken = 0, refused = 0, wrong = 0;
    double longest = 0;
    long largest = 0;
    for (int i = 1; i < argc; i++) {
        struct rusage used;
        int how;
        double began = now();
        pid_t child = fork();
        if (child == 0) _exit(read_one(argv[i]));
        if (child < 0 || wait4(child, &how, 0, &used) != child) return 2;
        double seconds = now() - began;
        int code = WIFEXITED(how) ? WEXITSTATUS(how) : -WTERMSIG(how);
        /* Processor time: the machine may be busy. */
        double own = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                     1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
        if (seconds < own) own = seconds;
        taken += code == 0;
        refused += code == 3;
        if (own > longest) longest = own;
        if (used.ru_maxrss > largest) largest = used.ru_maxrss;
        if ((code == 0 || code == 3) && own <= most_seconds && used.ru_maxrss <= MOST_KIB) continue;
        printf("%s: ended with %d after %.2f s, %ld KiB\n", argv[i], code, own, used.ru_maxrss);
        wrong++;
    }
    printf("%d files: %d read, %d refused, %d wrong; at most %.2f s, %ld KiB\n", argc - 1, taken,
        refused, wrong, longest, largest);
    return wrong > 0;
}
