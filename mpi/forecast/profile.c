/* The profile's reader: a few hundred lines, written by the program, read by the first simulated
 * rank for all. Names that are not known are an error: the two programs were built together. So are
 * names that are not there, as of a measurement that was cut off: nothing takes no time. */
#include "mpi/forecast/profile.h"

#include "src/base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 256, MOST = 65536, INPUT = 5 };

static const struct known {
    const char *name;
    size_t offset;
} known[] = {{"images", offsetof(profile, images)}, {"forward", offsetof(profile, forward)},
    {"loss", offsetof(profile, loss)}, {"backward", offsetof(profile, backward)},
    {"optimizer", offsetof(profile, optimizer)}, {"norms", offsetof(profile, norms)},
    {"add", offsetof(profile, add)}, {"extract", offsetof(profile, extract)},
    {"assign", offsetof(profile, assign)}, {"update", offsetof(profile, update)},
    {"move", offsetof(profile, move)}, {"hash", offsetof(profile, hash)},
    {"d", offsetof(profile, d)}, {"k", offsetof(profile, k)}, {"depth", offsetof(profile, depth)},
    {"crop", offsetof(profile, crop)}, {"stride", offsetof(profile, stride)},
    {"parameters", offsetof(profile, declared)}, {"pool_pair", offsetof(profile, pool_pair)},
    {"pool_pack", offsetof(profile, pool_pack)}, {"pool_row", offsetof(profile, pool_row)},
    {"bf16", offsetof(profile, bf16)}, {"loss_bf16", offsetof(profile, loss_bf16)},
    {"frozen", offsetof(profile, frozen)}, {"forward_once", offsetof(profile, forward_once)},
    {"backward_once", offsetof(profile, backward_once)},
    {"extract_decode", offsetof(profile, extract_decode)},
    {"pretrain_decode", offsetof(profile, pretrain_decode)},
    {"finetune_decode", offsetof(profile, finetune_decode)},
    {"pretrain_view", offsetof(profile, pretrain_view)},
    {"finetune_view", offsetof(profile, finetune_view)}};
/* The last ones may be 0, or not there. */
enum { KNOWN = sizeof known / sizeof *known, ZERO = 10 };

static double *value_of(profile *p, const struct known *k) {
    return (double *)(void *)((char *)p + k->offset);
}

/* Where a name's value goes; NULL: no such name. */
static double *find(profile *p, const char *name) {
    for (int i = 0; i < KNOWN; i++)
        if (strcmp(known[i].name, name) == 0) return value_of(p, &known[i]);
    return NULL;
}

static bool read_line(profile *p, const char *line) {
    char name[LINE];
    double value;
    profile_ready r;
    if (line[0] == '#' || line[0] == '\n') return true;
    if (sscanf(line, "ready %zu %zu %lf %lf", &r.offset, &r.count, &r.seconds, &r.once) == 4) {
        if (p->parameters == MOST) return false;
        p->ready[p->parameters++] = r;
        return true;
    }
    if (sscanf(line, "%255s %lf", name, &value) != 2) return false;
    double *to = find(p, name);
    if (to) *to = value;
    return to;
}

/* Every name but the last has a value above 0, and every parameter a time; of the input all names
 * do, or none. */
static bool complete(profile *p, const char *path) {
    for (int i = 0; i < KNOWN - ZERO; i++) {
        if (*value_of(p, &known[i]) > 0) continue;
        log_error("%s: \"%s\" is missing: a profile that was cut off?", path, known[i].name);
        return false;
    }
    int input = (p->extract_decode > 0) + (p->pretrain_decode > 0) + (p->finetune_decode > 0) +
                (p->pretrain_view > 0) + (p->finetune_view > 0);
    if (input != 0 && input != INPUT) {
        log_error("%s: some times of the input are missing: a profile that was cut off?", path);
        return false;
    }
    if (p->parameters != (int)p->declared)
        log_error("%s: the times of %d parameters, of %.0f: a profile that was cut off?", path,
            p->parameters, p->declared);
    return p->parameters == (int)p->declared;
}

status profile_read(profile *out, const char *path) {
    char line[LINE] = "";
    profile p = {.ready = malloc(MOST * sizeof *p.ready)};
    FILE *f = fopen(path, "r");
    bool good = f && p.ready;
    while (good && fgets(line, sizeof line, f)) good = read_line(&p, line);
    if (!f)
        log_error("%s: %s", path, strerror(errno));
    else if (!good)
        log_error("%s: not a profile, or one of another version: %s", path, line);
    if (f) fclose(f);
    if (good) good = complete(&p, path);
    if (!good) profile_destroy(&p);
    if (good) *out = p;
    return good ? STATUS_OK : STATUS_DATA;
}

void profile_destroy(profile *p) {
    free(p->ready);
    *p = (profile){0};
}
