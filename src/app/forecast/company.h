/* Cores that compute while one of them is measured. A node's cores share its memory, which a single
 * one has for itself: alone it would be faster than it ever is in a job. Not collective. */
#ifndef AUXSEG_APP_FORECAST_COMPANY_H
#define AUXSEG_APP_FORECAST_COMPANY_H

#include "src/base/status.h"

#include <sys/types.h>

/* What each of them does, over and over; context: the caller's. */
typedef status company_work(const void *context);

typedef struct company {
    pid_t *process; /* owned */
    int count;
} company;

/* Up to `most` processes that do the work; fewer where memory does not suffice for them and for
 * this one, which is about to do as much. Each has done it once when this returns: what is
 * allocated once is. STATUS_FAILED where the work fails, or no process can be made. */
status company_create(company *out, int most, company_work *work, const void *context);
/* Ends them. Of zeros: nothing. */
void company_destroy(company *c);

#endif
