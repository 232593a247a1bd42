/* The profile's reader. It is written by the program and read by the simulated ranks, each by
 * itself: a few hundred lines. Names that are not known are an error: the two programs were built
 * together. */
#include "mpi/forecast/profile.h"

#include "src/base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 256, MOST = 65536 };

/* Where a name's value goes; NULL: no such name. */
static double *find(profile *p, const char *name) {
    const struct {
        const char *name;
        double *value;
    } known[] = {{"images", &p->images}, {"forward", &p->forward}, {"loss", &p->loss},
        {"backward", &p->backward}, {"optimizer", &p->optimizer}, {"norms", &p->norms},
        {"add", &p->add}, {"extract", &p->extract}, {"assign", &p->assign}, {"update", &p->update},
        {"d", &p->d}, {"k", &p->k}, {"pool_pair", &p->pool_pair}, {"pool_row", &p->pool_row}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, name) == 0) return known[i].value;
    return NULL;
}

static bool read_line(profile *p, const char *line) {
    char name[LINE];
    double value;
    profile_ready r;
    if (line[0] == '#' || line[0] == '\n') return true;
    if (sscanf(line, "ready %zu %zu %lf", &r.offset, &r.count, &r.seconds) == 3) {
        if (p->parameters == MOST) return false;
        p->ready[p->parameters++] = r;
        return true;
    }
    if (sscanf(line, "%255s %lf", name, &value) != 2) return false;
    double *to = find(p, name);
    if (to) *to = value;
    return to;
}

status profile_read(profile *out, const char *path) {
    char line[LINE];
    profile p = {.ready = malloc(MOST * sizeof *p.ready)};
    FILE *f = fopen(path, "r");
    bool good = f && p.ready;
    while (good && fgets(line, sizeof line, f)) good = read_line(&p, line);
    if (!f)
        log_error("%s: %s", path, strerror(errno));
    else if (!good)
        log_error("%s: not a profile, or one of another version: %s", path, line);
    if (f) fclose(f);
    if (!good) profile_destroy(&p);
    if (good) *out = p;
    return good ? STATUS_OK : STATUS_DATA;
}

void profile_destroy(profile *p) {
    free(p->ready);
    *p = (profile){0};
}
