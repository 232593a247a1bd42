/* Dense features of every image: what the clustering reads. */
#ifndef AUXSEG_APP_FEATURES_EXTRACT_H
#define AUXSEG_APP_FEATURES_EXTRACT_H

#include "io/hdf5/features.h"
#include "src/app/stage/stage.h"

/* What features depend on beside settings and data set. */
typedef struct extract_inputs {
    char weights[FILE_PATH]; /* "": of no network */
    uint64_t files;          /* hash of what extract.files holds; 0: not read */
} extract_inputs;
/* Hashes the files of extract.files, if they are this round's. Collective. */
status extract_inputs_find(const stage *t, extract_inputs *out);

/* This rank's block of the training images' features, read from features.h5 if it holds just these,
 * else computed, or taken from extract.files, and, with `keep`, written there. Rows are
 * L2-normalised where extract.normalize says so, and projected on principal components where
 * extract.pca does. Also writes extract.npy, in the first round. Collective. The same bits for any
 * number of ranks and threads. */
status extract_features(stage *t, const extract_inputs *in, bool keep, features *out);
enum { EXTRACT_LAYERS = 256 }; /* longest list, with its end */
/* Layers by name: extract.layers, or the last one before the classifier; "files". text
 * [EXTRACT_LAYERS]. */
void extract_layers(char *text, const settings *s, int round);
/* The weights file that the features come from ("": extract.files): extract.weights, model.weights
 * or a fine-tuned model of this run. path [FILE_PATH]. Not collective. */
status extract_weights_path(char *path, const settings *s, int round);

/* The command: features.h5. Collective. */
status command_extract(const comm *c, const settings *s);

#endif
