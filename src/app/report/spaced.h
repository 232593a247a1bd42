/* A few of many, evenly spaced: which images the report shows or counts. */
#ifndef AUXSEG_APP_REPORT_SPACED_H
#define AUXSEG_APP_REPORT_SPACED_H

#include <stdint.h>

/* The index, below count, of number i of `wanted`; all of them where no more are there. */
static inline int spaced(int i, int wanted, int count) {
    return wanted >= count ? i : (int)((int64_t)i * count / wanted);
}

#endif
