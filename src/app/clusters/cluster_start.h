/* Centroids that the clustering starts from instead of choosing its own: cluster.start. */
#ifndef AUXSEG_APP_CLUSTERS_CLUSTER_START_H
#define AUXSEG_APP_CLUSTERS_CLUSTER_START_H

#include "src/app/stage/stage.h"

/* Whether a file (a labels.h5 or a .npy of float32) holds k centroids of d elements (0: of any
 * number), by what it says of itself: before anything that grows with it. STATUS_DATA, with a
 * message. Collective. */
status cluster_start_look(const comm *c, const char *path, int k, int d);
/* Hash of the file's contents, which is looked at first, for the stage's key; 0: cluster.start is
 * empty. STATUS_DATA if it cannot be read. Collective. */
status cluster_start_hash(const comm *c, const settings *s, uint64_t *hash);
/* *centroids [k, d] of such a file, the same on every rank, owned by the caller (memory_free).
 * STATUS_DATA, with a message, as of cluster_start_look. Collective. */
status cluster_start_file(const comm *c, const char *path, int k, int d, float **centroids);
/* The same for cluster.start and cluster.k; NULL: cluster.start is empty. Collective. */
status cluster_start_read(const comm *c, const settings *s, int d, float **centroids);

#endif
