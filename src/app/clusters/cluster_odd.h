/* Clusterings that cannot be meant: what is odd about rows and labels, in words. */
#ifndef AUXSEG_APP_CLUSTERS_CLUSTER_ODD_H
#define AUXSEG_APP_CLUSTERS_CLUSTER_ODD_H

#include "mpi/comm.h"
#include "src/label/features.h"

/* Warns where fewer rows differ than there are to be clusters, with what that means; *distinct: at
 * most k. what: as rows are called ("pixels"). Collective. */
status cluster_odd_rows(
    const comm *c, const char *what, const features *x, int k, int64_t *distinct);
/* Warns where clusters have no row or one has all of them; *empty: how many have none. Collective.
 */
status cluster_odd_labels(
    const comm *c, const char *what, const uint16_t *label, size_t n, int k, int *empty);

#endif
