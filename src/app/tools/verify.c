/* Files against the checksums that they carry, and against what run.json beside them says. Whole
 * files are read: that is what tells this command from inspect. Each file is told about in one
 * line, and a bad one does not keep the next from being read. Nothing is changed, whatever is
 * found. */
#include "src/app/tools/verify.h"

#include "io/files/file.h"
#include "src/app/tools/verify_file.h"
#include "src/app/tools/verify_folder.h"
#include "src/base/log.h"
#include "src/base/plain.h"

#include <string.h>

/* A file by itself: its folder may be a run's. A record that is damaged says nothing about others,
 * and is told about when it is asked for. */
static status verify_alone(const char *path) {
    char folder[FILE_PATH], record[FILE_PATH];
    run_record *r = NULL;
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    if (n >= sizeof folder) n = 0;
    memcpy(folder, path, n);
    folder[n] = '\0';
    if (file_path(record, slash ? folder : "", "run.json") == STATUS_OK)
        run_record_look(&r, record);
    status st = verify_file(path, r);
    run_record_close(r);
    return st;
}

/* The code is that of the last file with a mistake. */
status command_verify(int argc, char **argv) {
    status worst = STATUS_OK;
    if (argc < 1) {
        log_error("verify: which file or run's folder? (auxseg verify FILE...)");
        return STATUS_USAGE;
    }
    for (int i = 0; i < argc; i++) {
        status st = verify_is_folder(argv[i]) ? verify_folder(argv[i]) : verify_alone(argv[i]);
        if (st != STATUS_OK) worst = st;
    }
    return worst;
}
