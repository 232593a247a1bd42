/* Features of another program, for `auxseg check`: each image's file is looked for and its header
 * read, as the extraction does it; values are not. */
#include "src/app/features/extract_files.h"
#include "src/app/features/extract_maps.h"

#include "io/hdf5/features.h"
#include "src/app/tools/check_state.h"
#include "src/base/log.h"

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
    if (st == STATUS_OK) k->channels = extract_maps_d(m);
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
