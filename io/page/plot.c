#include "io/page/plot.h"

#include "src/base/memory.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { COLOURS = 4 };

/* The page's style gives these their colours, light and dark. */
static const char *const colour[COLOURS] = {"#2f6db3", "#c05a28", "#2f8f5b", "#8a5fb0"};

static void write_script(FILE *f, const curve *c, int curves, const char *y_label, plot_axis y) {
    static const char *const axis[] = {
        [AXIS_FIT] = "set format y '%.6g'\nset offsets 0, 0, graph 0.04, graph 0.04",
        [AXIS_ZERO] = "set format y '%.6g'\nset yrange [0:*]\nset offsets 0, 0, graph 0.08, 0",
        [AXIS_LOG] = "set format y '%.0s%c'\nset logscale y"};
    fprintf(f,
        "set terminal svg size 620,300 dynamic font 'sans-serif,13'\n"
        "set border 3 lw 0.7\nset tics out nomirror\nset grid ytics lt 1 lw 0.4\n"
        "set xlabel 'step'\nset ylabel '%s'\nset key above right\n%s\n",
        y_label, axis[y]);
    for (int i = 0; i < curves; i++) {
        fprintf(f, "$curve%d << end\n", i);
        for (int j = 0; j < c[i].n; j++)
            fprintf(f, "%.9g %.9g %.9g\n", c[i].x[j], c[i].y[j],
                c[i].trend ? c[i].trend[j] : c[i].y[j]);
        fprintf(f, "end\n");
    }
    for (int i = 0; i < curves; i++) {
        fprintf(f, "%s", i ? ", " : "plot ");
        if (c[i].trend)
            fprintf(f, "$curve%d using 1:2 with lines lw 0.6 lc rgb '%s' notitle, ", i,
                colour[i % COLOURS]);
        fprintf(f, "$curve%d using 1:3 with %s lw 2 pt 7 ps 0.4 lc rgb '%s' ", i,
            c[i].n < 30 ? "linespoints" : "lines", colour[i % COLOURS]);
        if (curves > 1)
            fprintf(f, "title 'round %d'", c[i].round);
        else
            fprintf(f, "notitle");
    }
    fprintf(f, "\n");
}

/* Files instead of pipes: neither side can block the other or die of SIGPIPE. */
static bool run_gnuplot(FILE *script, FILE *svg) {
    char *arguments[] = {"gnuplot", "-d", "-", NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;
    int state;
    if (posix_spawn_file_actions_init(&actions) != 0) return false;
    bool ok =
        posix_spawn_file_actions_adddup2(&actions, fileno(script), STDIN_FILENO) == 0 &&
        posix_spawn_file_actions_adddup2(&actions, fileno(svg), STDOUT_FILENO) == 0 &&
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
        posix_spawnp(&child, arguments[0], &actions, NULL, arguments, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    return ok && waitpid(child, &state, 0) == child && WIFEXITED(state) && WEXITSTATUS(state) == 0;
}

/* From "<svg" on: what is before belongs to a file of its own. */
static bool append_svg(html *h, FILE *svg) {
    html text = {0};
    char part[4096];
    rewind(svg);
    for (size_t n; (n = fread(part, 1, sizeof part, svg)) > 0;) html_bytes(&text, part, n);
    html_bytes(&text, "", 1);
    char *begin = text.result ? NULL : strstr(text.text, "<svg");
    char *end = begin ? strstr(begin, "</svg>") : NULL;
    if (end) html_bytes(h, begin, (size_t)(end + strlen("</svg>") - begin));
    memory_free(text.text);
    return end != NULL;
}

bool plot_curves(html *h, const curve *c, int curves, const char *y_label, plot_axis y) {
    bool done = false;
    FILE *script = tmpfile(), *svg = tmpfile();
    if (script && svg) {
        write_script(script, c, curves, y_label, y);
        if (fflush(script) == 0 && lseek(fileno(script), 0, SEEK_SET) == 0)
            done = run_gnuplot(script, svg) && append_svg(h, svg);
    }
    if (script) fclose(script);
    if (svg) fclose(svg);
    return done;
}
