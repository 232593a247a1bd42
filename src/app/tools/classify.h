/* `auxseg classify WEIGHTS IMAGE...`: the classes that an ImageNet network sees in images, the way
 * to see whether published weights are read as they are meant. */
#ifndef AUXSEG_APP_TOOLS_CLASSIFY_H
#define AUXSEG_APP_TOOLS_CLASSIFY_H

#include "src/base/status.h"

/* Not collective. Prints the five most likely classes of each image by their numbers. */
status command_classify(int argc, char **argv);

#endif
