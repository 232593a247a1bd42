/* What MPI needs of the address space, where that is limited (ulimit -v). */
#ifndef AUXSEG_APP_ADDRESS_SPACE_H
#define AUXSEG_APP_ADDRESS_SPACE_H

#include <stddef.h>

/* Bytes that a rank must have left before MPI begins. */
#define ADDRESS_SPACE_OF_MPI ((size_t)256 << 20)

#endif
