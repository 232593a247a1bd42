/* How much memory there is left, asked before a large block is planned. A batch system gives a job
 * a part of the node, as a limit of its control group: the node may have plenty left when the job
 * is killed for a page too much. Both versions of control groups are read, as sites have either,
 * and every group above the process' own, as any of them may hold the limit. The answer is a hint:
 * it never decides what a result is, only in how many parts it is computed. */
#include "src/base/memory.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { LINE = 4096 };

/* Where a kernel's version of control groups tells what it does. */
typedef struct group_files {
    const char *mount, *limit, *usage, *stat, *cached;
} group_files;

static const group_files version1 = {"/sys/fs/cgroup/memory", "memory.limit_in_bytes",
    "memory.usage_in_bytes", "memory.stat", "total_inactive_file "};
static const group_files version2 = {
    "/sys/fs/cgroup", "memory.max", "memory.current", "memory.stat", "inactive_file "};

/* The number after `key` at the start of a line of a file. */
static bool read_number(const char *path, const char *key, uint64_t *number) {
    char line[LINE];
    bool found = false;
    FILE *f = fopen(path, "r");
    while (f && !found && fgets(line, sizeof line, f))
        found = strncmp(line, key, strlen(key)) == 0 &&
                sscanf(line + strlen(key), "%" SCNu64, number) == 1;
    if (f) fclose(f);
    return found;
}

/* A file of a group; version 2's root group has none of them. */
static bool read_figure(const char *folder, const char *file, const char *key, uint64_t *number) {
    char path[2 * LINE];
    int n = snprintf(path, sizeof path, "%s/%s", folder, file);
    return n > 0 && (size_t)n < sizeof path && read_number(path, key, number);
}

/* What a group may still take: files that it has read and does not use would be dropped. */
static uint64_t left_in(const char *folder, const group_files *g) {
    uint64_t limit, usage, cached = 0;
    if (!read_figure(folder, g->limit, "", &limit) || !read_figure(folder, g->usage, "", &usage))
        return UINT64_MAX;
    read_figure(folder, g->stat, g->cached, &cached);
    usage = usage > cached ? usage - cached : 0;
    return limit > usage ? limit - usage : 0;
}

/* The group and those above it. A path that is another namespace's is not there: its root is. */
static uint64_t left_in_groups(const char *root, const group_files *g, const char *path) {
    char folder[2 * LINE];
    uint64_t least = UINT64_MAX;
    int mount = snprintf(folder, sizeof folder, "%s%s", root, g->mount);
    if (mount <= 0 || (size_t)mount + strlen(path) >= sizeof folder) return least;
    strcpy(folder + mount, path);
    for (char *end = folder + strlen(folder);;) {
        *end = '\0';
        uint64_t left = left_in(folder, g);
        if (left < least) least = left;
        if (end <= folder + mount) return least;
        while (end > folder + mount && *end != '/') end--;
    }
}

/* A line of /proc/self/cgroup is ID:CONTROLLERS:PATH. */
static uint64_t left_by_line(const char *root, char *line) {
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':');
    char *path = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!path) return UINT64_MAX;
    *path++ = '\0';
    if (controllers[1] == '\0') return left_in_groups(root, &version2, path);
    bool memory = strcmp(controllers + 1, "memory") == 0;
    return memory ? left_in_groups(root, &version1, path) : UINT64_MAX;
}

/* The least of what the node has and of what each group above this process has left. What cannot be
 * read limits nothing. */
size_t memory_available(const char *root) {
    char path[LINE], line[LINE];
    uint64_t least;
    snprintf(path, sizeof path, "%s/proc/meminfo", root);
    if (!read_number(path, "MemAvailable:", &least)) least = SIZE_MAX / 1024;
    least *= 1024;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f)) {
        uint64_t left = left_by_line(root, line);
        if (left < least) least = left;
    }
    if (f) fclose(f);
    return least < SIZE_MAX ? (size_t)least : SIZE_MAX;
}
