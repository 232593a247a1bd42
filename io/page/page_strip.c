/* Pictures in a page. A picture opens large where it is clicked: it stands in the label of a check
 * box, whose state the style reads, so that no script is needed and the keyboard works. Bytes of
 * pictures stand in the page itself, as base64. A picture never comes without words: alt texts say
 * what is to see, captions say it to all. */
#include "io/page/page_strip.h"

#include <stdbool.h>
#include <string.h>

/* alt: what is to see, and of which image (NULL: the first says it). The kind is read from the
 * bytes: JPEG begins with FF D8, all else that we make is PNG. */
void page_image(html *h, const page_picture *p, const char *what, const char *of) {
    bool jpeg = p->bytes > 2 && memcmp(p->data, "\xFF\xD8", 2) == 0;
    html_put(h, "<img alt=\"");
    html_text(h, what);
    if (of) html_put(h, " of ");
    html_text(h, of);
    html_print(h, "\" src=\"data:image/%s;base64,", jpeg ? "jpeg" : "png");
    html_base64(h, p->data, p->bytes);
    html_put(h, "\"/>");
}

/* An image's pictures side by side below its name. The check box lies invisible over its picture
 * and takes clicks and the keyboard; when it is set, the style lets the picture fill the window. */
void page_strips(html *h, const page_strip *strip, int count) {
    bool many = false; /* all alike, so that pictures have one size */
    for (int i = 0; i < count; i++) many = many || strip[i].pictures > PAGE_STRIP_ROW;
    for (int i = 0; i < count; i++) {
        html_put(h, "<h3 class=\"file\">");
        html_text(h, strip[i].title);
        html_print(h, "</h3>\n<div class=\"strip%s\">", many ? " many" : "");
        for (int j = 0; j < strip[i].pictures; j++) {
            const page_picture *p = &strip[i].picture[j];
            html_put(h, "<figure><label class=\"zoom\"><input type=\"checkbox\"/>");
            page_image(h, p, p->caption, strip[i].title);
            html_put(h, "</label><figcaption>");
            html_text(h, p->caption);
            html_put(h, "</figcaption></figure>\n");
        }
        html_put(h, "</div>\n");
    }
}
