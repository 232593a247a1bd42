/* What the file of a prediction is called. All images of a split are named in the same way, whether
 * all of them are predicted or a few, so that a name does not depend on how many were asked for:
 * the file's own name, or, where two would be alike, the whole path with "_" for "/". */
#include "src/app/stage/prediction_names.h"

#include "src/base/log.h"
#include "src/base/memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ENDING ".png"

/* Length without the ending of a picture's file. Only endings of pictures: a name may have dots of
 * its own. */
static size_t stem_length(const char *name) {
    static const char *const known[] = {".png", ".jpg", ".jpeg"};
    size_t n = strlen(name);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t m = strlen(known[i]);
        if (n > m && strcasecmp(name + n - m, known[i]) == 0) return n - m;
    }
    return n;
}

/* `whole`: the path, not the file alone. Returns the end of the name and its zero. */
static char *write_name(char *to, const char *name, bool whole) {
    const char *slash = strrchr(name, '/');
    const char *from = slash && !whole ? slash + 1 : name;
    size_t n = stem_length(from);
    for (size_t i = 0; i < n; i++) *to++ = from[i] == '/' ? '_' : from[i];
    memcpy(to, ENDING, sizeof ENDING);
    return to + sizeof ENDING;
}

/* An image and what its prediction is called. */
typedef struct named {
    const char *name, *image;
} named;

static int by_name(const void *pa, const void *pb) {
    const named *a = pa, *b = pb;
    int order = strcmp(a->name, b->name);
    return order ? order : strcmp(a->image, b->image);
}

/* Two images with one name: sorted [count] is written; NULL if there are none. The first by name,
 * then by image, so that the message is the same whatever qsort does with equals. */
static const named *find_twins(
    char *const *name, const char *const *image, int count, named *sorted) {
    for (int i = 0; i < count; i++) sorted[i] = (named){name[i], image[i]};
    qsort(sorted, (size_t)count, sizeof *sorted, by_name);
    for (int i = 1; i < count; i++)
        if (strcmp(sorted[i - 1].name, sorted[i].name) == 0) return &sorted[i - 1];
    return NULL;
}

/* Short names if they do, else long ones, for all alike: names of a folder that follow two rules
 * would be hard to use. all [count]: made here, with the names behind the pointers. *twins: two
 * that are alike all the same, in sorted; NULL: there are none. */
static void make_names(
    const char *const *name, int count, char **all, named *sorted, const named **twins) {
    *twins = NULL;
    for (int whole = 0; whole < 2; whole++) {
        char *at = (char *)(all + count);
        for (int i = 0; i < count; i++) {
            all[i] = at;
            at = write_name(at, name[i], whole);
        }
        *twins = find_twins(all, name, count, sorted);
        if (!*twins) break;
    }
}

/* What make_names needs; both are the caller's. */
static status allocate(const char *const *name, int count, char ***all, named **sorted) {
    size_t bytes = (size_t)count * sizeof(char *);
    for (int i = 0; i < count; i++) bytes += strlen(name[i]) + sizeof ENDING;
    *all = memory_alloc(bytes, 1, "names of predictions");
    *sorted = memory_alloc((size_t)count, sizeof **sorted, "names of predictions");
    return *all && *sorted ? STATUS_OK : STATUS_FAILED;
}

status prediction_names(const char *const *name, int count, char ***out) {
    char **all;
    named *sorted;
    const named *twins = NULL;
    status st = allocate(name, count, &all, &sorted);
    if (st == STATUS_OK) make_names(name, count, all, sorted, &twins);
    if (twins) {
        log_error("predictions of %s and of %s would both be called %s: one of the images needs "
                  "another name",
            twins[0].image, twins[1].image, twins[0].name);
        st = STATUS_DATA;
    }
    memory_free(sorted);
    if (st == STATUS_OK)
        *out = all;
    else
        memory_free(all);
    return st;
}

status prediction_names_warn(const char *const *name, int count) {
    char **all;
    named *sorted;
    const named *twins = NULL;
    status st = allocate(name, count, &all, &sorted);
    if (st == STATUS_OK) make_names(name, count, all, sorted, &twins);
    if (twins)
        log_warn("%s and %s: their predictions would both be called %s, which `predict` refuses",
            twins[0].image, twins[1].image, twins[0].name);
    memory_free(sorted);
    memory_free(all);
    return st;
}
