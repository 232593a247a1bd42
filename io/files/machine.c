/* The facts that a result is compared by across machines: what program, on what processor, with
 * which libraries. Each is one small function in a table, asked for only when somebody looks. They
 * explain why two results differ and how long they took; no result depends on them. A fact that
 * cannot be had is an empty text, never an error: a record without it is better than none. Versions
 * are those of the libraries that run where these can be asked (MPI, libpng, oneDNN), else of the
 * headers that the program was built with. */
#include "io/files/machine.h"

#include "src/base/version.h"
#include "src/nn/plan/plan.h"

#include <hdf5.h>
#include <jansson.h>
#include <mpi.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* First line of /proc/cpuinfo that begins with `key`, after the colon; "" if there is none. No
 * library: what the kernel says is what the program can use. */
static void cpu_line(const char *key, char *text, size_t size) {
    char *line = NULL;
    size_t capacity = 0;
    FILE *f = fopen("/proc/cpuinfo", "re");
    text[0] = '\0';
    while (f && getline(&line, &capacity, f) > 0) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, key, strlen(key)) != 0 || !colon) continue;
        snprintf(text, size, "%s", colon + 1 + strspn(colon + 1, " "));
        text[strcspn(text, "\n")] = '\0';
        break;
    }
    free(line);
    if (f) fclose(f);
}

static void fact_version(char *text) {
    snprintf(text, MACHINE_TEXT, "%s, commit %.100s", AUXSEG_VERSION, version_commit);
}

static void fact_compiler(char *text) {
    snprintf(text, MACHINE_TEXT, "%s", __VERSION__);
}

/* A name that is longer than the room for it may come without its end. */
static void fact_host(char *text) {
    if (gethostname(text, MACHINE_TEXT) != 0) text[0] = '\0';
    text[MACHINE_TEXT - 1] = '\0';
}

static void fact_system(char *text) {
    struct utsname u;
    if (uname(&u) == 0)
        snprintf(text, MACHINE_TEXT, "%.60s %.60s %.60s", u.sysname, u.release, u.machine);
}

/* A virtual machine may hide its model, so that instructions are listed as well. */
static void fact_processor(char *text) {
    cpu_line("model name", text, MACHINE_TEXT);
}

/* What the processor has of the instruction sets that matter here: x86's `flags`, Arm's `Features`.
 * In the kernel's order; longer lines than there is room for are cut. */
static void fact_instructions(char *text) {
    static const char *const wanted[] = {"avx", "avx2", "fma", "avx512f", "avx512_vnni",
        "avx512_bf16", "amx_bf16", "amx_tile", "asimd", "sve", "bf16"};
    char flags[8192], *rest = flags;
    cpu_line("flags", flags, sizeof flags);
    if (!flags[0]) cpu_line("Features", flags, sizeof flags);
    size_t n = 0;
    text[0] = '\0';
    for (char *flag; (flag = strsep(&rest, " "));)
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
            if (strcmp(flag, wanted[i]) == 0 && n + strlen(flag) + 2 < MACHINE_TEXT)
                n += (size_t)snprintf(text + n, MACHINE_TEXT - n, "%s%s", n ? " " : "", flag);
}

static void fact_cores(char *text) {
    snprintf(text, MACHINE_TEXT, "%ld", sysconf(_SC_NPROCESSORS_ONLN));
}

static void fact_onednn(char *text) {
    plan_describe(text, MACHINE_TEXT);
}

/* Implementations tell their build's history after the first comma or line: their name and version
 * are enough. */
static void fact_mpi(char *text) {
    char all[MPI_MAX_LIBRARY_VERSION_STRING];
    int length = 0;
    MPI_Get_library_version(all, &length);
    all[strcspn(all, ",\n")] = '\0';
    snprintf(text, MACHINE_TEXT, "%.*s", MACHINE_TEXT - 1, all);
}

static void fact_hdf5(char *text) {
    snprintf(text, MACHINE_TEXT, "%d.%d.%d", H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE);
}

static void fact_png(char *text) {
    snprintf(text, MACHINE_TEXT, "%s", png_get_libpng_ver(NULL));
}

static void fact_jansson(char *text) {
    snprintf(text, MACHINE_TEXT, "%s", JANSSON_VERSION);
}

/* One table, so that --version, the record and the page show the same facts in the same order. A
 * text that the fact leaves alone is empty. */
bool machine_fact(int index, const char **key, char *text) {
    static const struct {
        const char *key;
        void (*fact)(char *text);
    } facts[] = {{"auxseg", fact_version}, {"compiler", fact_compiler}, {"host", fact_host},
        {"system", fact_system}, {"processor", fact_processor}, {"instructions", fact_instructions},
        {"cores", fact_cores}, {"onednn", fact_onednn}, {"mpi", fact_mpi}, {"hdf5", fact_hdf5},
        {"libpng", fact_png}, {"jansson", fact_jansson}};
    if (index < 0 || index >= (int)(sizeof facts / sizeof *facts)) return false;
    text[0] = '\0';
    facts[index].fact(text);
    *key = facts[index].key;
    return true;
}
