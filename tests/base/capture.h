/* What a test's calls write to a file descriptor. */
#ifndef AUXSEG_TESTS_BASE_CAPTURE_H
#define AUXSEG_TESTS_BASE_CAPTURE_H

#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct capture {
    int fd, saved;
    FILE *to;
    char text[16384]; /* after capture_end */
} capture;

static inline void capture_begin(capture *c, int fd) {
    fflush(stdout);
    c->fd = fd;
    c->saved = dup(fd);
    c->to = tmpfile();
    dup2(fileno(c->to), fd);
}

static inline void capture_end(capture *c) {
    fflush(stdout);
    dup2(c->saved, c->fd);
    close(c->saved);
    rewind(c->to);
    c->text[fread(c->text, 1, sizeof c->text - 1, c->to)] = '\0';
    fclose(c->to);
}

static inline int capture_lines(const capture *c) {
    int lines = 0;
    for (const char *at = c->text; (at = strchr(at, '\n')); at++) lines++;
    return lines;
}

#endif
