/* Maps of an extractor that this program does not know. What a file is called and how its array is
 * laid out is the user's choice within rules that leave one reading: a file that could be read in
 * two ways is refused, as wrong features give labels that look like any others. */
#include "src/app/features/extract_maps.h"

#include "io/files/file.h"
#include "io/files/npy_map.h"
#include "mpi/shard.h"
#include "src/app/features/extract_map_names.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/label/features.h"

#include <limits.h>
#include <math.h>
#include <string.h>

enum { NAMED = 3 }; /* files that a rank names, of a kind */

/* The two orders of dimensions. */
enum { HWD, DHW, ORDERS };

struct extract_maps {
    const comm *c;
    const char *folder;
    extract_images images; /* borrowed */
    int64_t first, count;  /* this rank's */
    char **path;           /* [count], owned */
    npy_info *about;       /* [count] */
    bool channels_first;
    int d;
};

void extract_maps_close(extract_maps *m) {
    if (!m) return;
    for (int64_t i = 0; m->path && i < m->count; i++) memory_free(m->path[i]);
    memory_free(m->path);
    memory_free(m->about);
    memory_free(m);
}

int extract_maps_d(const extract_maps *m) {
    return m->d;
}

/* Numbers below 2^31: npy_map_check has seen to it. */
static void grid_of(const npy_info *a, int order, int *h, int *w, int *d) {
    int first = order == DHW;
    *h = (int)a->shape[first];
    *w = (int)a->shape[first + 1];
    *d = (int)a->shape[order == DHW ? 0 : 2];
}

void extract_maps_shape(const extract_maps *m, int64_t i, int *height, int *width) {
    int d;
    grid_of(&m->about[i], m->channels_first ? DHW : HWD, height, width, &d);
}

double extract_maps_rounding(const extract_maps *m, int64_t i) {
    return npy_map_rounding(&m->about[i]);
}

const char *extract_maps_path(const extract_maps *m, int64_t i) {
    return m->path[i];
}

status extract_maps_rows(const extract_maps *m, int64_t i, float *to) {
    return npy_map_read(m->path[i], &m->about[i], m->channels_first, to);
}

/* NaN compares with nothing. */
status extract_maps_finite(
    const char *path, const char *image, const float *rows, int height, int width, int d) {
    const double limit = ldexp(1, FEATURES_LARGE);
    size_t columns = (size_t)width, channels = (size_t)d, n = (size_t)height * columns * channels;
    for (size_t at = 0; at < n; at++) {
        if (fabs((double)rows[at]) <= limit) continue;
        size_t row = at / channels;
        log_error("%s: image %s: line %zu, column %zu, channel %zu is not finite, or beyond 2^%d",
            path, image, row / columns, row % columns, at % channels, FEATURES_LARGE);
        return STATUS_NONFINITE;
    }
    return STATUS_OK;
}

/* One stride s must lead to both numbers, each rounded down or up: height / s lies between h - 1
 * and h + 1, width / s between w - 1 and w + 1. */
bool extract_maps_fits(int height, int width, int64_t h, int64_t w) {
    if (h < 1 || w < 1 || h > height || w > width) return false;
    double low_y = (double)height / (double)(h + 1), low_x = (double)width / (double)(w + 1);
    double high_y = h > 1 ? (double)height / (double)(h - 1) : (double)INT_MAX;
    double high_x = w > 1 ? (double)width / (double)(w - 1) : (double)INT_MAX;
    return low_y < high_x && low_x < high_y;
}

/* The file of every image of this rank, and its header. All that is missing is counted, some of it
 * is named. */
static status find_files(extract_maps *m, int64_t *missing) {
    map_names *names;
    status worst = STATUS_OK, st = map_names_create(&names, &m->images);
    if (st != STATUS_OK) return st;
    for (int64_t i = 0; i < m->count; i++) {
        bool there;
        st = map_names_find(names, m->folder, m->first + i, &m->path[i], &there);
        if (st == STATUS_OK && !there) {
            if ((*missing)++ < NAMED)
                log_error("%s: image %s has no file: %s is not there", m->folder,
                    m->images.name[m->first + i], m->path[i]);
            st = STATUS_DATA;
        } else if (st == STATUS_OK) {
            st = npy_about(m->path[i], &m->about[i]);
            if (st == STATUS_OK) st = npy_map_check(m->path[i], &m->about[i]);
        }
        if (st == STATUS_FAILED) break;
        if (st != STATUS_OK) worst = st;
    }
    if (worst == STATUS_OK && comm_root(m->c)) map_names_surplus(names, m->folder);
    map_names_destroy(names);
    return st == STATUS_FAILED ? st : worst;
}

static bool fits(const extract_maps *m, int64_t i, int order, int *d) {
    int h, w;
    grid_of(&m->about[i], order, &h, &w, d);
    return extract_maps_fits(m->images.height[m->first + i], m->images.width[m->first + i], h, w);
}

/* Whether all maps of all ranks can be read in an order: they fit their images and have one D.
 * Collective. */
static bool order_fits(const extract_maps *m, int order, int *d) {
    enum { BAD, MOST, LEAST };
    int32_t all[] = {0, -INT_MAX, -INT_MAX};
    for (int64_t i = 0; i < m->count; i++) {
        int mine;
        if (!fits(m, i, order, &mine)) all[BAD] = 1;
        if (mine > all[MOST]) all[MOST] = mine;
        if (-mine > all[LEAST]) all[LEAST] = -mine;
    }
    comm_max_i32(m->c, all, 3);
    *d = all[MOST];
    return !all[BAD] && all[MOST] == -all[LEAST];
}

/* Names the first map of this rank that does not fit in the order wanted (ORDERS: in either), or
 * how D differs. */
static void name_misfit(const extract_maps *m, int order, int d) {
    static const char *const words[] = {
        "as [h, w, D]", "as [D, h, w]", "neither as [h, w, D] nor as [D, h, w]"};
    for (int64_t i = 0; i < m->count; i++) {
        int mine = 0, other;
        bool hwd = fits(m, i, HWD, &mine), dhw = fits(m, i, DHW, &other);
        bool good = order == HWD ? hwd : order == DHW ? dhw : hwd || dhw;
        const uint64_t *shape = m->about[i].shape;
        if (order == DHW || (order == ORDERS && !hwd)) mine = other;
        if (good && mine == d) continue;
        if (good)
            log_error("%s: D = %d here and %d in another file", m->path[i], mine, d);
        else
            log_error("%s: an array of %llu x %llu x %llu does not cover its image of %d x %d "
                      "evenly, %s%s",
                m->path[i], (unsigned long long)shape[0], (unsigned long long)shape[1],
                (unsigned long long)shape[2], m->images.height[m->first + i],
                m->images.width[m->first + i], order == ORDERS ? "" : "read ", words[order]);
        return;
    }
}

/* The order that extract.files_order says, or the only one that all maps have. Collective. */
static status find_order(extract_maps *m, extract_files_order wanted) {
    int d[ORDERS];
    bool good[ORDERS] = {order_fits(m, HWD, &d[HWD]), order_fits(m, DHW, &d[DHW])};
    int order = ORDERS; /* not known */
    if (wanted != EXTRACT_FILES_ORDER_AUTO)
        order = wanted == EXTRACT_FILES_ORDER_DHW ? DHW : HWD;
    else if (good[HWD] != good[DHW])
        order = good[DHW] ? DHW : HWD;
    if (order < ORDERS && good[order]) {
        m->channels_first = order == DHW;
        m->d = d[order];
        return STATUS_OK;
    }
    bool both = order == ORDERS && good[HWD];
    if (both && comm_root(m->c))
        log_error("%s: all maps fit as [h, w, D] and as [D, h, w]: extract.files_order must say "
                  "which it is",
            m->folder);
    else if (!both)
        name_misfit(m, order, d[order == DHW]);
    return both ? STATUS_USAGE : STATUS_DATA;
}

/* What all ranks have found. Collective. */
static status agree_missing(const extract_maps *m, status st, int64_t missing) {
    comm_sum_i64(m->c, &missing, 1);
    st = comm_agree(m->c, st);
    if (missing > 0 && comm_root(m->c))
        log_error("%s: %lld of %lld training images have no file", m->folder, (long long)missing,
            (long long)m->images.count);
    return st;
}

status extract_maps_open(
    extract_maps **out, const comm *c, const settings *s, const extract_images *images) {
    extract_maps *m = memory_alloc(1, sizeof *m, "maps");
    int64_t missing = 0;
    *out = NULL;
    status st = comm_agree(c, m ? STATUS_OK : STATUS_FAILED);
    if (st != STATUS_OK) goto done;
    *m = (extract_maps){.c = c, .folder = s->extract.files, .images = *images};
    m->first = shard_begin(images->count, comm_rank(c), comm_size(c));
    m->count = shard_begin(images->count, comm_rank(c) + 1, comm_size(c)) - m->first;
    m->path = memory_alloc((size_t)m->count, sizeof *m->path, "maps");
    m->about = memory_alloc((size_t)m->count, sizeof *m->about, "maps");
    st = m->path && m->about ? find_files(m, &missing) : STATUS_FAILED;
    st = agree_missing(m, st, missing);
    if (st == STATUS_OK) st = find_order(m, s->extract.files_order);
    st = comm_agree(c, st);
done:
    if (st == STATUS_OK)
        *out = m;
    else
        extract_maps_close(m);
    return st;
}

/* Hashes of single files, each nonzero on one rank alone, are shared by adding them. */
status extract_maps_hash(const extract_maps *m, uint64_t *hash) {
    size_t n = (size_t)m->images.count;
    int64_t *all = memory_alloc(n, sizeof *all, "hashes of files");
    status st = all ? STATUS_OK : STATUS_FAILED;
    for (int64_t i = 0; st == STATUS_OK && i < m->count; i++) {
        uint64_t one;
        st = file_hash(m->path[i], &one);
        memcpy(&all[m->first + i], &one, sizeof one);
    }
    st = comm_agree(m->c, st);
    if (st == STATUS_OK) {
        comm_sum_i64(m->c, all, n);
        *hash = hash_append(
            hash_bytes(&m->channels_first, sizeof m->channels_first), all, n * sizeof *all);
    }
    memory_free(all);
    return st;
}
