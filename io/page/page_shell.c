/* The shell that all pages share, so that they look alike and none forgets what a reader without
 * sight, or on a telephone, needs. */
#include "io/page/page_shell.h"

#include "io/page/page_sections.h"

/* lang for screen readers, viewport for phones: without it they draw a page of 980 pixels. */
void page_begin(html *h, const char *title) {
    html_put(h, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>"
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/><title>");
    html_text(h, title);
    html_put(h, "</title><style>");
    html_put(h, page_style);
    html_put(h, "</style></head>\n<body><header><h1>");
    html_text(h, title);
    html_put(h, "</h1>");
}

/* A section is a landmark that its heading names. */
void page_section(html *h, const char *id, const char *heading) {
    html_print(
        h, "<section id=\"%s\" aria-labelledby=\"%s-heading\"><h2 id=\"%s-heading\">", id, id, id);
    html_print(h, "%s</h2>\n", heading);
}

void page_section_end(html *h) {
    html_put(h, "</section>\n");
}

void page_end(html *h) {
    html_put(h, "</main></body></html>\n");
}

void page_note(html *h, const char *text) {
    if (!text || !*text) return;
    html_put(h, "<p class=\"note\">");
    html_text(h, text);
    html_put(h, "</p>\n");
}
