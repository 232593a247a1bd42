/* Pictures of a page: one by itself, and strips of those that belong side by side. Not collective.
 */
#ifndef AUXSEG_IO_PAGE_PAGE_STRIP_H
#define AUXSEG_IO_PAGE_PAGE_STRIP_H

#include "io/page/html.h"

#include <stddef.h>

typedef struct page_picture {
    const void *data; /* encoded as JPEG or PNG */
    size_t bytes;
    const char *caption;
} page_picture;

/* Pictures that belong side by side: image, labels, prediction ... */
typedef struct page_strip {
    const char *title;
    const page_picture *picture; /* [pictures] */
    int pictures;
} page_strip;

/* An <img>. what: its alternative text; of: of which image, NULL: `what` says it. */
void page_image(html *h, const page_picture *p, const char *what, const char *of);
/* Each strip below its title. A picture opens large where it is clicked. Where one has more
 * than PAGE_STRIP_ROW pictures, they stand in several rows. */
enum { PAGE_STRIP_ROW = 4 };
void page_strips(html *h, const page_strip *strip, int count);

#endif
