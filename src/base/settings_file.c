/* Reads a file of settings and makes it safe for libconfig: no includes (a saved settings.cfg must
 * hold all that a run was), no device or pipe that never ends, no text that takes libconfig
 * minutes, and integers of 64 bits, which old versions of it cut to 32 without a word. */
#include "src/base/open_retry.h"
#include "src/base/settings_file.h"

#include "src/base/log.h"
#include "src/base/memory.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Libconfig compares every name with all before it: its time grows with the square. */
enum { FILE_LIMIT = 1 << 20, MOST_SETTINGS = 2000 };

/* A run's folder is what one has at hand; the settings lie in it. */
static void refuse(const char *file, bool folder) {
    size_t n = strlen(file);
    const char *slash = n > 0 && file[n - 1] == '/' ? "" : "/";
    char inside[PATH_MAX];
    if (!folder) {
        log_error("%s: no file of settings (a regular file of at most 1 MiB)", file);
        return;
    }
    snprintf(inside, sizeof inside, "%s%ssettings.cfg", file, slash);
    bool run = access(inside, R_OK) == 0;
    log_error("%s: a folder; a file of settings is needed here%s%s", file,
        run ? ": that of this run is " : "", run ? inside : "");
}

/* The whole file. O_NONBLOCK: a pipe without a writer is refused, not waited for. What is open is
 * asked what it is, not the name, which may be another file's by then. The block is one byte longer
 * than the file and zeroed: the text ends by itself. */
static status load(const char *file, char **out) {
    struct stat about;
    char *text = NULL;
    size_t used = 0;
    ssize_t got = 1;
    status st = STATUS_USAGE;
    int fd = open_retry(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    if (fd < 0 || fstat(fd, &about) != 0) {
        log_error("%s: %s", file, strerror(errno));
    } else if (!S_ISREG(about.st_mode) || about.st_size > FILE_LIMIT) {
        refuse(file, S_ISDIR(about.st_mode));
    } else {
        text = memory_alloc((size_t)about.st_size + 1, 1, "settings");
        st = text ? STATUS_OK : STATUS_FAILED;
    }
    while (text && used < (size_t)about.st_size && got > 0) {
        got = read(fd, text + used, (size_t)about.st_size - used);
        if (got > 0) used += (size_t)got;
    }
    int error = errno; /* of read: close may set another one */
    if (fd >= 0) close(fd);
    if (text && got < 0) log_error("%s: %s", file, strerror(error));
    if (text && got >= 0 && strlen(text) != used)
        log_error("%s: no file of settings: it has a zero byte, and is no text", file);
    if (text && (got < 0 || strlen(text) != used)) {
        memory_free(text);
        return STATUS_USAGE;
    }
    *out = text;
    return st;
}

/* End of the comment or string that begins at `at`; `at` itself if none does. */
static const char *skip_quoted(const char *at) {
    if (at[0] == '#' || (at[0] == '/' && at[1] == '/')) return at + strcspn(at, "\n");
    if (at[0] == '/' && at[1] == '*') {
        const char *end = strstr(at + 2, "*/");
        return end ? end + 2 : at + strlen(at);
    }
    if (at[0] != '"') return at;
    for (at++; *at && *at != '"'; at++)
        if (*at == '\\' && at[1]) at++;
    return *at ? at + 1 : at;
}

/* Of names, numbers and keywords. With the point and the signs, so that "1.5e-3" is one word that
 * is no integer, not an integer "1" with a tail. */
static bool is_word(char c) {
    return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '*' || c == '-' || c == '+';
}

/* A word that is a decimal integer; *range false beyond 64 bits. */
static bool is_integer(const char *word, size_t length, long long *value, bool *range) {
    char *end;
    errno = 0;
    *value = strtoll(word, &end, 10);
    *range = errno == 0;
    return length > 0 && end == word + length;
}

typedef struct scanner {
    const char *file;
    int line, settings; /* settings: keys and groups so far */
    char *out;          /* where the copy goes on */
} scanner;

/* Lines are counted as they are copied. None is ever added: messages, libconfig's too, name the
 * lines that the user sees. */
static void copy(scanner *s, const char *from, const char *end) {
    for (; from < end; from++) {
        s->line += *from == '\n';
        *s->out++ = *from;
    }
}

/* A name, a number, a keyword. False, with a message, for what is refused. A word that has its L
 * already is no integer here and stays as it is. */
static bool copy_word(scanner *s, const char *word, const char *end) {
    long long value;
    bool range;
    int length = (int)(end - word);
    bool integer = is_integer(word, (size_t)length, &value, &range);
    if (integer && !range) {
        log_error("%s:%d: %.*s: beyond 64 bits", s->file, s->line, length, word);
        return false;
    }
    copy(s, word, end);
    if (integer && (value > INT_MAX || value < INT_MIN)) *s->out++ = 'L';
    return true;
}

/* Any other letter. "=" and ":" alike stand between a key, or a group's name, and its value. */
static bool copy_sign(scanner *s, const char *at) {
    if (strncmp(at, "@include", strlen("@include")) == 0) {
        log_error(
            "%s:%d: @include is not allowed: all settings stand in one file", s->file, s->line);
        return false;
    }
    if ((*at == '=' || *at == ':') && ++s->settings > MOST_SETTINGS) {
        log_error("%s:%d: more than %d settings", s->file, s->line, MOST_SETTINGS);
        return false;
    }
    copy(s, at, at + 1);
    return true;
}

/* Copies text to out [2 * length + 1]; false, with a message, for what is refused. Strings and
 * comments are copied as they are: what looks like a number in them is none. Twice the length is
 * enough, as an L follows at least one digit. */
static bool prepare(const char *file, const char *text, char *out) {
    scanner s = {.file = file, .line = 1, .out = out};
    bool good = true;
    for (const char *at = text, *next; *at && good; at = next) {
        next = skip_quoted(at);
        if (next > at) {
            copy(&s, at, next);
            continue;
        }
        while (is_word(*next)) next++;
        if (next > at)
            good = copy_word(&s, at, next);
        else
            good = copy_sign(&s, next++);
    }
    *s.out = '\0';
    return good;
}

/* The byte order mark that some editors write is no part of the text and is left out. The text is
 * not changed in place, as it may become longer. */
status settings_file_load(const char *file, char **text) {
    char *read = NULL;
    status st = load(file, &read);
    if (st != STATUS_OK) return st;
    char *out = memory_alloc(2 * strlen(read) + 1, 1, "settings");
    bool marked = strncmp(read, "\xEF\xBB\xBF", 3) == 0; /* a byte order mark */
    if (!out)
        st = STATUS_FAILED;
    else if (!prepare(file, read + (marked ? 3 : 0), out))
        st = STATUS_USAGE;
    memory_free(read);
    if (st == STATUS_OK)
        *text = out;
    else
        memory_free(out);
    return st;
}
