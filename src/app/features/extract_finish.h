/* What follows from the rows of all images together, wherever they come from: principal components,
 * rounding, features.h5. */
#ifndef AUXSEG_APP_FEATURES_EXTRACT_FINISH_H
#define AUXSEG_APP_FEATURES_EXTRACT_FINISH_H

#include "io/hdf5/features.h"
#include "src/app/features/extract_compute.h"

/* Type of rows as they are first stored: extract.dtype, but float32 where they are to be projected
 * first, as principal components are those of rows that are not rounded yet. */
dtype extract_first_type(const settings *s);
/* Of rows in memory, to which x changes; written to q->file with q->keep. Collective. */
status extract_finish_held(
    stage *t, const extract_request *q, const features_origin *from, features *x);
/* Of rows in the file `raw`, which is q->file unless they are to be projected; then q->file is made
 * of it and it goes. Collective. */
status extract_finish_streamed(
    stage *t, const extract_request *q, const features_origin *from, const char *raw);

#endif
