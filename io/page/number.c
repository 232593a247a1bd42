/* Numbers as text. printf's decimal point is the locale's, which a library may have changed, and a
 * page must not depend on that: digits are taken from printf, everything else is put in here.
 * number_... give plain texts with ASCII signs, html_... what a page shows: a true minus, thin
 * spaces between thousands, a dash where there is no number. */
#include "io/page/number.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char dash[] = "\xE2\x80\x93", minus[] = "\xE2\x88\x92", thin[] = "\xE2\x80\x89";
static const double exponent_from = 1e15; /* whole numbers below are exact, and short enough */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* The sign is put by hand: "-0.04" with one decimal is "0.0". */
void number_fixed(char *text, double value, int decimals) {
    char printed[NUMBER_TEXT];
    bool any = false;
    size_t n = 0;
    snprintf(printed, sizeof printed, "%.*f", decimals, fabs(value));
    for (const char *at = printed; *at; at++) any = any || (is_digit(*at) && *at != '0');
    if (any && value < 0) text[n++] = '-';
    for (const char *at = printed; *at; at++)
        if (is_digit(*at))
            text[n++] = *at;
        else if (is_digit(at[-1])) /* a decimal point may be several bytes */
            text[n++] = '.';
    text[n] = '\0';
}

/* printf's %g would choose the exponent by itself, drop zeros and so give the numbers of a column
 * different lengths. Four digits, from 1e-4 to 1e15 without an exponent: enough to compare, and
 * numbers below one another line up. */
void number_significant(char *text, double value) {
    enum { DIGITS = 4 };
    char printed[NUMBER_TEXT];
    snprintf(printed, sizeof printed, "%.*e", DIGITS - 1, value);
    int exponent = atoi(strchr(printed, 'e') + 1); /* of the rounded value: 9.9999 is 10.00 */
    int decimals = value == 0 ? 0 : DIGITS - 1 - exponent;
    if (value != 0 && (exponent < -4 || fabs(value) >= exponent_from)) {
        number_fixed(text, value / pow(10, exponent), DIGITS - 1);
        snprintf(text + strlen(text), 8, "e%d", exponent);
    } else if (decimals >= 0) {
        number_fixed(text, value, decimals);
    } else {
        double unit = pow(10, -decimals); /* the digits after the fourth become 0 */
        number_fixed(text, unit * nearbyint(value / unit), 0);
    }
}

/* With a true minus, and thousands apart where they are a count's or a large number's. whole:
 * digits before the point, or a sign and those. Four digits stay together: 1234 needs no help. */
static void put(html *h, const char *text) {
    size_t whole = strspn(*text == '-' ? text + 1 : text, "0123456789");
    if (*text == '-') html_put(h, minus), text++;
    for (size_t i = 0; text[i]; i++) {
        if (i > 0 && i < whole && whole > 4 && (whole - i) % 3 == 0) html_put(h, thin);
        html_bytes(h, text + i, 1);
    }
}

/* NUMBER_SHARE is given as a share and shown in per cent. */
void html_number(html *h, number_kind kind, double value) {
    char text[NUMBER_TEXT];
    if (!isfinite(value)) {
        html_put(h, dash);
        return;
    }
    if (kind == NUMBER_SECONDS && value > 0 && value < 0.05) {
        html_put(h, "&lt;0.1"); /* "0.0" would say that nothing was done */
        return;
    }
    /* A kind that is new is a compiler warning here: no default. */
    switch (kind) {
    case NUMBER_SHARE:
        number_fixed(text, 100 * value, 1);
        break;
    case NUMBER_COUNT:
        number_fixed(text, value, 0);
        break;
    case NUMBER_SECONDS:
        number_fixed(text, value, 1);
        break;
    case NUMBER_PLAIN:
        number_significant(text, value);
        break;
    }
    put(h, text);
}

/* Returns the sign of what is shown, 0 where all digits are: a difference that rounds to nothing is
 * neither up nor down. */
int html_signed(html *h, double value, int decimals) {
    char text[NUMBER_TEXT];
    number_fixed(text, fabs(value), decimals);
    int sign = strspn(text, "0.") == strlen(text) ? 0 : value < 0 ? -1 : 1;
    if (sign != 0) html_put(h, sign < 0 ? minus : "+");
    put(h, text);
    return sign;
}

void html_fixed(html *h, double value, int decimals) {
    char text[NUMBER_TEXT];
    number_fixed(text, value, decimals);
    html_put(h, text);
}
