/* Tables of the page. All of them are made here, so that each has heads with a scope, numbers flush
 * right, and a box of its own to scroll in: on a narrow window a table must not squeeze its words
 * into letters. A row is begun with its name, gets its cells one by one, and is ended: nobody
 * counts cells, so heads and cells must be written in the same order by the caller. Everything that
 * is a text is escaped here. */
#include "io/page/page_table.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The classes are the style's: names that stay in sight, cells close together. */
void table_begin(html *h, table_kind kind) {
    static const char *const class[] = {[TABLE_PLAIN] = "",
        [TABLE_WIDE] = " class=\"wide\"",
        [TABLE_MATRIX] = " class=\"wide matrix\""};
    html_print(h, "<div class=\"scroll\"><table%s><thead><tr>", class[kind]);
}

/* class and after are markup, text is not. scope tells a screen reader that the head belongs to
 * what is below it. */
static void column(html *h, const char *class, const char *text, const char *after) {
    html_print(h, "<th scope=\"col\"%s>", class);
    html_text(h, text);
    html_print(h, "%s</th>", after);
}

void table_column(html *h, const char *text) {
    column(h, "", text, "");
}

/* The unit of shares stands in the head once, not in each cell. */
void table_number_column(html *h, const char *text, number_kind kind) {
    column(h, " class=\"n\"", text, kind == NUMBER_SHARE ? ", %" : "");
}

void table_bar_column(html *h, const char *text) {
    column(h, " class=\"bar\"", text, "");
}

void table_body(html *h) {
    html_put(h, "</tr></thead><tbody>\n");
}

void table_row(html *h, const char *name) {
    html_put(h, "<tr><th scope=\"row\">");
    html_text(h, name);
    html_put(h, "</th>");
}

void table_text(html *h, const char *text) {
    html_put(h, "<td>");
    html_text(h, text);
    html_put(h, "</td>");
}

/* Flush right by its class; what is not finite is a dash. */
void table_number(html *h, number_kind kind, double value) {
    html_put(h, "<td class=\"n\">");
    html_number(h, kind, value);
    html_put(h, "</td>");
}

/* A share as html_number shows it: whole tenths of per cent. Whole numbers, so that differences of
 * them are exact. */
static double shown(double share) {
    return nearbyint(1000 * share);
}

/* Of the shown values: who subtracts what stands beside it must get the same. Up, down and even are
 * colours of the style, and the sign says the same to those who do not see them. */
void html_difference(html *h, double from, double to) {
    double tenths = shown(to) - shown(from);
    if (!isfinite(tenths)) {
        html_number(h, NUMBER_SHARE, tenths);
        return;
    }
    html_print(h, "<span class=\"%s\">", tenths > 0 ? "up" : tenths < 0 ? "down" : "even");
    html_signed(h, tenths / 10, 1);
    html_put(h, "</span>");
}

void table_difference(html *h, double from, double to) {
    html_put(h, "<td class=\"n\">");
    html_difference(h, from, to);
    html_put(h, "</td>");
}

/* A property of an inline style; shares beyond the bar end with it. In tenths of per cent, which a
 * screen does not resolve any more. */
static void percent(html *h, const char *property, double share) {
    html_print(h, "%s:", property);
    html_fixed(h, 100 * fmin(fmax(share, 0), 1), 1);
    html_put(h, "%");
}

/* Without a share the track alone is drawn, so that columns keep their form. */
void table_bar(html *h, double share, double tick) {
    html_put(h, "<td class=\"bar\"><span class=\"track\">");
    if (isfinite(share)) {
        html_put(h, "<span class=\"fill\" style=\"");
        percent(h, "width", share);
        html_put(h, "\"></span>");
    }
    if (isfinite(tick)) {
        html_put(h, "<span class=\"tick\" style=\"");
        percent(h, "left", tick);
        html_put(h, "\"></span>");
    }
    html_put(h, "</span></td>");
}

/* What is no moment of run.json is shown as it is. */
void html_moment(html *h, const char *moment) {
    char text[32];
    if (!moment) {
        html_number(h, NUMBER_SHARE, NAN);
        return;
    }
    snprintf(text, sizeof text, "%s", moment);
    size_t n = strlen(text);
    bool known = n == 20 && text[10] == 'T' && text[19] == 'Z';
    if (known) {
        text[10] = ' ';
        text[19] = '\0';
    }
    html_text(h, text);
    if (known) html_put(h, " UTC");
}

void table_moment(html *h, const char *moment) {
    html_put(h, "<td class=\"moment\">");
    html_moment(h, moment);
    html_put(h, "</td>");
}

/* An empty cell could be a mistake of the page, so an empty text says so. */
void table_code(html *h, const char *text) {
    html_put(h, "<td class=\"value\">");
    if (text && *text)
        html_text(h, text);
    else
        html_put(h, "<span class=\"even\">(empty)</span>");
    html_put(h, "</td>");
}

void table_row_end(html *h) {
    html_put(h, "</tr>\n");
}

void table_end(html *h) {
    html_put(h, "</tbody></table></div>\n");
}
