/* Both paths are made whole first: what they have in common goes, each folder that is left on the
 * way from `folder` is one step up. On the names alone, links and ".." would lead astray. */
#include "src/app/compare/relative.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes that the two have in common and that end at a whole name. */
static size_t common(const char *a, const char *b) {
    size_t last = 0, i = 0;
    for (; a[i] && a[i] == b[i]; i++)
        if (a[i] == '/') last = i;
    bool ends = (!a[i] || a[i] == '/') && (!b[i] || b[i] == '/');
    return ends ? i : last;
}

void relative_path(char *out, const char *folder, const char *path) {
    char *from = realpath(folder, NULL), *to = realpath(path, NULL);
    size_t n = 0;
    bool fits = from && to;
    if (fits) {
        size_t same = common(from, to);
        const char *rest = to + same;
        for (const char *at = from + same; *at && fits; at++) {
            bool name = *at != '/' && (at == from + same || at[-1] == '/');
            if (!name) continue;
            fits = n + 3 < FILE_PATH;
            if (fits) memcpy(out + n, "../", 3), n += 3;
        }
        if (*rest == '/') rest++;
        fits = fits && n + strlen(rest) + 2 < FILE_PATH;
        if (fits && *rest)
            snprintf(out + n, FILE_PATH - n, "%s", rest);
        else if (fits)
            snprintf(out + (n ? n - 1 : 0), 3, "%s", n ? "" : ".");
    }
    if (!fits) snprintf(out, FILE_PATH, "%s", path);
    free(from);
    free(to);
}
