/* One start of a command in run.json, written by rank 0 before the stage begins, so that a start
 * that is killed stands there too, and once more at its end. The record is opened anew each time:
 * the stages between the two write it themselves. It is for people and for the page: no result
 * depends on it, and no stage reads it. */
#include "src/app/session_record.h"

#include "io/files/lock.h"
#include "src/app/stage/binding.h"
#include "src/app/stage/output.h"
#include "src/app/stage/setup.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/version.h"

#include <stdlib.h>
#include <string.h>

/* Letters that a shell takes as they are. */
static const char plain[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";

/* A word as a shell reads it: in quotes where it needs them. Returns the end of what was written,
 * at most 4 bytes a letter and two. A quote within quotes ends them, stands there escaped, and
 * begins them again: four bytes for one. */
static char *quote(char *to, const char *word) {
    size_t n = strlen(word);
    if (n > 0 && strspn(word, plain) == n) {
        memcpy(to, word, n);
        return to + n;
    }
    *to++ = '\'';
    for (; *word; word++) {
        if (*word == '\'') {
            memcpy(to, "'\\'", 3);
            to += 3;
        }
        *to++ = *word;
    }
    *to++ = '\'';
    return to;
}

char *command_line_text(const command_line *line) {
    static const char program[] = "auxseg ";
    size_t bytes = sizeof program + strlen(line->command);
    for (int i = 0; i < line->argc; i++) bytes += 4 * strlen(line->argv[i]) + 3;
    char *text = memory_alloc(bytes, 1, "command line"), *at = text;
    if (!text) return NULL;
    at += sprintf(at, "%s%s", program, line->command);
    for (int i = 0; i < line->argc; i++) {
        *at++ = ' ';
        at = quote(at, line->argv[i]);
    }
    *at = '\0';
    return text;
}

/* change: run_record_add_start or run_record_end_start. Rank 0. */
static status write_start(
    const session_record *r, status (*change)(run_record *r, const start_record *start)) {
    run_record *record = NULL;
    status st = run_record_open(&record, r->path);
    if (st == STATUS_OK) st = change(record, &r->start);
    if (st == STATUS_OK) st = output_record(record, r->settings);
    if (st == STATUS_OK) st = run_record_save(record);
    run_record_close(record);
    return st;
}

/* The command stands there before the stage begins, so that a start which is killed has left its
 * words. All ranks find out together whether it is written. A path that is empty tells
 * session_record_end, on other ranks too, that there is nothing to end. */
status session_record_begin(
    session_record *out, const comm *c, const settings *s, const command_line *line) {
    char path[FILE_PATH];
    run_place place;
    status st = binding_place(c, setup_threads(s), &place, &out->hosts);
    if (st == STATUS_OK) st = setup_path(out->settings, s, "settings.cfg", 1);
    if (st == STATUS_OK) st = comm_agree(c, setup_path(path, s, "run.json", 1));
    if (st != STATUS_OK || !comm_root(c)) return comm_agree(c, st);
    run_record_time(out->started);
    out->command = command_line_text(line);
    out->start = (start_record){.started = out->started,
        .command = out->command,
        .version = AUXSEG_VERSION,
        .commit = version_commit,
        .job = file_lock_job_name(),
        .place = place};
    strcpy(out->path, path);
    st = out->command ? write_start(out, run_record_add_start) : STATUS_FAILED;
    if (st != STATUS_OK) out->path[0] = '\0';
    return comm_agree(c, st);
}

/* A run that is done but for its last line has failed all the same, if nothing else was wrong: a
 * later start would not know of it. The stage's own code is the stronger one: a record that could
 * not be written makes a failure of a success, but hides no other. */
status session_record_end(
    session_record *r, const comm *c, status code, double seconds, double peak_memory) {
    status st = STATUS_OK;
    if (r->path[0]) {
        r->start.exit_code = (int)code;
        r->start.seconds = seconds;
        r->start.peak_memory = peak_memory;
        st = write_start(r, run_record_end_start);
    }
    memory_free(r->command);
    memory_free(r->hosts);
    *r = (session_record){0};
    st = comm_agree(c, st);
    return code == STATUS_OK ? st : code;
}
