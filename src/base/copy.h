/* Texts in memory of their own. Not collective. */
#ifndef AUXSEG_BASE_COPY_H
#define AUXSEG_BASE_COPY_H

/* Owned by the caller (memory_free); NULL, with a message, without memory. */
char *copy_text(const char *text);
/* As printf. */
char *copy_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
