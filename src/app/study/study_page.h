/* scaling.html. Not collective. */
#ifndef AUXSEG_APP_STUDY_STUDY_PAGE_H
#define AUXSEG_APP_STUDY_STUDY_PAGE_H

#include "src/app/study/study_rows.h"

/* One self-contained page in the study's folder, at once: no script, nothing loaded. rows [stages,
 * points]. */
status study_page_write(const study_plan *p, const study_row *rows);

#endif
