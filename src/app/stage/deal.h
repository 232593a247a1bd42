/* How the images of a training's batch are dealt to ranks: what must be together decides. Not
 * collective. */
#ifndef AUXSEG_APP_STAGE_DEAL_H
#define AUXSEG_APP_STAGE_DEAL_H

#include "src/base/settings.h"

/* Images, as the network sees them, that one rank is given together: a norm group for its
 * statistics, or the views of an image for their partners, of which there are `together`. */
int deal_size(const settings *s, int together);
/* Deals of a batch, of which the last may lack images: no more ranks have work. */
int deal_count(int images, int deal);

#endif
