/* Pieces of SVG that charts and plots are made of. Places are in the units of the SVG's viewBox.
 * Not collective. The text depends on the arguments alone. */
#ifndef AUXSEG_IO_PAGE_SVG_H
#define AUXSEG_IO_PAGE_SVG_H

#include "io/page/html.h"

#include <stdbool.h>

/* About as wide as a letter of a chart's text is. */
enum { SVG_LETTER = 6, SVG_NAME = 64 };

/* Kinds of marks, told apart without colours. */
typedef enum svg_shape { SVG_CIRCLE, SVG_SQUARE, SVG_TRIANGLE, SVG_DIAMOND, SVG_SHAPES } svg_shape;

/* Opens an <svg> up to the value of its aria-label; what a reader hears who does not see it is
 * appended then, and svg_described ends the tag. svg_end closes the element. fixed: it is as wide
 * as its units say, and its box scrolls where the window is narrower; else it fills its column. */
void svg_begin(html *h, int width, int height, bool fixed);
void svg_described(html *h);
void svg_end(html *h);
/* class: of the page's style; it says where the text is anchored. Any text. */
void svg_text(html *h, double x, double y, const char *class, const char *text);
/* The same of at most `most` letters (SVG_NAME - 1 or fewer): a longer one is cut, and whole where
 * it is pointed at. */
void svg_name(html *h, double x, double y, const char *class, const char *text, int most);
/* A straight line: right by `dx` and down by `dy`. */
void svg_stroke(html *h, const char *class, double x, double y, double dx, double dy);
/* A mark around (x, y) that reaches about r to every side. */
void svg_mark(html *h, const char *class, svg_shape shape, double x, double y, double r);
/* An interval's line with a short stroke across each end: from (at, from) to (at, to) where it is
 * upright, else from (from, at) to (to, at). */
void svg_interval(html *h, const char *class, bool upright, double at, double from, double to);
/* Characters of a text: bytes that continue one of UTF-8 have no width. */
int svg_letters(const char *text);

#endif
