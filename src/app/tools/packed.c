/* dataset.h5 holds the encoded images: once it is there, nothing needs the files that it was made
 * of, and on a cluster they are often removed, or staged in for one job alone. The key of packing
 * is of settings and of what the files look like from outside; the second half is kept in run.json,
 * so that the key can still be made when there is nothing to look at. A list that is there and
 * names other images, or one image that is missing among others, is no such case: that is a
 * mistake, and packing says which. */
#include "src/app/tools/packed.h"

#include "io/dataset/layout.h"
#include "io/dataset/layout_share.h"
#include "io/files/file.h"
#include "src/app/stage/output.h"
#include "src/app/stage/stage_list.h"
#include "src/base/hash.h"

static const char stamp_name[] = "sources";

uint64_t packed_key(const settings *s, uint64_t stamp) {
    const uint64_t part[2] = {settings_hash(s, stage_about(STAGE_PACK)->groups), stamp};
    return hash_bytes(part, sizeof part);
}

status packed_keep(run_record *r, uint64_t stamp) {
    return run_record_set_hash(r, stamp_name, stamp);
}

bool packed_before(const run_record *r, const settings *s, uint64_t *key) {
    uint64_t stamp;
    if (!r || !run_record_get_hash(r, stamp_name, &stamp)) return false;
    *key = packed_key(s, stamp);
    return run_record_stage_done(r, stage_id_words[STAGE_PACK], *key, NULL);
}

status packed_sources(const settings *s, uint64_t *stamp, bool *gone) {
    int found = 0;
    *stamp = 0;
    *gone = !layout_there(s);
    if (*gone) return STATUS_OK;
    status st = layout_stamp(NULL, s, stamp, &found);
    *gone = st == STATUS_OK && found == 0;
    return st;
}

/* The record's checksum comes first: opening a damaged one would set it aside. */
bool packed_alone(const settings *s) {
    char path[FILE_PATH];
    run_record *r = NULL;
    uint64_t key, stamp;
    bool gone = false;
    if (file_path(path, s->run.dir, "run.json") != STATUS_OK || !file_exists(path)) return false;
    if (run_record_verify(path) != STATUS_OK || run_record_open(&r, path) != STATUS_OK)
        return false;
    if (packed_before(r, s, &key) && packed_sources(s, &stamp, &gone) == STATUS_OK && gone)
        gone = output_left(r, s->run.dir, stage_id_words[STAGE_PACK]) == STATUS_OK;
    run_record_close(r);
    return gone;
}
