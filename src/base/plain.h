/* Texts that come from files, as people see them: a name may hold what makes a terminal do things
 * (clear itself, change its title, type). The log passes all its lines through here; what tools
 * print goes by plain_print. Not collective; thread-safe. */
#ifndef AUXSEG_BASE_PLAIN_H
#define AUXSEG_BASE_PLAIN_H

#include <stddef.h>

/* out [size], at least 1: `in`, with each control character but newline and tab as \xNN, cut where
 * it does not fit. Letters beyond ASCII stay as they are, but for the controls among them (U+0080
 * to U+009F). Returns the length of out. */
size_t plain_text(char *out, size_t size, const char *in);
/* The same for a line of its own: a newline is \x0a, too. A file's name that holds one could
 * otherwise put a line into the log that nobody logged. */
size_t plain_line(char *out, size_t size, const char *in);
/* printf to standard output, the whole of what it makes being plain. */
void plain_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
