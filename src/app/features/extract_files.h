/* Features that another program has computed: extract.files. */
#ifndef AUXSEG_APP_FEATURES_EXTRACT_FILES_H
#define AUXSEG_APP_FEATURES_EXTRACT_FILES_H

#include "src/app/features/extract_compute.h"

/* Whether extract.files is one file in the format of features.h5, by its ending; else a folder of
 * .npy maps. Not collective. */
bool extract_files_is_one(const settings *s);
/* Hash of the features that extract.files holds, for the stage's key. All that can be told of the
 * files without reading their numbers is looked at. Collective. */
status extract_files_hash(const stage *t, uint64_t *hash);
/* This rank's block of them, as extract_compute gives the network's: brought to length 1, projected
 * and rounded as the settings say. Rows that have length 1 but for their type's rounding stay as
 * they are. *written: whether q->file was. Collective. The same bits for any number of ranks and
 * threads, held or streamed. */
status extract_files(stage *t, const extract_request *q, features *out, bool *written);

#endif
