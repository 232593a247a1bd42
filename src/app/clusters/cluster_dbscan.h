/* DBSCAN in place of k-means: cluster.method "dbscan". */
#ifndef AUXSEG_APP_CLUSTERS_CLUSTER_DBSCAN_H
#define AUXSEG_APP_CLUSTERS_CLUSTER_DBSCAN_H

#include "src/app/clusters/cluster_report.h"

/* out: labels of all pixels, noise LABEL_NONE; as centroids the means of the clusters' core points;
 * as outlier_threshold the square of eps; no iterations. *k: clusters found. Their number and the
 * shares of core points and noise go to the log and to the stage's figures. Collective. The same
 * bits for any number of ranks and threads. */
status cluster_dbscan(cluster_report *r, const features *x, kmeans_result *out, int *k);

#endif
