/* Features of another program, for `auxseg check`: each image's file is looked for and its header
 * read, as the extraction does it. Of maps, values too, of as many as takes a second or two: a
 * network that has diverged leaves what is not finite in all of them. */
#include "src/app/features/extract_files.h"
#include "src/app/features/extract_maps.h"

#include "io/hdf5/features.h"
#include "src/app/tools/check_state.h"
#include "src/base/log.h"
#include "src/base/memory.h"

/* About a second of reading. */
static const double read_bytes = 512e6;

/* At even distances. Every map that is bad is named. */
static void read_values(check *k, const extract_maps *m) {
    double all = k->rows * extract_maps_d(m) * sizeof(float);
    int count = all > read_bytes ? (int)(k->train * read_bytes / all) + 1 : k->train;
    for (int i = 0; i < count; i++) {
        int64_t at = (int64_t)i * k->train / count;
        int h, w, d = extract_maps_d(m);
        extract_maps_shape(m, at, &h, &w);
        float *rows = memory_alloc((size_t)h * (size_t)w, (size_t)d * sizeof *rows, "map");
        status st = rows ? extract_maps_rows(m, at, rows) : STATUS_FAILED;
        if (st == STATUS_OK)
            st = extract_maps_finite(extract_maps_path(m, at), k->name[at], rows, h, w, d);
        memory_free(rows);
        check_note(k, st);
    }
    if (count < k->train)
        log_info("%d of %d maps of features: values read; extraction reads all", count, k->train);
}

/* Of a folder of maps. Where some images' sizes are not known nothing can be told of what fits. */
static status check_maps(check *k) {
    const extract_images images = {k->name, k->height, k->width, k->train};
    extract_maps *m = NULL;
    for (int i = 0; i < k->train; i++)
        if (k->height[i] == 0) return STATUS_OK;
    status st = extract_maps_open(&m, NULL, k->s, &images);
    for (int i = 0; st == STATUS_OK && i < k->train; i++) {
        int h, w;
        extract_maps_shape(m, i, &h, &w);
        k->rows += (double)h * w;
    }
    if (st == STATUS_OK) {
        k->channels = extract_maps_d(m);
        read_values(k, m);
    }
    extract_maps_close(m);
    return st;
}

void check_features(check *k) {
    const char *path = k->s->extract.files;
    features_info about;
    if (!k->name || k->train == 0) return;
    if (!extract_files_is_one(k->s)) {
        check_note(k, check_maps(k));
        return;
    }
    status st = features_about(path, &about);
    check_note(k, st);
    if (st != STATUS_OK) return;
    k->channels = about.d;
    k->rows = (double)about.rows;
    if (about.images == k->train) return;
    log_error("%s: features of %lld images; there are %d training images", path,
        (long long)about.images, k->train);
    check_note(k, STATUS_DATA);
}
