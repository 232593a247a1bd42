/* Threads beside the main one. Not collective. */
#ifndef AUXSEG_BASE_THREAD_H
#define AUXSEG_BASE_THREAD_H

#include <pthread.h>

/* pthread_create with no signal let through: a thread inherits the mask, and requests to stop must
 * find the main thread, which looks for them. Returns pthread_create's code. */
int thread_start(pthread_t *thread, void *(*work)(void *context), void *context);

#endif
