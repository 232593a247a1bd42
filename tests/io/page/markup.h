/* A small checker of markup: what is well-formed as XML, of the kind that the page is written in.
 * Fails the test with the place of the first mistake. */
#ifndef AUXSEG_TESTS_IO_PAGE_MARKUP_H
#define AUXSEG_TESTS_IO_PAGE_MARKUP_H

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { MARKUP_DEPTH = 64, MARKUP_NAME = 32 };

static inline void markup_fail(const char *at, const char *why) {
    fail_msg("%s: %.80s", why, at);
}

/* An entity or an ordinary character; returns what follows it. */
static inline const char *markup_character(const char *at) {
    static const char *const entity[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    if (*at == '<' || *at == '>') markup_fail(at, "a bracket in a text");
    if (*at != '&') return at + 1;
    for (size_t i = 0; i < sizeof entity / sizeof *entity; i++)
        if (strncmp(at, entity[i], strlen(entity[i])) == 0) return at + strlen(entity[i]);
    markup_fail(at, "an unknown entity");
    return at;
}

/* ` name="value"`; returns what follows it. */
static inline const char *markup_attribute(const char *at) {
    at += strspn(at, " \n");
    size_t n = strcspn(at, "= \n>\"");
    if (n == 0 || at[n] != '=' || at[n + 1] != '"') markup_fail(at, "no attribute with a value");
    for (at += n + 2; *at && *at != '"';) at = markup_character(at);
    if (!*at) markup_fail(at, "an attribute without end");
    return at + 1;
}

/* The whole text: every element closed in its order, every attribute quoted, no stray bracket. */
static inline void markup_check(const char *text) {
    char open[MARKUP_DEPTH][MARKUP_NAME];
    int depth = 0;
    const char *at = text;
    if (strncmp(at, "<!DOCTYPE html>", 15) == 0) at += 15;
    while (*at) {
        if (*at != '<') {
            bool style = depth > 0 && strcmp(open[depth - 1], "style") == 0;
            at = style && *at == '>' ? at + 1 : markup_character(at);
            continue;
        }
        bool closes = at[1] == '/';
        const char *name = at + 1 + closes;
        size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789");
        if (n == 0 || n >= MARKUP_NAME) markup_fail(at, "no element");
        at = name + n;
        if (closes) {
            if (depth == 0 || strlen(open[depth - 1]) != n ||
                strncmp(open[depth - 1], name, n) != 0)
                markup_fail(name, depth ? open[depth - 1] : "nothing is open");
            depth--;
        } else {
            if (depth == MARKUP_DEPTH) markup_fail(at, "too deep");
            snprintf(open[depth], MARKUP_NAME, "%.*s", (int)n, name);
            depth++;
            while (*at == ' ' || *at == '\n') at = markup_attribute(at);
            if (*at == '/') at++, depth--;
        }
        if (*at != '>') markup_fail(at, "an element's bracket is missing");
        at++;
    }
    if (depth > 0) markup_fail(open[depth - 1], "an element is not closed");
}

/* How often `part` stands in the text. */
static inline int markup_count(const char *text, const char *part) {
    int n = 0;
    for (; (text = strstr(text, part)); text += strlen(part)) n++;
    return n;
}

static inline void assert_has(const char *page, const char *text) {
    if (!strstr(page, text)) fail_msg("the page lacks: %s", text);
}

static inline void assert_lacks(const char *page, const char *text) {
    if (strstr(page, text)) fail_msg("the page holds: %s", text);
}

#endif
