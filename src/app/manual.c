/* auxseg(1) and auxseg.cfg(5) in the macros of man(7). Input lines are kept short and sentences are
 * not split by hand: what formats the page fills them.
 *
 * All that is said of commands, stages, settings and exit codes comes from the tables that the
 * program itself works with; only the frame of the pages is written here. So a page cannot tell of
 * a setting that there is not. Standard output is the page, `auxseg manual 1` or `auxseg manual 5`.
 */
#include "src/app/manual.h"

#include "src/app/command_list.h"
#include "src/app/stage/stage_list.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/settings_table.h"
#include "src/base/version.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Letters of an input line; bytes of a setting's value with what stands around it. */
enum { COLUMNS = 78, VALUE = 2 * SETTINGS_TEXT };

/* A word with roff's own characters escaped. A hyphen that begins an option or a negative number,
 * and those within the option, must stay what can be typed. A "." or "'" at the start of a line
 * would be a macro: \& in front, of no width, hides it. Which word begins a line is not known here,
 * so each such word gets it. */
static void put_word(const char *word, size_t length) {
    bool typed = false;
    if (length > 0 && (word[0] == '.' || word[0] == '\'')) fputs("\\&", stdout);
    for (size_t i = 0; i < length; i++) {
        /* A hyphen between two letters stays one that may break, unless the word is an option. */
        bool begins = i == 0 || !isalnum((unsigned char)word[i - 1]);
        if (word[i] == '-') {
            typed = typed || begins;
            fputs(typed ? "\\-" : "-", stdout);
        } else {
            typed = typed && isalnum((unsigned char)word[i]);
            if (word[i] == '\\')
                fputs("\\e", stdout);
            else
                putchar(word[i]);
        }
    }
}

/* Words of a text, in lines. */
static void put_text(const char *text) {
    size_t column = 0;
    for (const char *at = text + strspn(text, " "); *at;) {
        size_t length = strcspn(at, " ");
        if (column > 0 && column + 1 + length > COLUMNS) {
            putchar('\n');
            column = 0;
        }
        if (column > 0) putchar(' ');
        put_word(at, length);
        column += length + 1;
        at += length + strspn(at + length, " ");
    }
    putchar('\n');
}

/* \fBname\fR on a line of its own, as the tag of what follows. */
static void put_tag(const char *name) {
    fputs(".TP\n.B ", stdout);
    put_text(name);
}

/* No hyphens and no stretched lines: settings and options are found by searching for them. The date
 * is the version's, not today's: the same source gives the same page. */
static void put_title(const char *name, int section) {
    printf(".\\\" Written by `auxseg manual %d`.\n", section);
    printf(".TH %s %d \"%s\" \"auxseg " AUXSEG_VERSION "\"\n", name, section, version_date);
    puts(".ad l\n.nh");
}

/* Each alternative of the usage: "CONFIG.cfg ...\n       auxseg check --defaults". The first has no
 * "auxseg NAME" in front, those after a line's end have it: it is skipped there, as it is put for
 * all. */
static void put_usage(const command *k) {
    const char *at = k->arguments;
    char line[1024], skip[64];
    snprintf(skip, sizeof skip, "auxseg %s ", k->name);
    while (*at) {
        size_t length = strcspn(at, "\n");
        snprintf(line, sizeof line, "%.*s", (int)length, at);
        printf(".PP\n.B auxseg %s\n", k->name);
        put_text(line);
        at += length;
        at += strspn(at, "\n ");
        if (strncmp(at, skip, strlen(skip)) == 0) at += strlen(skip);
    }
}

/* "Label: text." Cut where it is too long for the buffer, which no text of the tables is. */
static void put_labelled(const char *label, const char *text, const char *end) {
    char line[1024];
    snprintf(line, sizeof line, "%s: %s%s", label, text, end);
    put_text(line);
}

/* .br: three lines of one paragraph, not one that is filled. */
static void put_commands(void) {
    command k;
    puts(".SH COMMANDS");
    for (int i = 0; command_at(i, &k); i++) {
        printf(".SS %s\n", k.name);
        put_text(k.summary);
        put_usage(&k);
        puts(".PP");
        put_labelled("Reads", k.reads, ".");
        puts(".br");
        put_labelled("Writes", k.writes, ".");
        puts(".br");
        put_labelled("Example", k.example, "");
    }
}

/* The method in its order: what a user would otherwise have to gather from the commands. */
static void put_stages(void) {
    puts(".SH STAGES");
    put_text("What the command run does, in this order. What is done for the same inputs and "
             "settings is skipped, what was interrupted is continued; run.until names the last one "
             "to do.");
    for (int id = STAGE_FIRST; id < STAGE_COUNT; id++) {
        const stage_info *about = stage_about(id);
        put_tag(stage_id_words[id]);
        put_text(about->summary);
        if (!about->condition) continue;
        puts(".br");
        put_labelled("Only with", about->condition, ".");
    }
}

/* Of the list that the codes themselves are made of (status.h). */
static void put_exit_codes(void) {
    puts(".SH EXIT STATUS");
#define CODE_TAG(name_, code_, text_)                                                              \
    put_tag(#code_);                                                                               \
    put_text(text_);
    STATUS_LIST(CODE_TAG)
#undef CODE_TAG
}

/* auxseg(1). */
static void write_commands_page(void) {
    put_title("AUXSEG", 1);
    puts(".SH NAME\nauxseg \\- contrastive pretraining for semantic segmentation");
    puts(".SH SYNOPSIS\n.B auxseg\n.I COMMAND\n\\&...\n.br\n.B auxseg help\n[\\fICOMMAND\\fR]\n"
         ".br\n.B auxseg \\-\\-version");
    puts(".SH DESCRIPTION");
    put_text(
        "Clusters the dense features of an existing network over all images of a data set, "
        "pretrains a network so that pixels of one cluster get similar embeddings, and "
        "fine-tunes it on the few labelled images. An MPI program for CPU nodes: commands with "
        "settings run alone or under mpirun or srun, with the same results, bit by bit, for "
        "any number of ranks and threads. Settings stand in a file, auxseg.cfg(5).");
    put_stages();
    put_commands();
    puts(".SH EARLY STOPS");
    put_text("A command under MPI ends early, its state saved, with code 75 on the signals TERM, "
             "USR1 and USR2, after run.max_hours, or once there is a file STOP in run.dir. Nothing "
             "starts while that file is there. The same command goes on.");
    put_exit_codes();
    puts(".SH ENVIRONMENT");
    put_tag("OMP_NUM_THREADS");
    put_text("Threads of a rank, where run.threads is 0.");
    puts(".SH SEE ALSO\n.BR auxseg.cfg (5)");
}

/* Its default as a file would have it, what it does, what it may be. The value is printed into the
 * same buffer as the range after it: each is put before the next is made. */
static void put_setting(const setting *e, const settings *s) {
    char value[VALUE], text[VALUE + 128];
    bool quoted = e->kind == SETTING_WORDS || e->kind == SETTING_CHOICE;
    setting_print(e, s, value, sizeof value);
    snprintf(text, sizeof text, "%s.%s = %s%s%s", e->group, e->key, quoted ? "\"" : "", value,
        quoted ? "\"" : "");
    puts(".TP");
    put_text(text);
    put_text(e->help);
    setting_range(e, value, sizeof value);
    if (!value[0]) return;
    puts(".br");
    put_text(value);
}

/* auxseg.cfg(5): s, the defaults. */
static void write_settings_page(const settings *s) {
    const char *group = "";
    const setting *e;
    put_title("AUXSEG.CFG", 5);
    puts(".SH NAME\nauxseg.cfg \\- settings of auxseg\n.SH DESCRIPTION");
    put_text("A file of settings, in the language of libconfig, holds what differs from the "
             "defaults:");
    puts(".PP\n.nf\nrun: { dir = \"runs/camvid\"; seed = 3; };\n"
         "cluster: { k = 50; outliers = 0.05; };\n.fi\n.PP");
    put_text("On the command line, --set group.key=value is stronger than the file. Paths are "
             "relative to the working folder. `auxseg check FILE` names every mistake at once, "
             "`auxseg settings FILE` prints the values that a run would have, `auxseg check "
             "--defaults` those without a file.");
    puts(".PP");
    put_text("Below, each setting stands with its default, and with what it may be.");
    for (int i = 0; (e = setting_at(i)); i++) {
        if (strcmp(group, e->group) != 0) {
            group = e->group;
            printf(".SS %s\n", group);
            put_text(setting_group_help(group));
        }
        put_setting(e, s);
    }
    puts(".SH SEE ALSO\n.BR auxseg (1)");
}

/* The settings are large and are allocated; the defaults are those of a file without a line. */
status command_manual(int argc, char **argv) {
    settings *s = NULL;
    if (argc == 1 && strcmp(argv[0], "1") == 0) {
        write_commands_page();
        return STATUS_OK;
    }
    if (argc != 1 || strcmp(argv[0], "5") != 0) {
        log_error("manual: which section? (auxseg manual 1|5)");
        return STATUS_USAGE;
    }
    s = memory_alloc(1, sizeof *s, "settings");
    status st = s ? settings_read(s, NULL, NULL, 0) : STATUS_FAILED;
    if (st == STATUS_OK) write_settings_page(s);
    memory_free(s);
    return st;
}
