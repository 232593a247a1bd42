/* The record of a run as the JSON that it is: shared by run_record*.c, for nobody else. */
#ifndef AUXSEG_IO_FILES_RUN_RECORD_JSON_H
#define AUXSEG_IO_FILES_RUN_RECORD_JSON_H

#include "io/files/file.h"
#include "io/files/json_file.h"
#include "io/files/run_record.h"

struct run_record {
    char path[FILE_PATH];
    json_t *root; /* with its sections */
};

/* A member of the top; NULL for a NULL record, too. Borrowed. */
json_t *run_record_section(const run_record *r, const char *name);
/* Takes value; NULL is a text that was not UTF-8, or no memory: STATUS_FAILED, with a message. */
status run_record_put(json_t *object, const char *key, json_t *value);
/* The same for a text that may be NULL: then nothing is put. */
status run_record_put_text(json_t *object, const char *key, const char *text);
/* nodes, ranks, threads, hosts, as members of an object. */
status run_record_put_place(json_t *object, const run_place *place);
/* 0 and NULL for what is not there. */
run_place run_record_get_place(const json_t *object);

#endif
