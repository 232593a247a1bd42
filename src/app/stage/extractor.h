/* The network that features come from: the trained one's encoder, another ResNet, or a vision
 * transformer, whose form is read from the file of its weights. */
#ifndef AUXSEG_APP_STAGE_EXTRACTOR_H
#define AUXSEG_APP_STAGE_EXTRACTOR_H

#include "mpi/comm.h"
#include "src/base/settings.h"
#include "src/model/network.h"

/* Sets in n what extract.backbone says in place of model.backbone: the word of a network that could
 * be trained, too; of a transformer nothing. Not collective. */
void extractor_word(network_options *n, const settings *s);
/* The same, and of a transformer the form, which rank 0 reads in the names and shapes of the file.
 * n: as of the trained network. STATUS_DATA, naming the file, if they make none. Collective (c
 * NULL: one process). */
status extractor_network(network_options *n, const comm *c, const settings *s, const char *weights);

#endif
