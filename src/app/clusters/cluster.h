/* The labelling stage: features of all training images, k-means, labels.h5. */
#ifndef AUXSEG_APP_CLUSTERS_CLUSTER_H
#define AUXSEG_APP_CLUSTERS_CLUSTER_H

#include "mpi/comm.h"
#include "src/base/settings.h"

/* Collective. Skipped if done. */
status cluster_images(const comm *c, const settings *s, int round);

/* The command: round 1. Collective. */
status command_cluster(const comm *c, const settings *s);

#endif
