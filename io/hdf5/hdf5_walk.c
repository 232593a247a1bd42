/* The process that looks at a file before another uses it: opens what readers of this program open,
 * in their way and by their checks, so that what the library cannot stand happens here. Opening and
 * walking takes some hundredths of a second; the arrays themselves are not read, as plain arrays
 * are bytes. */
#include "io/hdf5/hdf5_walk.h"

#include "io/hdf5/hdf5.h"
#include "io/hdf5/hdf5_object.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Seconds of the processor, and bytes beyond those of the program. */
enum { CPU_SECONDS = 3, MEMORY = 256 << 20 };

/* What readers ask for, of all kinds of files: absent ones are passed over. */
static const char *const arrays[] = {"/images/name", "/images/split", "/images/data",
    "/images/offset", "/images/shape", "/images/hash", "/images/orientation", "/annotations/data",
    "/annotations/offset", "/annotations/shape", "/annotations/hash", "/annotations/orientation",
    "/label_map", "/label_colours", "/labels/data", "/labels/offset", "/labels/shape",
    "/labels/name", "/labels/hash", "/centroids", "/typical/distance", "/typical/image",
    "/typical/pixel", "/features/data", "/features/offset", "/features/shape", "/features/name",
    "/features/hash"};
static const char *const attributes[] = {"format", "program", "classes", "ignore", "names",
    "splits", "hash", "max_side", "k", "iterations", "objective", "outlier_threshold", "method",
    "metric", "dataset", "checksum", "dtype", "stride", "layers", "key"};

/* Of an address space: what the program takes by itself differs from site to site. Sanitizers take
 * terabytes, and are left alone. A request to stop goes to all processes of a job: whoever waits
 * here answers it. */
static void limit_process(void) {
    static const int meant_for_others[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};
    struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS + 1}, core = {0, 0};
    setrlimit(RLIMIT_CPU, &cpu);
    setrlimit(RLIMIT_CORE, &core);
    for (size_t i = 0; i < sizeof meant_for_others / sizeof *meant_for_others; i++)
        signal(meant_for_others[i], SIG_IGN);
#ifndef AUXSEG_SANITIZED
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f && fscanf(f, "%lu", &pages) == 1) {
        rlim_t bytes = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + MEMORY;
        struct rlimit memory;
        if (getrlimit(RLIMIT_AS, &memory) == 0 && bytes < memory.rlim_cur) {
            memory.rlim_cur = bytes;
            setrlimit(RLIMIT_AS, &memory);
        }
    }
    if (f) fclose(f);
#endif
}

/* Step by step, so that an absent group is not asked for its members. */
static bool is_there(hid_t file, const char *name) {
    char part[64];
    size_t n = strlen(name);
    for (size_t i = 1; i <= n && n < sizeof part; i++) {
        if (name[i] != '/' && name[i] != '\0') continue;
        memcpy(part, name, i);
        part[i] = '\0';
        if (H5Lexists(file, part, H5P_DEFAULT) <= 0) return false;
    }
    return n < sizeof part;
}

/* An attribute is opened and looked at, whatever it is: what may be in it is the reader's to say.
 */
static void look_at_attribute(hid_t file, const char *name) {
    hid_t a = H5Aopen_by_name(file, "/", name, H5P_DEFAULT, H5P_DEFAULT);
    hid_t type = a >= 0 ? H5Aget_type(a) : H5I_INVALID_HID;
    hid_t space = a >= 0 ? H5Aget_space(a) : H5I_INVALID_HID;
    char text[1 << 16];
    bool single = space >= 0 && H5Sget_simple_extent_npoints(space) == 1;
    if (single && type >= 0 && H5Tcommitted(type) == 0 && H5Tis_variable_str(type) == 0 &&
        H5Tget_class(type) <= H5T_STRING && H5Tget_size(type) < sizeof text)
        H5Aread(a, type, text);
    if (space >= 0) H5Sclose(space);
    if (type >= 0) H5Tclose(type);
    if (a >= 0) H5Aclose(a);
}

/* It writes to whom it tells that the file is now being looked at: what happens from there on is
 * the file's fault. */
status hdf5_walk(const char *path) {
    hid_t file;
    status st = STATUS_OK;
    limit_process();
    if (write(STDOUT_FILENO, "w", 1) != 1) return STATUS_FAILED;
    st = hdf5_open(&file, path);
    if (st != STATUS_OK) return st;
    for (size_t i = 0; st == STATUS_OK && i < sizeof arrays / sizeof *arrays; i++) {
        hdf5_object o = {0};
        if (!is_there(file, arrays[i])) continue;
        st = hdf5_object_open(&o, file, path, arrays[i]);
        hdf5_object_close(&o);
    }
    for (size_t i = 0; st == STATUS_OK && i < sizeof attributes / sizeof *attributes; i++)
        if (H5Aexists(file, attributes[i]) > 0) look_at_attribute(file, attributes[i]);
    H5Fclose(file);
    return st;
}
