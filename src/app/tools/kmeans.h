/* The command `kmeans`: any matrix of rows, clustered as the stage clusters features. */
#ifndef AUXSEG_APP_TOOLS_KMEANS_H
#define AUXSEG_APP_TOOLS_KMEANS_H

#include "mpi/comm.h"

/* argv: the file, then options (command_list.c has them). Collective. */
status command_kmeans(const comm *c, int argc, char **argv);

#endif
