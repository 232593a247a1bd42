/* Rank 0 reads the settings and sends them round, and the watchdog is to be there before the first
 * message. So each rank looks for this one number by itself, in the words that all were started
 * with and, by a glance and without libconfig, in the file. What is read wrongly, in a form that
 * nobody writes, holds until the settings are shared. */
#include "src/app/session_watch.h"

#include "src/base/open_retry.h"
#include "src/base/settings.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char key[] = "watchdog", whole[] = "run.watchdog=";

double session_watch_default(void) {
    settings s;
    settings_set_defaults(&s);
    return s.run.watchdog;
}

/* Whether a comment begins between the line's begin and `at`. */
static bool commented(const char *text, const char *at) {
    const char *line = at;
    while (line > text && line[-1] != '\n') line--;
    for (; line < at; line++)
        if (line[0] == '#' || (line[0] == '/' && line[1] == '/')) return true;
    return false;
}

/* The number behind "watchdog =" or "watchdog:"; `otherwise` where there is none. */
static double find_number(const char *text, double otherwise) {
    for (const char *at = text; (at = strstr(at, key)); at++) {
        const char *value = at + strlen(key);
        char *end;
        if (commented(text, at) || (at > text && (isalnum(at[-1]) || at[-1] == '_'))) continue;
        value += strspn(value, " \t");
        if (*value != '=' && *value != ':') continue;
        double x = strtod(value + 1, &end);
        if (end > value + 1) return x;
    }
    return otherwise;
}

/* The file's beginning is enough: the group stands first where a file is written by hand. */
static double limit_in_file(const char *path, double otherwise) {
    enum { GLANCE = 65536 };
    char text[GLANCE];
    struct stat about;
    int fd = open_retry(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    ssize_t n = fd >= 0 && fstat(fd, &about) == 0 && S_ISREG(about.st_mode)
                    ? read(fd, text, sizeof text - 1)
                    : 0;
    if (fd >= 0) close(fd);
    if (n <= 0) return otherwise;
    text[n] = '\0';
    return find_number(text, otherwise);
}

double session_watch_limit(int argc, char **argv) {
    double limit = session_watch_default();
    const char *set = NULL;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--set") == 0 && i + 1 < argc)
            word = argv[++i];
        else if (strncmp(word, "--set=", 6) == 0)
            word += 6;
        else if (word[0] != '-')
            limit = limit_in_file(word, limit);
        if (strncmp(word, whole, strlen(whole)) == 0) set = word + strlen(whole);
    }
    return set ? strtod(set, NULL) : limit;
}
