/* Tables of the page, part by part:
 *
 *   table_begin, table_column ..., table_body, { table_row, cells ..., table_row_end } ...,
 *   table_end
 *
 * A table that is wider than its page scrolls by itself. Not collective. */
#ifndef AUXSEG_IO_PAGE_PAGE_TABLE_H
#define AUXSEG_IO_PAGE_PAGE_TABLE_H

#include "io/page/number.h"

/* kind: TABLE_WIDE keeps the names of its rows in sight where it scrolls. */
typedef enum table_kind { TABLE_PLAIN, TABLE_WIDE, TABLE_MATRIX } table_kind;
void table_begin(html *h, table_kind kind);
/* Heads of columns: of texts; of numbers, with ", %" after it where they are shares; of bars. Any
 * text. */
void table_column(html *h, const char *text);
void table_number_column(html *h, const char *text, number_kind kind);
void table_bar_column(html *h, const char *text);
void table_body(html *h);
/* A row begins with its name; any text. */
void table_row(html *h, const char *name);
void table_text(html *h, const char *text);
void table_number(html *h, number_kind kind, double value);
/* The difference of two shares, as they are shown, in points of a hundred, with its sign and a
 * colour. */
void table_difference(html *h, double from, double to);
/* A bar of a share, with a tick at another share (NAN: none). */
void table_bar(html *h, double share, double tick);
/* "2025-01-31 23:59:59 UTC" of a moment as run.json has it; NULL: a dash. */
void table_moment(html *h, const char *moment);
/* A text in the letters of code, which may break anywhere; NULL or "": says that it is empty. */
void table_code(html *h, const char *text);
void table_row_end(html *h);
void table_end(html *h);

/* The same outside of a table. */
void html_difference(html *h, double from, double to);
void html_moment(html *h, const char *moment);

#endif
