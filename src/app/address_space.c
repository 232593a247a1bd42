/* A limit of the address space (ulimit -v) under which MPI cannot begin, found before any library
 * does. Libraries begin before main: UCX's, which Open MPI 5 is linked with, then turns round for
 * ever where it cannot reserve what it wants, and the other ranks wait for it. A program's preinit
 * functions come before all libraries' own, the C library's included: hence nothing but system
 * calls here. Ranks alone are looked at: commands without MPI need less. */
#include "src/app/address_space.h"

#include "src/base/launcher.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef __SANITIZE_ADDRESS__

/* launcher_rank, of an environment that the C library does not have yet. */
static const char *rank_of(char **environment) {
    static const char *const names[] = LAUNCHER_RANKS;
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        for (char **e = environment; *e; e++) {
            size_t n = strlen(names[k]);
            if (strncmp(*e, names[k], n) == 0 && (*e)[n] == '=') return *e + n + 1;
        }
    return NULL;
}

/* text behind `to`; returns where the next begins. Room is the caller's matter. */
static char *put(char *to, const char *text, size_t most) {
    while (*text && most-- > 0) *to++ = *text++;
    return to;
}

static char *put_number(char *to, uint64_t n) {
    char digits[24], *d = digits + sizeof digits;
    do *--d = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    while (d < digits + sizeof digits) *to++ = *d++;
    return to;
}

static void look_first(int argc, char **argv, char **environment) {
    struct rlimit limit;
    char line[256], *to = line;
    const char *rank = rank_of(environment);
    (void)argc, (void)argv;
    if (!rank || getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
    void *p = mmap(
        NULL, ADDRESS_SPACE_OF_MPI, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p != MAP_FAILED) {
        munmap(p, ADDRESS_SPACE_OF_MPI);
        return;
    }
    to = put(to, "auxseg: error: rank ", 32);
    to = put(to, rank, 8);
    to = put(to, ": MPI: out of memory: ", 32);
    to = put_number(to, ADDRESS_SPACE_OF_MPI);
    to = put(to, " bytes of address space are wanted, which is limited to ", 64);
    to = put_number(to, limit.rlim_cur);
    to = put(to, " (ulimit -v)\n", 32);
    if (write(STDERR_FILENO, line, (size_t)(to - line)) < 0) _exit(1);
    _exit(1);
}

__attribute__((section(".preinit_array"), used)) static void (*const first)(
    int, char **, char **) = look_first;

#endif
