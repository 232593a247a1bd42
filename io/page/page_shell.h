/* What every page of the program has: its head with the style, its sections, its end. Not
 * collective. */
#ifndef AUXSEG_IO_PAGE_PAGE_SHELL_H
#define AUXSEG_IO_PAGE_PAGE_SHELL_H

#include "io/page/html.h"

/* Up to the heading of the whole page, within its <header>, which the caller closes. Any text. */
void page_begin(html *h, const char *title);
/* A section with its heading. id, heading: markup of our own. */
void page_section(html *h, const char *id, const char *heading);
void page_section_end(html *h);
/* Closes <main>, which the caller has opened, and the page. */
void page_end(html *h);
/* A sentence below a heading; NULL or "": nothing. Any text. */
void page_note(html *h, const char *text);

#endif
